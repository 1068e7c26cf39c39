import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import { clearFaults, fateOf, passedSteps, setFaults, WELL } from "../support/faults";
import { outgoing } from "../support/outgoing";
import { World } from "../support/world";

const transfer = { reference: "t", from: "@world", to: "@bob", amount: 60n } as const;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => clearFaults(world.instance));

/** The messages that left for receivers, as texts. */
const sent = (): string[] =>
  outgoing(world.instance, "webhooks.sendBatch").map((body) => JSON.stringify(body));

const applied = (): string[] => sent().filter((text) => text.includes("transaction.applied"));

const barrier = () =>
  expect.poll(() => world.journal.barrier(), { timeout: 20_000, interval: 20 }).toBe(true);

describe("the event of a transfer (law 7)", () => {
  it("leaves when both balances have the money, not before", async () => {
    const gate = Promise.withResolvers<void>();
    const bob = indicatorBalanceId(world.instance, "@bob", "USD");
    setFaults(world.instance, {
      step: (step, { name }) =>
        step === "execute:received" && name.endsWith(bob) ? gate.promise : undefined,
    });
    const answer = world.post(transfer);
    await expect.poll(() => passedSteps(world.instance)).toContain("drive:debited");
    await barrier();
    expect(applied()).toEqual([]);
    gate.resolve();
    expect((await answer).ok).toBe(true);
    await barrier();
    expect(applied()).toHaveLength(1);
  });

  it("leaves when D1 has what it tells of, not before", async () => {
    setFaults(world.instance, {
      call: ({ method }) => (method === "d1.batch" ? { kind: "lost" } : WELL),
    });
    expect((await world.post(transfer)).ok).toBe(true);
    expect(await world.journal.barrier()).toBe(false);
    expect(sent()).toEqual([]);
    clearFaults(world.instance);
    await barrier();
    expect(applied()).toHaveLength(1);
  });

  it("is sent again when sending it failed, and has the same id", async () => {
    await world.fund("@bob", 1n);
    await barrier();
    const before = applied().length;
    setFaults(world.instance, { call: fateOf("webhooks.sendBatch", { kind: "reply-lost" }) });
    expect((await world.post(transfer)).ok).toBe(true);
    await barrier();
    const copies = applied().slice(before);
    expect(copies).toHaveLength(2);
    expect(copies[1]).toBe(copies[0]);
  });

  it("comes although the first sending was lost", async () => {
    setFaults(world.instance, { call: fateOf("webhooks.sendBatch", { kind: "lost" }) });
    expect((await world.post(transfer)).ok).toBe(true);
    await barrier();
    expect(applied()).toHaveLength(1);
  });
});
