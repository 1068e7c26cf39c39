import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settlementReference } from "../../src/domain/ids";
import { clearFaults, killAt, passedSteps, setFaults, WELL } from "../support/faults";
import { World } from "../support/world";

const MINUTE_MS = 60_000;

let world: World;
beforeEach(async () => {
  // Timers are real; only what the objects take for the present moves.
  vi.useFakeTimers({ toFake: ["Date"] });
  world = new World();
  await world.fund("@card", 100n);
});
afterEach(() => {
  vi.useRealTimers();
});

const inMinutes = (minutes: number): string =>
  new Date(Date.now() + minutes * MINUTE_MS).toISOString();

/** Minutes go by, and the alarms that were due ring. */
async function pass(minutes: number): Promise<void> {
  vi.setSystemTime(Date.now() + minutes * MINUTE_MS);
  await world.ring();
}

const BEFORE_1970 = "1962-02-20T14:47:39Z";

const transfer = { reference: "t", from: "@card", to: "@shop", amount: 70n } as const;
const hold = { ...transfer, reference: "h", inflight: true } as const;

const statusOf = async (reference: string) => (await world.read(reference))?.status;

describe("a scheduled transfer", () => {
  beforeEach(async () => {
    const scheduled = { ...transfer, skipQueue: false, scheduledFor: inMinutes(10) };
    expect(await world.post(scheduled)).toMatchObject({ value: { status: "SCHEDULED" } });
  });

  it("waits for its time, whoever asks, rings or restarts", async () => {
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    await abortAllDurableObjects();
    expect(await statusOf("t")).toBe("SCHEDULED");
    await pass(9);
    expect(await statusOf("t")).toBe("SCHEDULED");
    expect(await world.amounts("@shop")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("is cancelled for that reason alone, whatever a crash cuts off", async () => {
    await abortAllDurableObjects();
    setFaults(world.instance, { step: killAt("drive:refused", { durable: false }) });
    const transactionId = world.idOf("t");
    const cutOff = await world.shardOf("t").cancel({ transactionId }).catch(String);
    expect(cutOff).toContain("killed at drive:refused");
    clearFaults(world.instance);
    await pass(11);
    expect(await world.read("t")).toMatchObject({
      status: "REJECTED",
      rejectionReason: "cancelled",
    });
    expect(await world.journal.cancel(transactionId)).toMatchObject({ ok: true });
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("is carried out when an earlier life has begun with it before it is cancelled", async () => {
    setFaults(world.instance, { step: killAt("drive:debited", { durable: true }) });
    await pass(11);
    await expect.poll(() => passedSteps(world.instance)).toContain("drive:debited");
    const late = await world.journal.cancel(world.idOf("t"));
    clearFaults(world.instance);
    expect(late).toMatchObject({ ok: false, error: { code: "GEN_CONFLICT" } });
    expect(await statusOf("t")).toBe("APPLIED");
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
  });

  it("is carried out when its time has come", async () => {
    await pass(11);
    expect(await statusOf("t")).toBe("APPLIED");
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
  });

  it("is carried out after a restart that it slept through", async () => {
    await world.journal.barrier();
    await abortAllDurableObjects();
    vi.setSystemTime(Date.now() + 11 * MINUTE_MS);
    await Promise.all(world.shards().map((shard) => shard.touch()));
    await world.ring();
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
  });

  it("is checked for funds only then", async () => {
    await world.post({ reference: "spent", from: "@card", to: "@kiosk", amount: 31n });
    await pass(11);
    expect(await statusOf("t")).toBe("REJECTED");
  });

  it("that was carried out is never shown as waiting again", async () => {
    // D1 takes nothing, so that what the shard knows is in its memory alone.
    setFaults(world.instance, {
      call: ({ method }) => ({ kind: method === "d1.batch" ? "lost" : "well" }),
    });
    await pass(11);
    expect(await statusOf("t")).toBe("APPLIED");
    await abortAllDurableObjects();
    expect(await statusOf("t")).toBe("APPLIED");
    clearFaults(world.instance);
  });
});

it.each([() => inMinutes(-10), () => BEFORE_1970])(
  "a transfer scheduled for a moment that is over is carried out at once (%#)",
  async (moment) => {
    await world.post({ ...transfer, skipQueue: false, scheduledFor: moment() });
    await expect.poll(() => statusOf("t"), { timeout: 20_000 }).toBe("APPLIED");
  },
);

describe("a hold with an expiry date", () => {
  it("is voided when the date has come, as far as it was not committed", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    await world.commit("h", 30n);
    await pass(9);
    expect(await world.amounts("@card")).toEqual([100n, 30n, 0n, 40n]);
    await pass(2);
    expect(await world.amounts("@card")).toEqual([100n, 30n, 0n, 0n]);
    expect(await world.commit("h", 1n)).toMatchObject({ error: { code: "TXN_ALREADY_VOIDED" } });
  });

  it("is voided after a restart, once, however often the alarm rings", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    await world.journal.barrier();
    await abortAllDurableObjects();
    await Promise.all(world.shards().map((shard) => shard.touch()));
    await Promise.all([pass(11), world.ring()]);
    await world.ring();
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("that was queued counts from when it holds money, and its timer still rings", async () => {
    await world.post({ ...hold, skipQueue: false, inflightExpiryDate: inMinutes(10) });
    await world.shardOf("h").applyMany({ ids: [world.idOf("h")] });
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
    await pass(11);
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });

  it.each([() => inMinutes(-1), () => BEFORE_1970])(
    "that is over is voided without anybody asking (%#)",
    async (moment) => {
      await world.post({ ...hold, inflightExpiryDate: moment() });
      await expect
        .poll(() => world.amounts("@card"), { timeout: 20_000 })
        .toEqual([100n, 0n, 0n, 0n]);
    },
  );

  it("of a row that has it stored before 1970 is voided as well", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    await world.journal.barrier();
    await runInDurableObject(world.shardOf("h"), (_shard, { storage }) => {
      storage.sql.exec("UPDATE transactions SET due_ms = -1000000 WHERE waits = 1");
    });
    await abortAllDurableObjects();
    vi.setSystemTime(Date.now() + 11 * MINUTE_MS);
    await world.shardOf("h").touch();
    await world.ring();
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("that is the zero time is not looked after, by rows of earlier versions either", async () => {
    const zeroTime = "0001-01-01T00:00:00Z";
    await world.post({ ...hold, inflightExpiryDate: zeroTime });
    await world.journal.barrier();
    await runInDurableObject(world.shardOf("h"), (_shard, { storage }) => {
      const timer =
        "UPDATE transactions SET waits = 1, work = 8, due_ms = ? WHERE transaction_id = ?";
      storage.sql.exec(timer, Date.parse(zeroTime), world.idOf("h"));
    });
    await abortAllDurableObjects();
    await world.shardOf("h").touch();
    await pass(1);
    const left = await runInDurableObject(world.shardOf("h"), (_shard, { storage }) =>
      storage.sql.exec("SELECT 1 FROM transactions WHERE work <> 0").toArray(),
    );
    expect(left).toEqual([]);
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
  });

  it("that is the zero time has none", async () => {
    await world.post({ ...hold, inflightExpiryDate: "0001-01-01T00:00:00Z" });
    await pass(1);
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
  });

  it("is voided once, although somebody has posted the reference of that void", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    const reference = settlementReference(world.idOf("h"), "own:timer:void");
    expect(await world.post({ ...transfer, reference, amount: 1n })).toMatchObject({ ok: true });
    await pass(11);
    expect((await world.read("h"))?.inflightRemaining).toBe(0n);
    await Promise.all([world.ring(), world.ring()]);
    expect(await world.amounts("@card")).toEqual([100n, 1n, 0n, 0n]);
  });

  it("and a commit at the same moment do not both win", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    vi.setSystemTime(Date.now() + 11 * MINUTE_MS);
    const [answer] = await Promise.all([world.commit("h"), world.ring()]);
    expect(await world.amounts("@card")).toEqual([100n, answer.ok ? 70n : 0n, 0n, 0n]);
  });

  it("goes on when something else is stuck", async () => {
    await world.post({ ...hold, inflightExpiryDate: inMinutes(10) });
    const stuck = world.balance("@stuck").id.name ?? "";
    setFaults(world.instance, { call: ({ name }) => ({ kind: name === stuck ? "lost" : "well" }) });
    await world.post({ ...transfer, to: "@stuck", amount: 1n, skipQueue: false });
    await pass(11);
    expect(await world.amounts("@card")).toEqual([100n, expect.any(BigInt), 0n, 0n]);
    clearFaults(world.instance);
    await expect.poll(() => world.amounts("@stuck"), { timeout: 20_000 }).toEqual([1n, 0n, 0n, 0n]);
  });
});

describe("a hold with a commit date", () => {
  it("is committed when the date has come", async () => {
    await world.post({ ...hold, inflightCommitDate: inMinutes(10) });
    await pass(11);
    expect(await world.amounts("@card")).toEqual([100n, 70n, 0n, 0n]);
  });

  it("that lies before 1970 is committed at once", async () => {
    await world.post({ ...hold, inflightCommitDate: BEFORE_1970 });
    await expect
      .poll(() => world.amounts("@card"), { timeout: 20_000 })
      .toEqual([100n, 70n, 0n, 0n]);
  });

  it("does what its first date says", async () => {
    await world.post({
      ...hold,
      inflightCommitDate: inMinutes(5),
      inflightExpiryDate: inMinutes(10),
    });
    await pass(6);
    await pass(6);
    expect(await world.amounts("@card")).toEqual([100n, 70n, 0n, 0n]);
  });
});

describe("what a shard left half done", () => {
  it("is ended by its next life, also when nobody asks", async () => {
    let calls = 0;
    setFaults(world.instance, {
      step: killAt("drive:debited", { durable: true }),
      call: ({ method }) => {
        if (method !== "journal.record") return WELL;
        calls += 1;
        return calls === 1 ? WELL : { kind: "lost" };
      },
    });
    await expect(world.post(transfer)).rejects.toThrow("lost");
    clearFaults(world.instance);
    await pass(1);
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
  });
});

describe("what the queue lost", () => {
  it("is applied by the alarm", async () => {
    setFaults(world.instance, {
      call: ({ method }) => ({ kind: method === "apply.sendBatch" ? "swallowed" : "well" }),
    });
    await world.post({ ...transfer, skipQueue: false });
    await world.journal.barrier();
    await world.ring();
    expect(await statusOf("t")).toBe("QUEUED");
    await pass(1);
    expect(await statusOf("t")).toBe("APPLIED");
    clearFaults(world.instance);
  });
});

describe("an alarm that was lost", () => {
  it("is set again when the shard is touched", async () => {
    setFaults(world.instance, {
      call: ({ method }) => ({ kind: method === "apply.sendBatch" ? "swallowed" : "well" }),
    });
    await world.post({ ...transfer, skipQueue: false });
    await world.journal.barrier();
    const alarm = (): Promise<number | null> =>
      runInDurableObject(world.shardOf("t"), (_shard, { storage }) => storage.getAlarm());
    await runInDurableObject(world.shardOf("t"), (_shard, { storage }) => storage.deleteAlarm());
    vi.setSystemTime(Date.now() + 3 * MINUTE_MS);
    expect(await alarm()).toBe(null);
    await world.shardOf("t").touch();
    expect(await alarm()).not.toBe(null);
    clearFaults(world.instance);
  });
});
