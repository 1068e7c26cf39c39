import { describe, expect, it } from "vitest";
import type { Posting } from "../../src/domain/transaction";
import { pathOf, postingOf, postingText } from "../../src/durable/journal/codec";
import { postingFor } from "../support/postings";

const plain = postingFor("codec", { reference: "r", from: "@world", to: "@bob", amount: 7n });

/** One that has something in every field. */
const full: Posting = {
  ...plain,
  kind: "split",
  parentTransaction: "bulk_1",
  description: "every field",
  source: { balanceId: "bln_a", indicator: null },
  preciseAmount: 10n ** 40n,
  precision: 1_000n,
  amount: "1e37",
  amountString: "1e37",
  overdraft: { kind: "limited", limit: 10n ** 30n },
  overdraftLimit: "1e27",
  inflight: true,
  skipQueue: false,
  atomic: true,
  scheduledFor: "2031-01-01T00:00:00Z",
  inflightExpiryDate: "2031-01-02T00:00:00Z",
  inflightCommitDate: "2031-01-03T00:00:00Z",
  effectiveDate: "2031-01-04T00:00:00.000000Z",
  postedEffectiveDate: "2031-01-04T00:00:00Z",
  hash: "ab",
  metaData: '{"n":123456789012345678901234567890}',
  group: "bulk_1",
  shares: {
    side: "destinations",
    list: [
      { identifier: "@bob", distribution: "left", preciseDistribution: "", transactionId: "txn_1" },
    ],
  },
};

describe("a posting that is stored", () => {
  it.each([
    ["plain", plain],
    ["full", full],
    ["a refund", { ...full, kind: "refund", overdraft: { kind: "unlimited" } } as const],
  ])("is read as it was written: %s", (_name, posting) => {
    expect(postingOf(postingText(posting))).toEqual(posting);
  });

  it("is found by SQLite where its fields are", () => {
    const list: unknown[] = JSON.parse(postingText(full));
    const at = (path: string) => list[Number(path.slice(2, -1))];
    expect([at(pathOf("transactionId")), at(pathOf("reference"))]).toEqual([
      full.transactionId,
      full.reference,
    ]);
    expect(at(pathOf("scheduledFor"))).toBe(full.scheduledFor);
  });

  it("without the fields that it is older than, has none of them", () => {
    const list: unknown[] = JSON.parse(postingText(plain));
    expect(postingOf(JSON.stringify(list.slice(0, -2)))).toEqual(plain);
  });

  it("is not read when any of its fields makes no sense", () => {
    const list: unknown[] = JSON.parse(postingText(full));
    const read = list.flatMap((_value, index) => {
      const altered = JSON.stringify(list.with(index, 7));
      try {
        return [[index, postingOf(altered)]];
      } catch {
        return [];
      }
    });
    expect(read).toEqual([]);
    expect(() => postingOf("{}")).toThrow();
    expect(() => postingOf("[")).toThrow();
  });
});
