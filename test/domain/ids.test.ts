import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  indicatorBalanceId,
  isBalanceId,
  isTransactionId,
  legIdOf,
  partialRefundReference,
  refundReference,
  settlementReference,
  shardByte,
  shardOf,
  shardOfKey,
  transactionIdOf,
} from "../../src/domain/ids";

const text = fc.string({ unit: "binary", maxLength: 20 });
const SHARDS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

describe("the id of a transaction", () => {
  it("is the same for the same reference, and has the form of an id", () => {
    fc.assert(
      fc.property(text, text, (instance, reference) => {
        const id = transactionIdOf(instance, reference);
        expect(id).toBe(transactionIdOf(instance, reference));
        expect(isTransactionId(id)).toBe(true);
      }),
    );
  });

  it("is another for another pair of instance and reference, wherever one ends and the other begins", () => {
    fc.assert(
      fc.property(text, text, text, text, (instance, reference, otherInstance, otherReference) => {
        const same = instance === otherInstance && reference === otherReference;
        const equal =
          transactionIdOf(instance, reference) === transactionIdOf(otherInstance, otherReference);
        expect(equal).toBe(same);
      }),
    );
  });

  it.each([
    ["a", "bc", "ab", "c"],
    ["a", '","b', 'a","', "b"],
    ["", "a", "a", ""],
    ["a", "\ud800", "a", "\ufffd"],
  ])("of %j and %j is not that of %j and %j", (instance, reference, other, rest) => {
    expect(transactionIdOf(instance, reference)).not.toBe(transactionIdOf(other, rest));
  });

  it("leads to one shard, however many there are", () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...SHARDS), (reference, shards) => {
        const id = transactionIdOf("i", reference);
        const shard = shardOf(id, shards);
        expect(shard).toBe(shardByte(id) % shards);
        // Twice as many shards: what is in shard s goes to s or to s + N.
        if (shards < 256) expect([shard, shard + shards]).toContain(shardOf(id, shards * 2));
      }),
    );
  });

  it("spreads references over the shards", () => {
    const ids = Array.from({ length: 4_000 }, (_none, n) => transactionIdOf("i", `order-${n}`));
    const byShard = Map.groupBy(ids, (id) => shardOf(id, 16));
    expect(byShard.size).toBe(16);
    for (const inShard of byShard.values()) expect(inShard.length).toBeGreaterThan(150);
  });
});

describe("what follows from a transaction lies in its shard", () => {
  const parents = text.map((reference) => transactionIdOf("i", reference));

  it.each([
    ["a refund", (id) => refundReference(id)],
    ["a refund of a part", (id) => partialRefundReference(id, "k")],
    ["a settlement", (id) => settlementReference(id, "k")],
    ["whatever is posted under its id", (id) => `${id}_commit_act_1`],
  ] satisfies [string, (id: ReturnType<typeof transactionIdOf>) => string][])(
    "%s",
    (_name, referenceOf) => {
      fc.assert(
        fc.property(parents, (parent) => {
          const child = transactionIdOf("i", referenceOf(parent));
          expect(shardByte(child)).toBe(shardByte(parent));
          expect(child).not.toBe(parent);
        }),
      );
    },
  );

  it("a leg of a split, and it is no posted reference's id", () => {
    fc.assert(
      fc.property(parents, text, (parent, reference) => {
        const leg = legIdOf("i", parent, reference);
        expect(shardByte(leg)).toBe(shardByte(parent));
        expect(leg).not.toBe(transactionIdOf("i", reference));
      }),
    );
  });

  it("and so does what follows from that", () => {
    fc.assert(
      fc.property(parents, (parent) => {
        const commit = transactionIdOf("i", settlementReference(parent, "k"));
        const refund = transactionIdOf("i", refundReference(commit));
        expect(shardByte(refund)).toBe(shardByte(parent));
      }),
    );
  });

  it("but a reference that only looks like one is a reference as any other", () => {
    const lookalikes = [
      "txn_zz000000-0000-8000-8000-000000000000_refund",
      "txn_00000000-0000-4000-8000-000000000000_refund",
      "txn_00000000-0000-8000-8000-000000000000",
      "my_txn_00000000-0000-8000-8000-000000000000_refund",
      "ref_00000000-0000-8000-8000-000000000000-more",
    ];
    const bytes = lookalikes.map((reference) => shardByte(transactionIdOf("i", reference)));
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    for (const reference of lookalikes) {
      expect(isTransactionId(transactionIdOf("i", reference))).toBe(true);
    }
  });
});

it("one operation under one hold has one reference, another operation or hold another", () => {
  const [a, b] = [transactionIdOf("i", "a"), transactionIdOf("i", "b")];
  const references = [
    settlementReference(a, "k"),
    settlementReference(a, "l"),
    settlementReference(b, "k"),
    settlementReference(a, "timer:void"),
  ];
  expect(new Set(references).size).toBe(4);
  expect(settlementReference(a, "k")).toBe(references[0]);
});

describe("the id of an indicator's balance", () => {
  it("is made of instance, indicator and currency, and of nothing else", () => {
    fc.assert(
      fc.property(fc.tuple(text, text, text), fc.tuple(text, text, text), (one, other) => {
        const same = one.every((part, index) => part === other[index]);
        expect(indicatorBalanceId(...one) === indicatorBalanceId(...other)).toBe(same);
        expect(isBalanceId(indicatorBalanceId(...one))).toBe(true);
      }),
    );
  });
});

it("a key is claimed in one shard of the instance", () => {
  fc.assert(
    fc.property(text, fc.constantFrom(...SHARDS), (key, shards) => {
      const shard = shardOfKey("i", key, shards);
      expect(shard).toBeGreaterThanOrEqual(0);
      expect(shard).toBeLessThan(shards);
      expect(shardOfKey("i", key, shards)).toBe(shard);
    }),
  );
});
