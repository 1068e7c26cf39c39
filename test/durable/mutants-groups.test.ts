import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BatchValue } from "../../src/domain/batch";
import { indicatorBalanceId, type TransactionId } from "../../src/domain/ids";
import { MANY, type Split, splitOf } from "../../src/domain/split";
import type { Reply } from "../../src/durable/journal/protocol";
import {
  type CallFault,
  clearFaults,
  killAt,
  passedSteps,
  setFaults,
  WELL,
} from "../support/faults";
import { anonymous, postingFor, sideOf, type Transfer } from "../support/postings";
import { World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@bob", 1n);
});
afterEach(() => clearFaults(world.instance));

/** 60 minor units from @alice, half to @bob and half to @carol. */
function split(): Split {
  const posting = postingFor(world.instance, {
    reference: "s",
    from: "@alice",
    to: "@bob",
    amount: 60n,
  });
  const shares = ["@bob", "@carol"].map((identifier) => ({
    identifier,
    distribution: "50%",
    preciseDistribution: "",
    of: sideOf(world.instance, identifier, "USD"),
  }));
  const made = splitOf(world.instance, { ...posting, destination: MANY }, "destinations", shares);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

const postSplit = () => world.journal.record({ ...split(), operation: anonymous() });

/** Sends transfers as one batch, all of them or none. */
function postBatch(
  transfers: readonly Transfer[],
  { inflight = false, runAsync = false } = {},
): Promise<Reply<BatchValue>> {
  const batchId = `bulk_${crypto.randomUUID()}` as const;
  const items = transfers.map((transfer) => ({
    ...postingFor(world.instance, { ...transfer, inflight }),
    parentTransaction: batchId,
  }));
  const options = { atomic: true, inflight, skipQueue: true, runAsync };
  return world.journal.recordBatch({ batchId, options, items, operation: anonymous() });
}

const codeOf = (reply: Reply<{ readonly status?: string }>): string | undefined =>
  reply.ok ? reply.value.status : reply.error.code;

const spendOfAlice = (amount: bigint, reference = "spent") =>
  world.post({ reference, from: "@alice", to: "@shop", amount });

const items = [
  { reference: "i", from: "@world", to: "@alice", amount: 60n },
  { reference: "j", from: "@alice", to: "@bob", amount: 60n },
] as const;

describe("what moves together (laws 2 to 5)", () => {
  it("a split takes the references of its legs: nobody else moves money under them", async () => {
    await world.fund("@alice", 100n);
    const { legs } = split();
    expect((await postSplit()).ok).toBe(true);
    const again = await spendOfAlice(1n, "s-1");
    expect(again).toMatchObject({
      error: {
        code: "TXN_DUPLICATE_REFERENCE",
        details: { transaction_id: legs[0]?.transactionId satisfies TransactionId | undefined },
      },
    });
    expect(await world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
  });

  it("a split that is refused moves nothing, and frees its references", async () => {
    await world.fund("@alice", 59n);
    expect(codeOf(await postSplit())).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(await world.amounts("@alice")).toEqual([59n, 0n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([1n, 0n, 0n, 0n]);
    expect(codeOf(await spendOfAlice(59n, "s-1"))).toBe("APPLIED");
  });

  it("a batch that is refused keeps nothing back", async () => {
    await world.fund("@alice", 100n);
    const [, last] = items;
    const poor = { reference: "p", from: "@poor", to: "@bob", amount: 1n };
    expect(codeOf(await postBatch([last, poor]))).toBe("failed");
    expect(codeOf(await spendOfAlice(100n))).toBe("APPLIED");
  });

  it("what a split has reserved is nobody else's, before it is decided", async () => {
    await world.fund("@alice", 100n);
    const gate = Promise.withResolvers<void>();
    setFaults(world.instance, {
      step: (step) => (step === "group:reserved" ? gate.promise : undefined),
    });
    const answer = postSplit();
    await expect.poll(() => passedSteps(world.instance)).toContain("group:reserved");
    expect(codeOf(await spendOfAlice(41n))).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(codeOf(await spendOfAlice(40n))).toBe("APPLIED");
    gate.resolve();
    expect((await answer).ok).toBe(true);
    expect(await world.amounts("@alice")).toEqual([100n, 100n, 0n, 0n]);
  });

  it("what two batches reserve, they reserve from what is left", async () => {
    await world.fund("@alice", 100n);
    const pay = (reference: string) =>
      postBatch([{ reference, from: "@alice", to: "@bob", amount: 60n }]);
    const gate = Promise.withResolvers<void>();
    const at: string[] = [];
    setFaults(world.instance, {
      step: (step) => {
        if (step !== "group:reserved") return undefined;
        at.push(step);
        if (at.length === 2) gate.resolve();
        return gate.promise;
      },
    });
    const answers = await Promise.all([pay("one"), pay("two")]);
    expect(answers.map(codeOf).sort()).toEqual(["applied", "failed"]);
    expect(await world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
  });

  it("a batch counts money that comes in it, but none that is only held for somebody", async () => {
    expect(codeOf(await postBatch(items, { inflight: true }))).toBe("failed");
    expect(await world.amounts("@alice")).toEqual([0n, 0n, 0n, 0n]);
    expect(codeOf(await postBatch(items))).toBe("applied");
    expect(await world.amounts("@bob")).toEqual([61n, 0n, 0n, 0n]);
  });
});

describe("a batch in the background", () => {
  it("is carried out by its shard when the queue has lost its job", async () => {
    setFaults(world.instance, {
      call: ({ method }) => ({ kind: method === "jobs.send" ? "swallowed" : "well" }),
    });
    expect(codeOf(await postBatch(items, { runAsync: true }))).toBe("processing");
    await expect
      .poll(
        async () => {
          await world.ring();
          return world.amounts("@bob");
        },
        { timeout: 10_000 },
      )
      .toEqual([61n, 0n, 0n, 0n]);
  });
});

describe("a decision against a group holds, whatever crashes", () => {
  it("of a split: a shard that dies while it gives back tells the reason that it decided on", async () => {
    setFaults(world.instance, { step: killAt("group:released", { durable: true }) });
    expect(codeOf(await postSplit())).toBe("TXN_INSUFFICIENT_FUNDS");
  });

  it("of a batch: a shard that dies while it gives back tells the reason that it decided on", async () => {
    setFaults(world.instance, { step: killAt("group:released", { durable: true }) });
    const [, last] = items;
    const answer = await postBatch([last]);
    expect(answer).toMatchObject({
      value: { status: "failed", failure: { error: { code: "TXN_INSUFFICIENT_FUNDS" } } },
    });
  });

  it("a reservation that comes after it keeps nothing back", async () => {
    const gate = Promise.withResolvers<void>();
    setFaults(world.instance, { call: firstOfAlice(gate.promise) });
    expect(codeOf(await postSplit())).toBe("TXN_INSUFFICIENT_FUNDS");
    await world.fund("@alice", 100n);
    const carriedOut = () =>
      passedSteps(world.instance).filter((step) => step === "execute:committed").length;
    const before = carriedOut();
    gate.resolve();
    await expect.poll(carriedOut).toBe(before + 1);
    expect(codeOf(await spendOfAlice(100n))).toBe("APPLIED");
  });
});

/** The first call to @alice is given up by its sender and arrives when `arrives` resolves. */
function firstOfAlice(arrives: Promise<void>): CallFault {
  const alice = indicatorBalanceId(world.instance, "@alice", "USD");
  let isFirst = true;
  return ({ method, name }) => {
    if (method !== "balance.execute" || !name.endsWith(alice) || !isFirst) return WELL;
    isFirst = false;
    return { kind: "late", until: () => arrives };
  };
}
