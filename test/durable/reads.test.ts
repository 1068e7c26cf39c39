import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import type { Transaction } from "../../src/domain/transaction";
import { readInTurn } from "../../src/durable/balance/client";
import { SharedBarrier } from "../../src/durable/journal/barrier";
import { appOf } from "../support/app";
import { audit } from "../support/audit";
import { clearFaults, setFaults } from "../support/faults";
import { Moment } from "../support/moment";
import { World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@alice", 100n);
});

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n } as const;

/** Nothing gets to D1, the queue loses everything: a shard's memory is ahead of all else. */
const cutOff = () =>
  setFaults(world.instance, {
    call: ({ method }) => {
      if (method === "d1.batch") return { kind: "lost" };
      return { kind: method === "apply.sendBatch" ? "swallowed" : "well" };
    },
  });

const inD1 = async (): Promise<string[]> => {
  const { results } = await env.DB.prepare(
    "SELECT status FROM transactions WHERE instance_id = ? AND reference NOT LIKE 'fund-%' ORDER BY status",
  )
    .bind(world.instance)
    .all<{ status: string }>();
  return results.map(({ status }) => status);
};

it("what is queued of a split is counted once", async () => {
  cutOff();
  const app = appOf(world);
  const body = {
    precise_amount: 60,
    precision: 100,
    currency: "USD",
    reference: "split",
    description: "a split",
    source: "@alice",
    destinations: [
      { identifier: "@bob", distribution: "50%" },
      { identifier: "@carl", distribution: "left" },
    ],
  };
  expect((await app("POST", "/transactions", { body })).status).toBe(201);
  const id = indicatorBalanceId(world.instance, "@alice", "USD");
  const seen = await app("GET", `/balances/${id}?with_queued=true`);
  expect(seen.body).toMatchObject({ queued_debit_balance: 60n, queued_credit_balance: 0n });
  clearFaults(world.instance);
});

describe("reading a balance", () => {
  /** The namespace, and which objects were asked for. */
  const watched = (asked: string[]): typeof env.BALANCES =>
    new Proxy(env.BALANCES, {
      get: (balances, key) =>
        key === "getByName"
          ? (name: string) => {
              asked.push(name);
              return balances.getByName(name);
            }
          : Reflect.get(balances, key),
    });

  it("begins in the next turn, and not in this one", async () => {
    const { instance } = world;
    const id = indicatorBalanceId(instance, "@alice", "USD");
    const asked: string[] = [];
    const read = readInTurn({ balances: watched(asked), instance }, id);
    for (let step = 0; step < 100; step += 1) await Promise.resolve();
    expect(asked).toEqual([]);
    expect((await read)?.credit).toBe(100n);
    expect(asked).toEqual([`${instance}/${id}`]);
  });
});

