import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { elapsedMs } from "../../src/durable/elapsed";
import { OutcomeUnknown, Patience } from "../../src/durable/journal/deadline";
import { makeWallets, walletId } from "../support/wallets";
import { named, World } from "../support/world";

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

it("parts that are given back are told apart whatever the clock says: each is of whoever paid it", async () => {
  const world = new World("refunds", 1);
  await makeWallets(world);
  // 50 of visa and 50 of swift go to a shop that does not track its funds.
  const ada = walletId(world, "ada");
  await world.post({ reference: "t", from: ada, to: "@shop", amount: 100n });
  await world.refund(world.idOf("t"), { amount: 40n, operation: named("first") });
  setBack();
  await abortAllDurableObjects();
  await world.refund(world.idOf("t"), { amount: 40n, operation: named("second") });
  const funds = (await world.journal.balanceLineage(ada))?.funds ?? [];
  expect(funds.map(({ provider, credited, spent }) => [provider, credited - spent])).toEqual([
    ["visa", 50n],
    ["swift", 30n],
  ]);
});
