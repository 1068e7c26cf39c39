import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { elapsedMs } from "../../src/durable/elapsed";
import { OutcomeUnknown, Patience } from "../../src/durable/journal/deadline";
import { World } from "../support/world";

const HOUR_MS = 3_600_000;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

const setBack = () => vi.setSystemTime(Date.now() - HOUR_MS);

it("a clock that is set back counts as one that has gone on", () => {
  expect(elapsedMs(1_000, 1_250)).toBe(250);
  expect(elapsedMs(1_000, 1_000)).toBe(0);
  expect(elapsedMs(1_000, 999)).toBe(Number.POSITIVE_INFINITY);
});

it("a shard whose clock is set back takes records to D1 as before", async () => {
  // One shard, so that the second transfer meets the rounds of the first.
  const world = new World("clock", 1);
  const inD1 = async (reference: string) =>
    await env.DB.prepare("SELECT status FROM transactions WHERE transaction_id = ?")
      .bind(world.idOf(reference))
      .first("status");
  const transfer = { from: "@world", to: "@alice", amount: 5n };
  await world.post({ ...transfer, reference: "before" });
  await expect.poll(() => inD1("before"), { timeout: 10_000 }).toBe("APPLIED");

  setBack();
  await world.post({ ...transfer, reference: "after" });
  // Nobody asks for a list: the shard does it by itself.
  await expect.poll(() => inD1("after"), { timeout: 10_000 }).toBe("APPLIED");
});

it("who waits gives up in time, whatever the clock says", async () => {
  const waiting = new Patience(1).within(new Promise(() => {}));
  setBack();
  await expect(waiting).rejects.toThrow(OutcomeUnknown);
});
