import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Transaction } from "../../src/domain/transaction";
import { Answers } from "../../src/durable/journal/answers";
import { JournalObject } from "../../src/durable/journal/object";
import type { OperationKey, Reply, SettleValue } from "../../src/durable/journal/protocol";
import { toTransactionBody } from "../../src/schemas/transaction";
import { clearFaults, fateOf, killAt, setFaults } from "../support/faults";
import { named, World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 100n);
});

const transfer = { reference: "t", from: "@card", to: "@shop", amount: 60n } as const;

type Told = Reply<Transaction> | Reply<SettleValue>;

/** What a client is told, without whether it was told before. */
function told(reply: Told): unknown {
  if (!reply.ok) return reply.error;
  const { value } = reply;
  return "transaction" in value
    ? { ...toTransactionBody(value.transaction, "answer"), queued: value.queued }
    : toTransactionBody(value, "answer");
}

/** Sends one request many times: at once, after everything else, after a restart. All answers must be the first. */
async function expectOneAnswer<T extends Told>(
  send: () => Promise<T>,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<T> {
  const together = await Promise.all([send(), send(), send()]);
  const firsts = together.filter(({ replayed }) => !replayed);
  expect(firsts).toHaveLength(1);
  const [first] = firsts;
  if (first === undefined) throw new Error("somebody was answered first");
  await meanwhile();
  const later = await send();
  await abortAllDurableObjects();
  const afterwards = await send();
  for (const answer of [...together, later, afterwards]) expect(told(answer)).toEqual(told(first));
  expect([later.replayed, afterwards.replayed]).toEqual([true, true]);
  return first;
}

describe("one key and one body", () => {
  it("of a synchronous transfer", async () => {
    const first = await expectOneAnswer(
      () => world.post(transfer, named("k")),
      () => world.journal.mergeMetaData(world.idOf("t"), '{"a":1}'),
    );
    expect(first.ok && first.value.status).toBe("APPLIED");
    expect(await world.amounts("@shop")).toEqual([60n, 0n, 0n, 0n]);
  });

  it("of a queued transfer, which was QUEUED then", async () => {
    const first = await expectOneAnswer(
      () => world.post({ ...transfer, skipQueue: false }, named("k")),
      () => world.shardOf("t").applyMany({ ids: [world.idOf("t")] }),
    );
    expect(first.ok && first.value.status).toBe("QUEUED");
    expect((await world.read("t"))?.status).toBe("APPLIED");
  });

  it("of a queued transfer that was rejected since", async () => {
    const first = await expectOneAnswer(
      () => world.post({ ...transfer, amount: 101n, skipQueue: false }, named("k")),
      () => world.shardOf("t").applyMany({ ids: [world.idOf("t")] }),
    );
    expect(first.ok && first.value.status).toBe("QUEUED");
    expect((await world.read("t"))?.status).toBe("REJECTED");
  });

  it("of a transfer that was refused, although it would be taken now", async () => {
    const first = await expectOneAnswer(
      () => world.post({ ...transfer, amount: 101n }, named("k")),
      () => world.fund("@card", 100n),
    );
    expect(first).toMatchObject({ error: { code: "TXN_INSUFFICIENT_FUNDS" } });
    expect(await world.amounts("@shop")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("of a transfer whose reference was used before", async () => {
    await world.post({ ...transfer, amount: 1n });
    const first = await expectOneAnswer(() => world.post(transfer, named("k")));
    expect(first).toMatchObject({ error: { code: "TXN_DUPLICATE_REFERENCE" } });
  });

  it("of a hold that was settled since", async () => {
    const first = await expectOneAnswer(
      () => world.post({ ...transfer, inflight: true }, named("k")),
      () => world.commit("t", 10n),
    );
    expect(first.ok && first.value.inflightRemaining).toBe(60n);
  });

  it("of a commit of a part", async () => {
    await world.post({ ...transfer, inflight: true });
    const first = await expectOneAnswer(
      () => world.commit("t", 10n, { operation: named("k") }),
      () => world.void("t"),
    );
    expect(first.ok && first.value.transaction.preciseAmount).toBe(10n);
    expect(await world.amounts("@card")).toEqual([100n, 10n, 0n, 0n]);
  });

  it("of a commit of a hold that is still queued, sent at once", async () => {
    await world.post({ ...transfer, inflight: true, skipQueue: false });
    const first = await expectOneAnswer(() => world.commit("t", null, { operation: named("k") }));
    expect(first.ok && first.value.transaction.preciseAmount).toBe(60n);
    expect(await world.amounts("@card")).toEqual([100n, 60n, 0n, 0n]);
  });

  it("of a commit that was refused, although it would be taken now", async () => {
    const first = await expectOneAnswer(
      () => world.commit("t", 10n, { operation: named("k") }),
      () => world.post({ ...transfer, inflight: true }),
    );
    expect(first).toMatchObject({ error: { code: "TXN_NOT_INFLIGHT" } });
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 60n]);
  });

  it.each([true, false])("of a commit by the queue of a hold (queued: %s)", async (waiting) => {
    await world.post({ ...transfer, inflight: true, skipQueue: !waiting });
    const asked = { skipQueue: false, operation: named("k") };
    const first = await expectOneAnswer(
      () => world.commit("t", 10n, asked),
      async () => {
        await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
        await world.commit("t", 20n);
      },
    );
    expect(first.ok && first.value).toMatchObject({
      queued: true,
      transaction: { status: waiting ? "QUEUED" : "INFLIGHT" },
    });
    await world.ring();
    expect(await world.amounts("@card")).toEqual([100n, 30n, 0n, 30n]);
  });

  it("of a void", async () => {
    await world.post({ ...transfer, inflight: true });
    const first = await expectOneAnswer(() => world.void("t", { operation: named("k") }));
    expect(first.ok && first.value.transaction.status).toBe("VOID");
  });

  it.each([true, false])("of a refund (skip_queue %s)", async (skipQueue) => {
    await world.post(transfer);
    const first = await expectOneAnswer(() =>
      world.refund(world.idOf("t"), { operation: named("k"), skipQueue }),
    );
    expect(first.ok && first.value.status).toBe(skipQueue ? "APPLIED" : "QUEUED");
    await world.shardOf("t").applyMany({ ids: [world.idOf(`${world.idOf("t")}_refund`)] });
    expect(await world.amounts("@card")).toEqual([160n, 60n, 0n, 0n]);
  });

  it("of a refund that is refused, while another takes what was left", async () => {
    await world.post(transfer);
    const refund = (value: bigint, operation: OperationKey) => ({
      transactionId: world.idOf("t"),
      skipQueue: true,
      description: "",
      metaData: null,
      amount: { unit: "minor", value } as const,
      operation,
    });
    // All in one turn: before the first is answered, its reason is no longer the one that another call would find.
    const [first, other, again] = await runInDurableObject(world.shardOf("t"), (shard) => {
      if (!(shard instanceof JournalObject)) throw new Error("a shard of the journal");
      return Promise.all([
        shard.refund(refund(70n, named("k"))),
        shard.refund(refund(60n, named("other"))),
        shard.refund(refund(70n, named("k"))),
      ]);
    });
    expect(other.ok && other.value.status).toBe("APPLIED");
    expect(first).toMatchObject({ ok: false, error: { code: "GEN_BAD_REQUEST" } });
    expect(again).toEqual({ ...first, replayed: true });
  });
});

it("answers that nobody will end, since their callers are gone, are given up after a while", async () => {
  world = new World("gone", 1);
  const given = vi.spyOn(Answers.prototype, "drop");
  vi.useFakeTimers({ toFake: ["Date"] });
  const begin = (key: string) => world.journal.beginAnswer(named(key));
  const gone = Array.from({ length: 10 }, (_none, n) => `gone ${n}`);
  for (const key of gone) expect(await begin(key)).toMatchObject({ kind: "begun" });
  vi.setSystemTime(Date.now() + 599_000);
  await begin("soon");
  expect(given).not.toHaveBeenCalled();
  vi.setSystemTime(Date.now() + 2_000);
  await begin("later");
  vi.useRealTimers();
  expect(given).toHaveBeenCalledTimes(gone.length);
  given.mockRestore();
});

describe("one key and another body", () => {
  const mismatch = { ok: false, error: { code: "GEN_IDEMPOTENCY_MISMATCH" } };

  it.each([
    ["a transfer", (key: string) => world.post({ ...transfer, reference: "u" }, named(key, "b"))],
    ["a transfer of the same reference", (key: string) => world.post(transfer, named(key, "b"))],
    ["a commit", (key: string) => world.commit("h", 1n, { operation: named(key, "b") })],
    ["a void", (key: string) => world.void("h", { operation: named(key, "b") })],
    ["a refund", (key: string) => world.refund(world.idOf("t"), { operation: named(key, "b") })],
  ] as [string, (key: string) => Promise<Reply<unknown>>][])(
    "is refused for %s and changes nothing",
    async (_what, send) => {
      await world.post({ ...transfer, reference: "h", amount: 5n, inflight: true });
      await world.post(transfer, named("k", "a"));
      const before = [await world.amounts("@card"), await world.amounts("@shop")];
      expect(await send("k")).toMatchObject(mismatch);
      await abortAllDurableObjects();
      expect(await send("k")).toMatchObject(mismatch);
      expect([await world.amounts("@card"), await world.amounts("@shop")]).toEqual(before);
    },
  );

  it("sent at once: one of them is the key's", async () => {
    const answers = await Promise.all(
      ["a", "b", "c"].map((body, n) =>
        world.post({ ...transfer, reference: `r${n}`, amount: 10n }, named("k", body)),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await world.amounts("@shop")).toEqual([10n, 0n, 0n, 0n]);
  });
});

describe("a request that is cut off and sent again under its key", () => {
  const faults = [
    ["its reply was lost", { call: fateOf("journal.record", { kind: "reply-lost" }) }],
    ["it was lost", { call: fateOf("journal.record", { kind: "lost" }) }],
    ["it arrived twice", { call: fateOf("journal.record", { kind: "twice" }) }],
    ["the shard died before", { step: killAt("request:arrived", { durable: true }) }],
    ["the shard died", { step: killAt("record:inserted", { durable: true }) }],
    ["the shard died and forgot", { step: killAt("record:inserted", { durable: false }) }],
    ["the shard died in between", { step: killAt("drive:debited", { durable: true }) }],
    ["a balance died", { step: killAt("execute:committed", { durable: true }) }],
  ] as const;

  it.each(faults)("moves its money once: %s", async (_what, fault) => {
    setFaults(world.instance, fault);
    const first = await world.post(transfer, named("k"));
    clearFaults(world.instance);
    const again = await world.post(transfer, named("k"));
    expect(first.ok && first.value.status).toBe("APPLIED");
    expect(told(again)).toEqual(told(first));
    expect(await world.amounts("@shop")).toEqual([60n, 0n, 0n, 0n]);
  });

  it.each(faults)("is refused once and for all: %s", async (_what, fault) => {
    setFaults(world.instance, fault);
    const first: Reply<Transaction> = await world.post({ ...transfer, amount: 101n }, named("k"));
    clearFaults(world.instance);
    await world.fund("@card", 100n);
    const again = await world.post({ ...transfer, amount: 101n }, named("k"));
    expect(first.ok || first.error.code).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(told(again)).toEqual(told(first));
    expect(await world.amounts("@shop")).toEqual([0n, 0n, 0n, 0n]);
  });
});
