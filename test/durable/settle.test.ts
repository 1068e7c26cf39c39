import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { settlementReference } from "../../src/domain/ids";
import { JournalObject } from "../../src/durable/journal/object";
import type { Reply, SettleValue } from "../../src/durable/journal/protocol";
import { anonymous, postingFor } from "../support/postings";
import { named, World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 100n);
});

const authorisation = {
  reference: "h",
  from: "@card",
  to: "@shop",
  amount: 70n,
  inflight: true,
} as const;

const outcome = (reply: Reply<SettleValue>): string =>
  reply.ok ? reply.value.transaction.status : reply.error.code;

const remaining = async (): Promise<bigint | null | undefined> =>
  (await world.read("h"))?.inflightRemaining;

const apply = (reference: string) =>
  world.shardOf(reference).applyMany({ ids: [world.idOf(reference)] });

describe("a hold", () => {
  beforeEach(async () => {
    const answer = await world.post(authorisation);
    expect(answer).toMatchObject({
      ok: true,
      value: { status: "INFLIGHT", inflightRemaining: 70n },
    });
  });

  it("keeps money from everybody else, and gives it to nobody yet", async () => {
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
    expect(await world.amounts("@shop")).toEqual([0n, 0n, 70n, 0n]);
    const spent = { reference: "s", from: "@card", to: "@kiosk", amount: 31n };
    expect(await world.post(spent)).toMatchObject({ error: { code: "TXN_INSUFFICIENT_FUNDS" } });
  });

  it("is committed in full", async () => {
    const answer = await world.commit("h");
    expect(answer).toMatchObject({
      ok: true,
      value: {
        queued: false,
        transaction: {
          kind: "commit",
          status: "APPLIED",
          preciseAmount: 70n,
          parentTransaction: world.idOf("h"),
        },
      },
    });
    expect(await world.amounts("@card")).toEqual([100n, 70n, 0n, 0n]);
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
    expect(await world.read("h")).toMatchObject({ status: "INFLIGHT", inflightRemaining: 0n });
  });

  it("is committed in parts, and the rest is voided", async () => {
    await world.commit("h", 20n);
    await world.commit("h", 30n);
    expect(await remaining()).toBe(20n);
    const rest = await world.void("h");
    expect(rest).toMatchObject({ value: { transaction: { status: "VOID", preciseAmount: 20n } } });
    expect(await world.amounts("@card")).toEqual([100n, 50n, 0n, 0n]);
    expect(await world.amounts("@shop")).toEqual([50n, 0n, 0n, 0n]);
  });

  it("is never settled beyond what remains", async () => {
    await world.commit("h", 50n);
    expect(outcome(await world.commit("h", 21n))).toBe("TXN_COMMIT_AMOUNT_EXCEEDED");
    expect(outcome(await world.commit("h", 71n))).toBe("TXN_COMMIT_AMOUNT_EXCEEDED");
    expect(outcome(await world.commit("h", 20n))).toBe("APPLIED");
    expect(outcome(await world.commit("h"))).toBe("TXN_ALREADY_COMMITTED");
    expect(outcome(await world.void("h"))).toBe("TXN_ALREADY_COMMITTED");
  });

  it("that was voided is settled no more", async () => {
    await world.void("h");
    expect(outcome(await world.commit("h"))).toBe("TXN_ALREADY_VOIDED");
    expect(outcome(await world.void("h"))).toBe("TXN_ALREADY_VOIDED");
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("of which many parts are committed at once gives no more than it holds", async () => {
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => world.commit("h", 20n)),
      world.void("h"),
      world.commit("h"),
    ]);
    const card = await world.amounts("@card");
    const committed = answers.reduce(
      (sum, answer) =>
        answer.ok && answer.value.transaction.status === "APPLIED"
          ? sum + answer.value.transaction.preciseAmount
          : sum,
      0n,
    );
    expect(committed).toBeLessThanOrEqual(70n);
    expect(card).toEqual([100n, committed, 0n, 0n]);
    expect(await remaining()).toBe(0n);
  });

  it("is committed once under a key, although somebody has posted the reference of that commit", async () => {
    const reference = settlementReference(world.idOf("h"), "client:k");
    await world.post({ reference, from: "@world", to: "@kiosk", amount: 1n });
    const commit = () => world.commit("h", 20n, { operation: named("k") });
    const first = await commit();
    expect(first).toMatchObject({ ok: true, value: { transaction: { kind: "commit" } } });
    await abortAllDurableObjects();
    expect(await commit()).toEqual({ ...first, replayed: true });
    expect(await remaining()).toBe(50n);
  });

  it("keeps what was decided across a restart", async () => {
    await world.commit("h", 20n);
    await abortAllDurableObjects();
    expect(await remaining()).toBe(50n);
    expect(outcome(await world.commit("h", 51n))).toBe("TXN_COMMIT_AMOUNT_EXCEEDED");
    await abortAllDurableObjects();
    expect(outcome(await world.void("h"))).toBe("VOID");
  });
});

