import type { Record } from "./ending";
import { amountOf, type Facts, sum } from "./facts";
import type { FollowUp, Movement } from "./plan";
import type { Call } from "./play";

/** Whether a movement would take another currency to a balance in dollars, or from it. */
export const isAcross = ({ from, to, currency }: Movement): boolean =>
  currency !== "USD" && (from === "owned" || to === "owned");

/** Whether movements that are asked for together may have been refused with a code; null is any code. */
export function mayRefuseMovements(
  movements: readonly Movement[],
  code: string | null,
  call: Call,
  facts: Facts,
): boolean {
  const may = (each: string): boolean => code === null || code === each;
  if (may("TXN_NOT_FOUND") && movements.some(({ to }) => to === "foreign")) return true;
  if (code === "TXN_DUPLICATE_REFERENCE") {
    return movements.some(({ reference }) => facts.posted(reference) !== undefined);
  }
  const taken = new Map<string, bigint>();
  if (may("TXN_VALIDATION_ERROR") && movements.some(isAcross)) return true;
  return movements.some((movement) => {
    const { from, amount, limit } = movement;
    if (from === "@world" || !may(limit > 0n ? "TXN_VALIDATION_ERROR" : "TXN_INSUFFICIENT_FUNDS")) {
      return false;
    }
    // Of items of one batch those before this one take from the same balance.
    const needed = (taken.get(from) ?? 0n) + amount;
    taken.set(from, needed);
    if (movements.length === 1 && !facts.mayBeReserved(from, call)) {
      return facts.spendableDuring(movement, call).some((left) => left + limit < amount);
    }
    return (
      facts.mayBeReserved(from, call) ||
      facts.spendableDuring(movement, call).some((left) => left + limit < needed)
    );
  });
}

/** Whether a commit, void or refund may have been refused. */
export function mayRefuseFollowUp(
  request: FollowUp,
  code: string,
  call: Call,
  facts: Facts,
): boolean {
  return request.kind === "refund"
    ? mayRefuseRefund(request, code, call, facts)
    : mayRefuseSettlement(request, code, call, facts);
}

function mayRefuseSettlement(
  { reference, amount, skipQueue }: FollowUp,
  code: string,
  call: Call,
  facts: Facts,
): boolean {
  const record = facts.posted(reference);
  const wasKnown = record !== undefined && facts.wasToldBefore(record, call);
  const legs = record === undefined ? [] : facts.legsOf(record);
  const children = record === undefined ? [] : facts.following(record, "commit", "void");
  const committed = children.filter(({ kind }) => kind === "commit");
  switch (code) {
    case "TXN_NOT_INFLIGHT":
      return !wasKnown || legs.some(({ status }) => status !== "INFLIGHT");
    case "TXN_NOT_FOUND":
      return !skipQueue && !wasKnown;
    case "TXN_ALREADY_VOIDED":
      return children.some(({ kind }) => kind === "void");
    case "TXN_ALREADY_COMMITTED":
      return legs.some(
        ({ id, amount: held }) =>
          sum(committed.filter(({ parent }) => parent === id).map(amountOf)) === held,
      );
    case "TXN_COMMIT_AMOUNT_EXCEEDED":
      return legs.some(
        ({ id, amount: held }) =>
          (amount ?? 0n) >
          held - sum(committed.filter(({ parent }) => parent === id).map(amountOf)),
      );
    case "GEN_CONFLICT":
      return !skipQueue && children.length > 0;
    default:
      return false;
  }
}

/** Whether a record must have moved when a refund asks for it: one that waits for its date has not yet. */
function wasMovedBefore(record: Record, call: Call, facts: Facts): boolean {
  const asked = facts.requestOf(record);
  const isScheduled = asked?.kind === "post" && asked.due?.what === "start";
  return isScheduled ? facts.wasDoneBefore(record, call) : facts.wasToldBefore(record, call);
}

function mayRefuseRefund(
  { reference, amount }: FollowUp,
  code: string,
  call: Call,
  facts: Facts,
): boolean {
  const record = facts.posted(reference);
  if (record === undefined) return code === "TXN_NOT_FOUND";
  const movements = record.inflight
    ? facts.following(record, "commit")
    : facts.legsOf(record).filter(({ status }) => status === "APPLIED");
  const moved = movements.filter(({ status }) => status === "APPLIED");
  const certain = record.inflight
    ? moved.filter((child) => facts.wasToldBefore(child, call))
    : wasMovedBefore(record, call, facts) && record.status === "APPLIED"
      ? moved
      : [];
  const back = sum(moved.flatMap((each) => facts.following(each, "refund")).map(amountOf));
  switch (code) {
    case "TXN_NOT_FOUND":
      return certain.length === 0;
    case "GEN_CONFLICT":
      return back > 0n && sum(certain.map(amountOf)) <= back;
    case "GEN_BAD_REQUEST":
      return amount !== null && amount > sum(certain.map(amountOf)) - back;
    default:
      return false;
  }
}
