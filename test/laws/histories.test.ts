import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answersOf, rejectionsOf } from "../support/answers";
import { history, type Weather } from "../support/arbitraries";
import { play } from "../support/history";
import { atRest } from "../support/oracle";

/** Other seeds draw other histories; a failure prints the one that it had, and the history. */
const SEED = 20_310_405;
/** Histories that are played side by side, each in a ledger of its own. */
const LANES = 10;
const LIMIT_MS = 480_000;

/** Plays random histories until one breaks a law, which is then shortened. */
async function playAll(weather: Weather, count: number): Promise<number> {
  let operations = 0;
  const property = () =>
    fc.asyncProperty(history(weather), async (drawn) => {
      const course = await play(drawn);
      operations += course.calls.length;
      expect([...atRest(course), ...answersOf(course), ...rejectionsOf(course)]).toEqual([]);
    });
  const lane = (number: number) =>
    fc.assert(property(), {
      seed: SEED + number,
      numRuns: count / LANES,
      interruptAfterTimeLimit: LIMIT_MS - 30_000,
      markInterruptAsFailure: true,
    });
  await Promise.all(Array.from({ length: LANES }, (_none, number) => lane(number)));
  return operations;
}

describe("random histories of many clients keep the laws", () => {
  it.each`
    what                                                          | deaths   | count
    ${"when a call or its reply gets lost now and then"}          | ${false} | ${720}
    ${"when calls get lost or late, and objects die at any step"} | ${true}  | ${300}
  `("$what ($count of them)", { timeout: LIMIT_MS }, async ({ deaths, count }) => {
    expect(await playAll({ deaths }, count)).toBeGreaterThan(count);
  });
});