describe("settling by the queue", () => {
  const queued = { skipQueue: false } as const;

  it("answers the hold as it stands, and one at a time is on its way", async () => {
    await world.post(authorisation);
    const answer = await world.commit("h", 20n, queued);
    expect(answer).toMatchObject({
      ok: true,
      value: { queued: true, transaction: { status: "INFLIGHT", inflightRemaining: 50n } },
    });
    expect(outcome(await world.void("h", queued))).toBe("GEN_CONFLICT");
    await expect
      .poll(() => world.amounts("@card"), { timeout: 20_000 })
      .toEqual([100n, 20n, 0n, 50n]);
    expect(outcome(await world.void("h", queued))).toBe("INFLIGHT");
  });

  it("of a hold that is still queued waits for it and never settles it early", async () => {
    await world.post({ ...authorisation, ...queued });
    const answer = await world.commit("h", null, queued);
    expect(answer).toMatchObject({
      ok: true,
      value: { queued: true, transaction: { status: "QUEUED" } },
    });
    await apply("h");
    await expect
      .poll(() => world.amounts("@card"), { timeout: 20_000 })
      .toEqual([100n, 70n, 0n, 0n]);
  });

  it("of a queued hold that is rejected falls with it", async () => {
    await world.post({ ...authorisation, ...queued, amount: 101n });
    await world.commit("h", null, queued);
    await apply("h");
    expect((await world.read("h"))?.status).toBe("REJECTED");
    await abortAllDurableObjects();
    await world.ring();
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
    expect(await world.amounts("@shop")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("of a queued hold, asked for at once, drives the hold first", async () => {
    await world.post({ ...authorisation, ...queued });
    expect(outcome(await world.commit("h"))).toBe("APPLIED");
    expect(await world.amounts("@card")).toEqual([100n, 70n, 0n, 0n]);
  });
});

describe("what holds no money is not settled:", () => {
  it.each`
    what                    | change                                                        | skipQueue | code
    ${"nothing of that id"} | ${null}                                                       | ${true}   | ${"TXN_NOT_INFLIGHT"}
    ${"nothing of that id"} | ${null}                                                       | ${false}  | ${"TXN_NOT_FOUND"}
    ${"a transfer"}         | ${{ inflight: false }}                                        | ${true}   | ${"TXN_NOT_INFLIGHT"}
    ${"a transfer"}         | ${{ inflight: false }}                                        | ${false}  | ${"TXN_NOT_INFLIGHT"}
    ${"a rejected hold"}    | ${{ amount: 101n, skipQueue: false }}                         | ${true}   | ${"TXN_NOT_INFLIGHT"}
    ${"a scheduled hold"}   | ${{ skipQueue: false, scheduledFor: "2131-01-01T00:00:00Z" }} | ${true}   | ${"TXN_NOT_INFLIGHT"}
    ${"a scheduled hold"}   | ${{ skipQueue: false, scheduledFor: "2131-01-01T00:00:00Z" }} | ${false}  | ${"TXN_NOT_INFLIGHT"}
  `("$what (skip_queue $skipQueue): $code", async ({ change, skipQueue, code }) => {
    if (change !== null) await world.post({ ...authorisation, ...change });
    const before = (await world.read("h"))?.status;
    expect(outcome(await world.commit("h", null, { skipQueue }))).toBe(code);
    expect(outcome(await world.void("h", { skipQueue }))).toBe(code);
    // Neither was it carried out before its time by being asked.
    if (before === "SCHEDULED") expect((await world.read("h"))?.status).toBe("SCHEDULED");
  });

  it("a scheduled hold after a restart either", async () => {
    await world.post({
      ...authorisation,
      skipQueue: false,
      scheduledFor: "2131-01-01T00:00:00Z",
    });
    await abortAllDurableObjects();
    expect(outcome(await world.commit("h", null, { skipQueue: false }))).toBe("TXN_NOT_INFLIGHT");
    expect((await world.read("h"))?.status).toBe("SCHEDULED");
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
  });
});

it("that is refused and takes its reference anew is waited for again by a commit", async () => {
  const transfer = { ...authorisation, amount: 500n };
  const record = (skipQueue: boolean) => ({
    posting: postingFor(world.instance, { ...transfer, skipQueue }),
    operation: anonymous(),
  });
  // All in one turn: the second takes the reference as soon as the first has freed it, before the commit goes on.
  const [first, second, commit] = await runInDurableObject(world.shardOf("h"), (shard) => {
    if (!(shard instanceof JournalObject)) throw new Error("a shard of the journal");
    return Promise.all([
      shard.record(record(true)),
      shard.record(record(false)),
      shard.settle({
        transactionId: world.idOf("h"),
        action: "commit",
        amount: null,
        skipQueue: true,
        operation: anonymous(),
      }),
    ]);
  });
  expect(first).toMatchObject({ ok: false, error: { code: "TXN_INSUFFICIENT_FUNDS" } });
  expect(second).toMatchObject({ ok: true, value: { status: "QUEUED" } });
  expect(outcome(commit)).toBe("TXN_NOT_INFLIGHT");
  expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 0n]);
});
