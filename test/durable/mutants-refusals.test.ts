import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import type { Reply } from "../../src/durable/journal/protocol";
import { clearFaults, fateOf, killAt, passedSteps, setFaults, WELL } from "../support/faults";
import { World } from "../support/world";

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n } as const;

const outcome = (reply: Reply<{ readonly status: string }>): string =>
  reply.ok ? reply.value.status : reply.error.code;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => clearFaults(world.instance));

describe("a refusal (laws 3 and 4)", () => {
  it("leaves the receiver without the money", async () => {
    await world.fund("@bob", 1n);
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(await world.amounts("@bob")).toEqual([1n, 0n, 0n, 0n]);
  });

  it("that somebody was told stands after a crash, although the money has come: synchronous", async () => {
    cutOffD1();
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    await abortAllDurableObjects();
    await world.fund("@alice", 100n);
    await world.ring();
    expect(await world.read("t")).toBe(null);
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("that somebody was told stands after a crash, although the money has come: queued", async () => {
    cutOffD1();
    await world.post({ ...transfer, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect((await world.read("t"))?.status).toBe("REJECTED");
    await abortAllDurableObjects();
    await world.fund("@alice", 100n);
    await world.ring();
    expect((await world.read("t"))?.status).toBe("REJECTED");
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });
});

describe("a refusal after an attempt that was given up (laws 1 and 3)", () => {
  it("is told only when that attempt can move nothing any more", async () => {
    const late = lateDebit();
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    await world.fund("@alice", 100n);
    await late.arrive();
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("is told only then by a shard that has forgotten it in a crash, too", async () => {
    const late = lateDebit({ killedAt: "drive:refused-in-doubt" });
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    await world.fund("@alice", 100n);
    await late.arrive();
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("frees the reference for a transfer that is carried out, once", async () => {
    const late = lateDebit();
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    await world.fund("@alice", 100n);
    expect(outcome(await world.post(transfer))).toBe("APPLIED");
    await late.arrive();
    expect(await world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });
});

it("no balance of another instance takes part in a transfer (law 9)", async () => {
  const other = new World("other");
  await other.fund("@bob", 5n);
  await world.fund("@alice", 100n);
  const theirs = indicatorBalanceId(other.instance, "@bob", "USD");
  expect(outcome(await world.post({ ...transfer, to: theirs }))).toBe("TXN_NOT_FOUND");
  expect(await other.amounts("@bob")).toEqual([5n, 0n, 0n, 0n]);
});

/** Nothing of this world reaches D1, so nothing but what was written at once outlives a crash. */
function cutOffD1(): void {
  setFaults(world.instance, {
    call: ({ method }) => (method === "d1.batch" ? { kind: "lost" } : WELL),
  });
}

/**
 * The first call to a balance is given up by its sender. It reaches the balance when `arrive` is called, which resolves
 * when it has been carried out.
 */
function lateDebit({ killedAt }: { readonly killedAt?: string } = {}) {
  const gate = Promise.withResolvers<void>();
  setFaults(world.instance, {
    call: fateOf("balance.execute", { kind: "late", until: () => gate.promise }),
    ...(killedAt === undefined ? {} : { step: killAt(killedAt, { durable: true }) }),
  });
  const carriedOut = () =>
    passedSteps(world.instance).filter((step) => step === "execute:committed").length;
  return {
    arrive: async (): Promise<void> => {
      const before = carriedOut();
      gate.resolve();
      await expect.poll(carriedOut).toBe(before + 1);
    },
  };
}
