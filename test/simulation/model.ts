import { answersOf } from "./answers";
import { balanceHistoriesOf } from "./balance-histories";
import { batchesOf } from "./batches";
import { booksOf } from "./books";
import { eventsOf } from "./events";
import { Facts, type Violation } from "./facts";
import type { Course } from "./play";

/** Every law that a simulation broke, in words; empty when all hold. */
export function violationsOf({ plan, ledgers }: Course): Violation[] {
  const mayFail =
    plan.faults.length > 0 ||
    plan.steps.some(
      (step) =>
        step.do === "abort" || step.do === "deploy" || (step.do === "send" && step.lost !== null),
    );
  return ledgers.flatMap((ledger) => {
    const facts = new Facts(ledger, mayFail);
    return [
      ...booksOf(facts),
      ...batchesOf(facts),
      ...eventsOf(facts),
      ...answersOf(facts),
      ...balanceHistoriesOf(facts),
    ];
  });
}
