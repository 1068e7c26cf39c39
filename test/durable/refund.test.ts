import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId, partialRefundReference } from "../../src/domain/ids";
import type { Transaction } from "../../src/domain/transaction";
import type { Reply } from "../../src/durable/journal/protocol";
import { clearFaults, setFaults, WELL } from "../support/faults";
import { Moment } from "../support/moment";
import { named, World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@alice", 100n);
});

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n } as const;

const outcome = (reply: Reply<Transaction>): string =>
  reply.ok ? reply.value.status : reply.error.code;

const refund = (reference = "t", how?: Parameters<World["refund"]>[1]) =>
  world.refund(world.idOf(reference), how);

describe("a refund", () => {
  it("waits for what is posted under its reference and not decided: when that is refused, it was no refund", async () => {
    await world.post(transfer);
    const poor = indicatorBalanceId(world.instance, "@poor", "USD");
    const [arrived, answered] = [new Moment(), new Moment()];
    setFaults(world.instance, {
      call: ({ method, name }) => {
        if (method !== "balance.execute" || !name.endsWith(poor)) return WELL;
        arrived.comes();
        return { kind: "slow", until: () => answered.came() };
      },
    });
    const reference = `${world.idOf("t")}_refund`;
    const byHand = world.post({ reference, from: "@poor", to: "@shop", amount: 1n });
    await arrived.came();
    const given = refund();
    await world.read("t");
    answered.comes();
    expect(outcome(await byHand)).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(outcome(await given)).toBe("APPLIED");
    clearFaults(world.instance);
  });

  it("gives back what was moved, as a record of its own under the first", async () => {
    await world.post(transfer);
    const answer = await refund();
    expect(answer).toMatchObject({
      ok: true,
      value: {
        kind: "refund",
        status: "APPLIED",
        reference: `${world.idOf("t")}_refund`,
        parentTransaction: world.idOf("t"),
        preciseAmount: 60n,
      },
    });
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([60n, 60n, 0n, 0n]);
    expect((await world.read("t"))?.status).toBe("APPLIED");
  });

  it("of a part is made once under a key, although somebody has posted its reference", async () => {
    await world.post(transfer);
    const reference = partialRefundReference(world.idOf("t"), "client:k");
    await world.post({ reference, from: "@world", to: "@kiosk", amount: 1n });
    const part = () => refund("t", { amount: 20n, operation: named("k") });
    const first = await part();
    expect(first).toMatchObject({ ok: true, value: { kind: "refund", preciseAmount: 20n } });
    expect(await part()).toEqual({ ...first, replayed: true });
    expect(await world.amounts("@bob")).toEqual([60n, 20n, 0n, 0n]);
  });

  it("happens once, however many ask", async () => {
    await world.post(transfer);
    const answers = await Promise.all([refund(), refund(), refund("t", { skipQueue: false })]);
    expect(answers.map(outcome).filter((each) => each === "GEN_CONFLICT")).toHaveLength(2);
    await world.shardOf("t").applyMany({ ids: [world.idOf(`${world.idOf("t")}_refund`)] });
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
    await abortAllDurableObjects();
    expect(outcome(await refund())).toBe("GEN_CONFLICT");
  });

  it("is never refused for funds: the receiver may have spent the money", async () => {
    await world.post(transfer);
    await world.post({ reference: "spent", from: "@bob", to: "@carl", amount: 60n });
    expect(outcome(await refund())).toBe("APPLIED");
    expect(await world.amounts("@bob")).toEqual([60n, 120n, 0n, 0n]);
  });

  it("of a queued transfer waits until that was carried out", async () => {
    await world.post({ ...transfer, skipQueue: false });
    expect(outcome(await refund())).toBe("APPLIED");
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
  });

  it("by the queue is QUEUED, and then APPLIED", async () => {
    await world.post(transfer);
    expect(outcome(await refund("t", { skipQueue: false }))).toBe("QUEUED");
    await expect
      .poll(() => world.amounts("@alice"), { timeout: 20_000 })
      .toEqual([160n, 60n, 0n, 0n]);
  });

  it("of a refund moves the money there again", async () => {
    await world.post(transfer);
    const first = await refund();
    const again = first.ok ? await world.refund(first.value.transactionId) : first;
    expect(outcome(again)).toBe("APPLIED");
    expect(await world.amounts("@alice")).toEqual([160n, 120n, 0n, 0n]);
  });

  it("of parts gives back no more than was moved", async () => {
    await world.post(transfer);
    const answers = await Promise.all([
      refund("t", { amount: 40n }),
      refund("t", { amount: 40n }),
      refund("t", { amount: 20n }),
    ]);
    expect(answers.map(outcome).filter((each) => each === "APPLIED")).toHaveLength(2);
    expect(outcome(await refund())).toBe("GEN_CONFLICT");
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
  });
});

describe("a refund of a hold", () => {
  beforeEach(async () => {
    await world.post({ ...transfer, inflight: true });
  });

  it("gives back its commits, each once", async () => {
    await world.commit("t", 20n);
    await world.commit("t", 30n);
    expect(outcome(await refund())).toBe("APPLIED");
    expect(await world.amounts("@alice")).toEqual([150n, 50n, 0n, 10n]);
    expect(outcome(await refund())).toBe("GEN_CONFLICT");
    await world.commit("t", 10n);
    expect(outcome(await refund())).toBe("APPLIED");
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
  });

  it("that is open or was voided finds nothing to give back", async () => {
    expect(outcome(await refund())).toBe("TXN_NOT_FOUND");
    const voided = await world.void("t");
    expect(outcome(await refund())).toBe("TXN_NOT_FOUND");
    if (voided.ok) {
      expect(outcome(await world.refund(voided.value.transaction.transactionId))).toBe(
        "TXN_NOT_FOUND",
      );
    }
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });

  it("and of one of its commits, at once, gives that commit back once", async () => {
    const committed = await world.commit("t", 20n);
    const commitId = committed.ok ? committed.value.transaction.transactionId : world.idOf("none");
    await Promise.all([refund(), world.refund(commitId), refund()]);
    expect(await world.amounts("@alice")).toEqual([120n, 20n, 0n, 40n]);
  });
});

describe("nothing is refunded", () => {
  it.each`
    what                      | change
    ${"an unknown id"}        | ${null}
    ${"a rejected transfer"}  | ${{ amount: 101n, skipQueue: false }}
    ${"a scheduled transfer"} | ${{ skipQueue: false, scheduledFor: "2131-01-01T00:00:00Z" }}
  `("of $what", async ({ change }) => {
    if (change !== null) await world.post({ ...transfer, ...change });
    expect(outcome(await refund())).toBe("TXN_NOT_FOUND");
    expect(await world.amounts("@bob")).toEqual([0n, 0n, 0n, 0n]);
  });

  it("when its reference was posted by hand: that was the refund", async () => {
    await world.post(transfer);
    const byHand = {
      reference: `${world.idOf("t")}_refund`,
      from: "@bob",
      to: "@alice",
      amount: 60n,
    };
    expect(outcome(await world.post(byHand))).toBe("APPLIED");
    expect(outcome(await refund())).toBe("GEN_CONFLICT");
    expect(await world.amounts("@alice")).toEqual([160n, 60n, 0n, 0n]);
  });
});
