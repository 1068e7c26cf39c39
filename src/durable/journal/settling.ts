import { type LedgerError, refusal } from "../../domain/error";
import type { SettlementsSoFar } from "../../domain/settlement";
import type { Transaction } from "../../domain/transaction";
import type { SettleQuestion } from "./protocol";
import type { Row } from "./row";
import type { HoldShown } from "./store";

/** Whether it is still to be carried out. */
export const isQueued = ({ status }: Row): boolean => status === "QUEUED";

/** Whether it has moved its money. */
export const isApplied = ({ status }: Row): boolean => status === "APPLIED";

/** Whether it has moved money, or will have when it is at its end. */
export const isMovingOn = (row: Row): boolean =>
  row.posting.kind !== "void" && (isApplied(row) || isQueued(row));

/** A hold as it stood when a settlement of it went into the queue; as it is when that is not known. */
export function asItWas(hold: Transaction, then: HoldShown | null): Transaction {
  if (then === null) return hold;
  const { status, remaining, metaData } = then;
  return {
    ...hold,
    status,
    metaData,
    inflightRemaining: remaining === null ? null : BigInt(remaining),
    // What is rejected by now was not: nothing settles it otherwise.
    rejectionReason: "",
  };
}

/** Whether a hold cannot be settled because it is. */
export const isSettledBefore = ({ code }: LedgerError): boolean =>
  code === "TXN_ALREADY_COMMITTED" || code === "TXN_ALREADY_VOIDED";

/** What was decided under a hold. */
export const soFar = (settlements: readonly Row[]): SettlementsSoFar => ({
  committed: settlements
    .filter(({ posting }) => posting.kind === "commit")
    .reduce((sum, { posting }) => sum + posting.preciseAmount, 0n),
  voided: settlements.some(({ posting }) => posting.kind === "void"),
});

/** The refusal to refund what moved nothing. */
export const nothingToRefund = (): LedgerError =>
  refusal("TXN_NOT_FOUND", "there is no transaction to refund");

/** The refusal to settle what does not exist. */
export function unknownHold({ transactionId, skipQueue, action }: SettleQuestion) {
  return skipQueue
    ? refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${action}`)
    : refusal("TXN_NOT_FOUND", `there is no transaction ${transactionId}`);
}
