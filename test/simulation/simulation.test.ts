import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Clock } from "./clock";
import { draw } from "./draw";
import type { Plan } from "./plan";
import { shrink } from "./shrink";
import { simulate } from "./simulate";

/** What is run when nothing else is said: a part of `npm test`. */
const SHORT = { seed: 1, seeds: 12, seconds: 40, shrinks: 40, shrinkSeconds: 180 };
/** Days that the objects' clock is ahead: no alarm rings by itself. */
const AHEAD_MS = 400 * 86_400_000;

/** `npm run simulate` says what to run in a binding. */
const asked: Partial<typeof SHORT> = JSON.parse(env.SIMULATION || "{}");

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + AHEAD_MS });
});
afterAll(() => {
  vi.useRealTimers();
});

describe("a simulated ledger", () => {
  it("keeps its laws, whatever fails", { timeout: 3_600_000 }, async ({ task }) => {
    const report = await simulate({ ...SHORT, ...asked });
    Object.assign(task.meta, { simulation: report });
    expect(report.story, report.story).toBe("");
    expect(report.seeds).toBeGreaterThan(0);
  });

  it("has the same plan for the same seed, and another one for another", () => {
    const plans = Array.from({ length: 50 }, (_none, index) => textOf(index));
    expect(Array.from({ length: 50 }, (_none, index) => textOf(index))).toEqual(plans);
    expect(new Set(plans).size).toBe(50);
  });
});

describe("a plan that fails", () => {
  it("is shrunk to the steps and faults that it needs", async () => {
    const plan = draw(3);
    const needed = [plan.steps.at(2), plan.steps.at(-2), plan.faults.at(-1)];
    const isThere = ({ steps, faults }: Plan) =>
      needed.every((each) => [...steps, ...faults].some((other) => other === each));

    const smallest = await shrink(plan, async (smaller) => isThere(smaller), 1_000);

    expect([...smallest.steps, ...smallest.faults]).toEqual(needed);
  });
});

describe("the clock of a simulation", () => {
  it("says the same at several moments when it is set back, and moments go on", () => {
    const clock = new Clock();
    const began = clock.tick(1_000);
    const reading = Date.now();
    const back = clock.tick(-600);
    expect(back).toBe(began);
    expect(Date.now()).toBe(reading - 600);
    const again = clock.tick(600);

    expect(Date.now()).toBe(reading);
    expect(again).toBe(began + 600);
    expect(clock.momentsOf(reading)).toEqual({ first: began, last: again });
    expect(clock.momentsOf(reading - 900)).toEqual({ first: began - 900, last: began - 900 });
    expect(clock.reached(again - 1)).toBe(reading);
    expect(clock.reached(again + 1)).toBe(reading + 1);
  });
});

const textOf = (seed: number): string =>
  JSON.stringify(draw(seed), (_key, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
