import type { Value } from "../support/api";
import type { Balance, Record } from "./ending";
import { type Amounts, breaks, type Facts, NOTHING, type Violation } from "./facts";
import type { Call } from "./play";
import { type Answer, fieldIn } from "./requests";

/**
 * Whether a list was right (laws 6, 8 and 9): what it shows is or was so, and of what its client knew to be done nothing is
 * missing, unless it says that it may be behind.
 */
export function listOf(
  what: "transactions" | "balances",
  call: Call,
  { body, isBehind }: Answer,
  facts: Facts,
): Violation[] {
  if (!Array.isArray(body)) return [breaks(6, "it is no list")];
  return what === "transactions"
    ? [
        ...body.flatMap((row) => wrongTransaction(row, facts)),
        ...(isBehind ? [] : facts.records.flatMap((record) => missing(record, body, call, facts))),
      ]
    : body.flatMap((row) => wrongBalance(row, isBehind ? null : call, facts));
}

const textIn = (row: Value, name: string): string => String(fieldIn(row, name));

const isOpen = (status: string): boolean => status === "QUEUED" || status === "SCHEDULED";

function wrongTransaction(row: Value, facts: Facts): Violation[] {
  const id = textIn(row, "transaction_id");
  const record = facts.record(id);
  if (record === undefined) return [breaks(9, `${id} is none of its records`)];
  const { reference, amount, source, destination } = record;
  const isSame =
    fieldIn(row, "precise_amount") === amount &&
    textIn(row, "reference") === reference &&
    sideIn(row, "source", facts) === source &&
    sideIn(row, "destination", facts) === destination;
  const status = textIn(row, "status");
  const isRight = isSame && (isOpen(status) || status === record.status);
  return isRight ? [] : [breaks(8, `${reference} was ${status}, and is ${record.status}`)];
}

/** A side is shown as it was named: by its indicator, or by its id. */
function sideIn(row: Value, side: "source" | "destination", { ledger }: Facts): string {
  const name = textIn(row, side);
  return name === "@world" || name === "@a" || name === "@b" || name === "@c"
    ? ledger.balanceId(name, fieldIn(row, "currency") === "EUR" ? "EUR" : "USD")
    : name;
}

function missing(record: Record, rows: readonly Value[], call: Call, facts: Facts): Violation[] {
  // Of a split its legs are listed.
  if (record.kind === "split" || !facts.wasToldBefore(record, call)) return [];
  const row = rows.find((each) => fieldIn(each, "transaction_id") === record.id);
  if (row === undefined) return [breaks(6, `${record.reference} is missing`)];
  const isLate = isOpen(textIn(row, "status")) && facts.wasDoneBefore(record, call);
  return isLate ? [breaks(8, `${record.reference} is not shown as done`)] : [];
}

/** `call` is null when the list may be behind. */
function wrongBalance(row: Value, call: Call | null, facts: Facts): Violation[] {
  const id = textIn(row, "balance_id");
  const balance = facts.ledger.ending.balances.find((each) => each.id === id);
  const shown = amountsIn(row);
  if (balance === undefined) {
    const isOwned = id === facts.ledger.balanceId("owned") && shown === textOf(NOTHING);
    return isOwned ? [] : [breaks(9, `${id} is none of its balances`)];
  }
  const states = [NOTHING, ...balance.entries].map(textOf);
  const at = states.lastIndexOf(shown);
  if (at === -1) return [breaks(8, `${id} was never ${shown}`)];
  const known = call === null ? 0 : knownEntries(balance, call, facts);
  return at >= known ? [] : [breaks(8, `${id} is shown as it was before entry ${known}`)];
}

/** The number of the newest entry of which somebody had been told before a call. */
function knownEntries({ entries }: Balance, call: Call, facts: Facts): number {
  const newest = entries.findLastIndex(({ transactionId }) => {
    const record = facts.record(transactionId);
    return record !== undefined && facts.wasDoneBefore(record, call);
  });
  return newest + 1;
}

const textOf = ({ credit, debit, inflightCredit, inflightDebit }: Amounts): string =>
  [credit, debit, inflightCredit, inflightDebit].join(" ");

const amountsIn = (row: Value): string =>
  ["credit_balance", "debit_balance", "inflight_credit_balance", "inflight_debit_balance"]
    .map((name) => textIn(row, name))
    .join(" ");
