import { signOf } from "../../domain/amount";
import { type LedgerError, refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import type {
  OperationKey,
  Reply,
  SettleRequest,
  SettleValue,
} from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";

/** A commit or void as a client asks for it. */
export interface Settlement {
  readonly id: string;
  readonly status: string;
  /** Decimal text in major units; null when absent. */
  readonly amount: string | null;
  readonly preciseAmount: bigint | null;
  readonly skipQueue: boolean;
  readonly dryRun: boolean;
  readonly operation: OperationKey;
}

/** Commits or voids a hold, in whole or in part (contract/transactions.md sections 7.2 to 7.4). */
export async function settleTransaction(
  ctx: LedgerContext,
  settlement: Settlement,
): Promise<Reply<SettleValue>> {
  const { id, status, skipQueue, operation } = settlement;
  if (status !== "commit" && status !== "void") {
    return refused(refusal("TXN_INVALID_STATUS_ACTION", "status must be commit or void"));
  }
  if (settlement.dryRun) {
    return refused(refusal("TXN_VALIDATION_ERROR", "dry_run is not available yet"));
  }
  const isCommit = status === "commit";
  if (isCommit && settlement.preciseAmount !== null && settlement.preciseAmount <= 0n) {
    return refused(refusal("TXN_INVALID_AMOUNT", "precise_amount must be positive"));
  }
  if (!isTransactionId(id)) {
    return refused(
      skipQueue
        ? refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${status}`)
        : refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`, {}),
    );
  }
  const amount = isCommit ? amountOf(settlement) : null;
  return replyOf(
    ctx.journal.settle({ transactionId: id, action: status, amount, skipQueue, operation }),
  );
}

/** `precise_amount` wins; zero and absent are all that remains. */
function amountOf({ amount, preciseAmount }: Settlement): SettleRequest["amount"] {
  if (preciseAmount !== null) return { unit: "minor", value: preciseAmount };
  return amount === null || signOf(amount) === 0 ? null : { unit: "major", value: amount };
}

const refused = (error: LedgerError): Reply<SettleValue> => ({ ok: false, error, replayed: false });