describe("reading a transaction", () => {
  it("finds nothing under an id that nobody has, and under no other instance's", async () => {
    await world.post(transfer);
    const other = new World();
    expect(await world.read("u")).toBe(null);
    expect(await other.journal.byId(world.idOf("t"))).toBe(null);
    expect(await other.read("t")).toBe(null);
  });

  it("by `_q` finds the one that was queued, unless that reference was posted itself", async () => {
    await world.post({ ...transfer, skipQueue: false });
    await world.post({ ...transfer, reference: "s", amount: 1n });
    const byReference = async (reference: string) =>
      (await world.journal.byReference(reference))?.transactionId ?? null;
    expect(await byReference("t_q")).toBe(world.idOf("t"));
    expect(await byReference("s_q")).toBe(null);
    await world.post({ ...transfer, reference: "t_q", amount: 1n });
    expect(await byReference("t_q")).toBe(world.idOf("t_q"));
  });

  it("waits for one in mid-saga instead of showing it half done", async () => {
    const released = new Moment();
    setFaults(world.instance, {
      step: (step) => (step === "drive:debited" ? released.came() : undefined),
    });
    const answer = world.post(transfer);
    await expect.poll(() => world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
    const reading = world.read("t");
    released.comes();
    expect((await reading)?.status).toBe("APPLIED");
    expect((await answer).ok).toBe(true);
    clearFaults(world.instance);
  });

  it("never goes back after a restart: a queued one that was seen APPLIED stays so", async () => {
    cutOff();
    await world.post({ ...transfer, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect((await world.read("t"))?.status).toBe("APPLIED");
    await abortAllDurableObjects();
    expect((await world.read("t"))?.status).toBe("APPLIED");
    clearFaults(world.instance);
  });
});

describe("merging metadata", () => {
  it("replaces top-level keys of a record and of its children, and reaches D1", async () => {
    await world.post({ ...transfer, inflight: true, metaData: '{"a":1,"b":{"c":2}}' });
    await world.commit("t", 10n);
    expect(await world.journal.mergeMetaData(world.idOf("t"), '{"b":{"d":3}}')).toBe("merged");
    const merged = '{"a":1,"b":{"d":3}}';
    expect((await world.read("t"))?.metaData).toBe(merged);
    await world.journal.barrier();
    const { projected } = await audit(world);
    const ofTransfer = [...projected.values()].filter(
      ({ reference }) => !reference.startsWith("fund"),
    );
    expect(ofTransfer.map(({ metaData }) => metaData)).toEqual([merged, merged]);
  });

  it("keeps numbers that no double holds, and what many merge at once", async () => {
    await world.post(transfer);
    await Promise.all(
      ["a", "b", "c"].map((key) =>
        world.journal.mergeMetaData(world.idOf("t"), `{"${key}":12345678901234567890.5}`),
      ),
    );
    await abortAllDurableObjects();
    const metaData = (await world.read("t"))?.metaData ?? "";
    expect(metaData.match(/12345678901234567890\.5/g)).toHaveLength(3);
  });

  it("of a record that is queued outlives its application", async () => {
    await world.post({ ...transfer, skipQueue: false });
    await Promise.all([
      world.journal.mergeMetaData(world.idOf("t"), '{"a":1}'),
      world.shardOf("t").applyMany({ ids: [world.idOf("t")] }),
    ]);
    expect(await world.read("t")).toMatchObject({ status: "APPLIED", metaData: '{"a":1}' });
  });

  it("finds nothing to merge into under an unknown id, and refuses too much", async () => {
    expect(await world.journal.mergeMetaData(world.idOf("u"), '{"a":1}')).toBe("missing");
    await world.post(transfer);
    const large = JSON.stringify({ a: "x".repeat(256 * 1024) });
    expect(await world.journal.mergeMetaData(world.idOf("t"), large)).toBe("too-large");
    expect((await world.read("t"))?.metaData).toBe(null);
  });

  it.each([
    ["itself", (leg: Transaction) => leg.transactionId],
    ["its reference", ({ reference }: Transaction) => world.idOf(reference)],
  ])(
    "of a split's leg, by the id of %s, is in the leg and makes no other record",
    async (_by, idOf) => {
      // All in one shard: the leg beside what leads to it.
      world = new World("split", 1);
      await world.fund("@alice", 100n);
      const half = (identifier: string) => ({ identifier, distribution: "50%" });
      await appOf(world)("POST", "/transactions", {
        body: {
          precise_amount: 60,
          precision: 100,
          currency: "USD",
          reference: "s",
          description: "a split",
          source: "@alice",
          skip_queue: true,
          destinations: [half("@bob"), half("@carl")],
        },
      });
      const leg = await world.read("s-1");
      if (leg === null) throw new Error("a split has legs");
      expect(await world.journal.mergeMetaData(idOf(leg), '{"a":1}')).toBe("merged");
      expect((await world.read("s-1"))?.metaData).toBe('{"a":1}');
      expect(await world.journal.barrier()).toBe(true);
      expect(await inD1()).toEqual(["APPLIED", "APPLIED"]);
    },
  );

  /** Merges into a transfer of which D1 hears nothing, and all objects die. */
  async function mergeAndRestart(): Promise<void> {
    await world.journal.barrier();
    cutOff();
    await world.post(transfer);
    await world.journal.mergeMetaData(world.idOf("t"), '{"a":1}');
    await abortAllDurableObjects();
    clearFaults(world.instance);
  }

  async function expectBalancesInD1(): Promise<void> {
    expect(await world.journal.barrier()).toBe(true);
    const { balances, projectedBalances } = await audit(world);
    for (const [id, { snapshot }] of balances) expect(projectedBalances.get(id)).toEqual(snapshot);
  }

  it("before and after a restart leaves no balance behind in D1", async () => {
    await mergeAndRestart();
    await world.journal.mergeMetaData(world.idOf("t"), '{"b":1}');
    // What was merged into is in D1 before the shard looks for what its earlier life left.
    await expect.poll(inD1, { timeout: 10_000 }).toEqual(["APPLIED"]);
    await expectBalancesInD1();
  });

  it("right before a restart leaves no balance behind in D1", async () => {
    await mergeAndRestart();
    await expectBalancesInD1();
  });
});

describe("a barrier", () => {
  it("is passed when D1 has all that was answered before", async () => {
    await world.post(transfer);
    await world.post({ ...transfer, reference: "q", amount: 1n, skipQueue: false });
    expect(await world.journal.barrier()).toBe(true);
    expect((await inD1()).length).toBe(2);
  });

  it("after a restart waits for what an earlier life had answered", async () => {
    cutOff();
    await world.post(transfer);
    await world.post({ ...transfer, reference: "h", amount: 5n, inflight: true });
    await world.post({ ...transfer, reference: "q", amount: 1n, skipQueue: false });
    await abortAllDurableObjects();
    clearFaults(world.instance);
    expect(await world.journal.barrier()).toBe(true);
    expect(await inD1()).toEqual(["APPLIED", "APPLIED", "INFLIGHT"]);
  });

  it("says so when D1 is behind", async () => {
    cutOff();
    await world.post(transfer);
    expect(await world.journal.barrier()).toBe(false);
    clearFaults(world.instance);
    await expect.poll(() => world.journal.barrier(), { timeout: 20_000 }).toBe(true);
    expect(await inD1()).toEqual(["APPLIED"]);
  });

  it("is shared, but never with one that started before", async () => {
    const runs: ((passed: boolean) => void)[] = [];
    const run = () => new Promise<boolean>((resolve) => runs.push(resolve));
    const barrier = new SharedBarrier();
    const first = barrier.pass(run);
    const [second, third] = [barrier.pass(run), barrier.pass(run)];
    expect(runs).toHaveLength(1);
    runs[0]?.(true);
    expect(await first).toBe(true);
    await expect.poll(() => runs.length).toBe(2);
    runs[1]?.(false);
    expect(await Promise.all([second, third])).toEqual([false, false]);
    expect(runs).toHaveLength(2);
  });

  it("whose request is gone keeps nobody else waiting for long", async () => {
    const barrier = new SharedBarrier();
    const never = () => new Promise<boolean>(() => {});
    const gone = barrier.pass(never);
    const waiting = barrier.pass(async () => true);
    expect(await Promise.all([gone, waiting])).toEqual([false, true]);
    expect(await barrier.pass(async () => true)).toBe(true);
  });

  it("that fails is not the next one's trouble", async () => {
    const barrier = new SharedBarrier();
    const failing = barrier.pass(() => Promise.reject(new Error("no shard")));
    const next = barrier.pass(async () => true);
    await expect(failing).rejects.toThrow("no shard");
    expect(await next).toBe(true);
  });
});

describe("queued amounts", () => {
  const queuedOf = (indicator: string) =>
    world.journal.queuedAmounts(indicatorBalanceId(world.instance, indicator, "USD"));

  it("are what waits on either side, and nothing once it has moved", async () => {
    cutOff();
    await world.post({ ...transfer, amount: 10n, skipQueue: false });
    await world.post({ ...transfer, reference: "u", amount: 20n, skipQueue: false });
    await world.post({
      reference: "v",
      from: "@world",
      to: "@alice",
      amount: 5n,
      skipQueue: false,
    });
    expect(await queuedOf("@alice")).toEqual({ debit: 30n, credit: 5n });
    expect(await queuedOf("@bob")).toEqual({ debit: 0n, credit: 30n });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect(await queuedOf("@alice")).toEqual({ debit: 20n, credit: 5n });
    clearFaults(world.instance);
  });

  it("do not count what an earlier life had applied", async () => {
    cutOff();
    await world.post({ ...transfer, amount: 10n, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    await abortAllDurableObjects();
    expect(await queuedOf("@alice")).toEqual({ debit: 0n, credit: 0n });
    clearFaults(world.instance);
  });
});
