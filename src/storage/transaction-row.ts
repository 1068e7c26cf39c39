import { isBalanceId, isTransactionId } from "../domain/ids";
import { invariant } from "../domain/invariant";
import type {
  Overdraft,
  Side,
  Transaction,
  TransactionKind,
  TransactionStatus,
} from "../domain/transaction";
import type { transactions } from "./tables";

type Row = typeof transactions.$inferSelect;

/** The transaction that a row was made of. */
export function transactionOf(row: Row): Transaction {
  const {
    instanceId: _instance,
    amount: _amount,
    shownMetaData: _shown,
    postedAmount,
    sourceIndicator,
    destinationIndicator,
    ...rest
  } = row;
  const { transactionId, kind, status } = rest;
  invariant(isTransactionId(transactionId), "a transaction is stored under its id");
  invariant(isKind(kind), "a transaction is stored with its kind");
  invariant(isStatus(status), "a transaction is stored with its status");
  return {
    ...rest,
    transactionId,
    kind,
    status,
    amount: postedAmount,
    source: sideOf(row.source, sourceIndicator),
    destination: sideOf(row.destination, destinationIndicator),
    overdraft: overdraftOf(row.overdraft),
    // Who decided for it matters to the journal alone; a split's own record is never projected.
    group:
      kind === "post" && isTransactionId(rest.parentTransaction) ? rest.parentTransaction : null,
    postedEffectiveDate: "",
    shares: null,
  };
}

function overdraftOf(text: string): Overdraft {
  if (text === "none" || text === "unlimited") return { kind: text };
  return { kind: "limited", limit: BigInt(text) };
}

function sideOf(balanceId: string, indicator: string | null): Side {
  invariant(isBalanceId(balanceId), "a side is a balance");
  return { balanceId, indicator };
}

const KINDS: readonly string[] = [
  "post",
  "commit",
  "void",
  "refund",
] satisfies readonly TransactionKind[];

const STATUSES: readonly string[] = [
  "QUEUED",
  "SCHEDULED",
  "APPLIED",
  "INFLIGHT",
  "VOID",
  "REJECTED",
] satisfies readonly TransactionStatus[];

const isKind = (text: string): text is TransactionKind => KINDS.includes(text);

const isStatus = (text: string): text is TransactionStatus => STATUSES.includes(text);
