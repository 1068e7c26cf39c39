import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answersOf, rejectionsOf } from "../support/answers";
import type { History } from "../support/arbitraries";
import { type Course, play } from "../support/history";
import { atRest, refundsOf, settlementsOf, sumOf, type Violations } from "../support/oracle";
import { raceOnAHold, raceOnATransfer } from "../support/race-arbitraries";

/** Other seeds draw other histories; a failure prints the one that it had, and the history. */
const SEED = 20_310_407;
/** Histories that are played side by side, each in a ledger of its own. */
const LANES = 20;
const LIMIT_MS = 240_000;

/** Plays random histories until one breaks a law; answers what became of all of them. */
async function playAll(drawn: fc.Arbitrary<History>, count: number): Promise<Course[]> {
  const courses: Course[] = [];
  const lane = (number: number) =>
    fc.assert(
      fc.asyncProperty(drawn, async (history) => {
        const course = await play(history);
        courses.push(course);
        const general = [...atRest(course), ...answersOf(course), ...rejectionsOf(course)];
        expect([...general, ...theRace(course)]).toEqual([]);
      }),
      {
        seed: SEED + number,
        numRuns: count / LANES,
        interruptAfterTimeLimit: LIMIT_MS - 30_000,
        markInterruptAsFailure: true,
      },
    );
  await Promise.all(Array.from({ length: LANES }, (_none, number) => lane(number)));
  return courses;
}

/** What one hold or transfer came to, from the balances' side: what was paid is what the records say. */
function theRace({ seen, world }: Course): Violations {
  const records = [...seen.shown.values()];
  const first = seen.shown.get(world.idOf("r1"));
  if (first === undefined || first.status === "REJECTED") return [];
  const settled = settlementsOf(first, records);
  const commits = sumOf(settled.filter(({ kind }) => kind === "commit"));
  const voided = sumOf(settled.filter(({ kind }) => kind === "void"));
  const moved = first.inflight ? settled.filter(({ kind }) => kind === "commit") : [first];
  const refunded = sumOf(moved.flatMap((each) => refundsOf(each, records)));
  const remaining = first.inflight ? (first.inflightRemaining ?? 0n) : 0n;
  const applied = first.inflight ? commits : first.preciseAmount;
  const receiver = seen.balances.get(first.destination.balanceId)?.snapshot;
  const { credit = 0n, debit = 0n, inflightCredit = 0n } = receiver ?? {};
  return [
    ...(first.inflight && commits + voided + remaining !== first.preciseAmount
      ? [`${commits} committed, ${voided} voided and ${remaining} left of ${first.preciseAmount}`]
      : []),
    ...(refunded > applied ? [`${refunded} paid back of ${applied}`] : []),
    ...(credit === applied && debit === refunded && inflightCredit === remaining
      ? []
      : [`the receiver has ${credit}, gave ${debit} and waits for ${inflightCredit}`]),
  ];
}

const kindsIn = (courses: readonly Course[], kind: string): number =>
  courses.reduce(
    (sum, { seen }) => sum + [...seen.shown.values()].filter((each) => each.kind === kind).length,
    0,
  );

describe("all that races for one", () => {
  it("hold settles it once: commits, voids and what remains are the hold", {
    timeout: LIMIT_MS,
  }, async () => {
    const courses = await playAll(raceOnAHold(), 100);
    expect(kindsIn(courses, "commit")).toBeGreaterThan(100);
    expect(kindsIn(courses, "void")).toBeGreaterThan(10);
  });

  it("transfer pays it back once, in parts or as a whole", { timeout: LIMIT_MS }, async () => {
    const courses = await playAll(raceOnATransfer(), 60);
    expect(kindsIn(courses, "refund")).toBeGreaterThan(60);
  });
});
