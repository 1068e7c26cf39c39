import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchHistory, type GroupHistory, splitHistory } from "../support/group-arbitraries";
import { type GroupCourse, playGroups } from "../support/group-history";
import { groupsAtRest } from "../support/group-oracle";

/** Other seeds draw other histories; a failure prints the one that it had, and the histories. */
const SEED = 20_310_406;
/** Ledgers that live side by side: the waits of one are the work of another. */
const LANES = 20;
const LIMIT_MS = 480_000;

/** What the histories of a run came to: a run in which nothing happens proves nothing. */
interface Tally {
  histories: number;
  applied: number;
  failed: number;
  splits: number;
  /** Commits, voids and refunds. */
  follows: number;
}

/** Plays so many ledgers' random histories until one breaks a law; they are then shortened. */
async function playAll(
  drawn: fc.Arbitrary<GroupHistory>,
  // To make a ledger's objects takes longer than to use them: each has several histories.
  { ledgers, each: length }: { readonly ledgers: number; readonly each: number },
): Promise<Tally> {
  const tally: Tally = { histories: 0, applied: 0, failed: 0, splits: 0, follows: 0 };
  const histories = fc.array(drawn, { minLength: length, maxLength: length });
  const lane = (number: number) =>
    fc.assert(
      fc.asyncProperty(histories, async (each) => {
        const course = await playGroups(each);
        note(course, tally);
        expect(groupsAtRest(course)).toEqual([]);
      }),
      {
        seed: SEED + number,
        numRuns: ledgers / LANES,
        endOnFailure: env.BROKEN !== "",
        interruptAfterTimeLimit: LIMIT_MS - 30_000,
        markInterruptAsFailure: true,
      },
    );
  await Promise.all(Array.from({ length: LANES }, (_none, number) => lane(number)));
  return tally;
}

function note({ chapters, shown, seen }: GroupCourse, tally: Tally): void {
  tally.histories += chapters.length - 1;
  for (const read of shown.values()) {
    if (read?.batch.failure === null) tally.applied += 1;
    else tally.failed += 1;
  }
  for (const { kind, status } of seen.shown.values()) {
    if (status === "REJECTED") continue;
    if (kind === "split") tally.splits += 1;
    if (kind === "commit" || kind === "void" || kind === "refund") tally.follows += 1;
  }
}

describe("what moves together moves as one, or not at all (law 5)", () => {
  it("batches that want the same money and the same references", {
    timeout: LIMIT_MS,
  }, async () => {
    const { histories, applied, failed } = await playAll(batchHistory(), {
      ledgers: 100,
      each: 10,
    });
    expect(histories).toBeGreaterThanOrEqual(1_000);
    expect(Math.min(applied, failed)).toBeGreaterThan(histories / 4);
  });

  it("splits, and what follows from them", { timeout: LIMIT_MS }, async () => {
    const { histories, splits, follows } = await playAll(splitHistory(), { ledgers: 20, each: 5 });
    expect(splits).toBeGreaterThan(histories / 8);
    expect(follows).toBeGreaterThan(histories / 20);
  });
});
