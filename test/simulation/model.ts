import { answersOf } from "./answers";
import { balanceHistoriesOf } from "./balance-histories";
import { batchesOf } from "./batches";
import { booksOf } from "./books";
import { eventsOf } from "./events";
import { Facts, type Violation } from "./facts";
import type { Course } from "./play";
import { repeatsOf } from "./repeats";

/** Every law that a simulation broke, in words; empty when all hold. */
export function violationsOf({ ledgers }: Course): Violation[] {
  return ledgers.flatMap((ledger) => {
    const facts = new Facts(ledger);
    return [
      ...booksOf(facts),
      ...batchesOf(facts),
      ...eventsOf(facts),
      ...answersOf(facts),
      ...repeatsOf(facts),
      ...balanceHistoriesOf(facts),
    ];
  });
}
