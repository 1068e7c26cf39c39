import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { historyOf } from "./balance-histories";
import { contend } from "./contend";
import { Facts } from "./facts";
import { violationsOf } from "./model";
import { play } from "./play";

const SEEDS = Array.from({ length: 10 }, (_none, index) => index + 1);
/** Days that the objects' clock is ahead: no alarm rings by itself. */
const AHEAD_MS = 400 * 86_400_000;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + AHEAD_MS });
});
afterAll(() => {
  vi.useRealTimers();
});

it.each(SEEDS)(
  "many clients at once see one balance in one order, while its object dies (seed %i)",
  { timeout: 120_000 },
  async (seed) => {
    const course = await play(contend(seed));
    expect(violationsOf(course)).toEqual([]);
    const [ledger] = course.ledgers;
    const history = ledger === undefined ? [] : historyOf("owned", new Facts(ledger));
    // Enough of them were carried out or answered for the order to say something.
    expect(history.length).toBeGreaterThan(12);
    expect(history.some(({ action }) => action.kind === "read")).toBe(true);
  },
);
