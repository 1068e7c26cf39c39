import { describe, expect, it } from "vitest";
import {
  refundAmounts,
  refundOf,
  settlementAmount,
  settlementOf,
} from "../../src/domain/settlement";
import type { Transaction } from "../../src/domain/transaction";
import { postingFor } from "../support/postings";

const instance = "settlement-test";

const hold: Transaction = {
  ...postingFor(instance, {
    reference: "h",
    from: "@card",
    to: "@shop",
    amount: 10_000n,
    inflight: true,
    metaData: '{"order":7}',
  }),
  status: "INFLIGHT",
  createdAt: "2031-01-01T00:00:00.000000Z",
  effectiveDate: "2031-01-01T00:00:00.000000Z",
  inflightRemaining: 10_000n,
  rejectionReason: "",
  sourceVersion: 2,
  destinationVersion: 3,
  revision: 2,
};

const minor = (value: bigint) => ({ unit: "minor", value }) as const;
const major = (value: string) => ({ unit: "major", value }) as const;

describe("what a commit or void settles (contract/transactions.md section 7.4)", () => {
  it.each`
    action      | committed | voided   | asked              | outcome
    ${"commit"} | ${0n}     | ${false} | ${null}            | ${10000n}
    ${"commit"} | ${3000n}  | ${false} | ${null}            | ${7000n}
    ${"commit"} | ${3000n}  | ${false} | ${minor(7000n)}    | ${7000n}
    ${"commit"} | ${3000n}  | ${false} | ${minor(7001n)}    | ${"TXN_COMMIT_AMOUNT_EXCEEDED"}
    ${"commit"} | ${0n}     | ${false} | ${minor(10001n)}   | ${"TXN_COMMIT_AMOUNT_EXCEEDED"}
    ${"commit"} | ${0n}     | ${false} | ${major("30")}     | ${3000n}
    ${"commit"} | ${0n}     | ${false} | ${major("0.005")}  | ${1n}
    ${"commit"} | ${0n}     | ${false} | ${major("0.004")}  | ${"TXN_INVALID_AMOUNT"}
    ${"commit"} | ${0n}     | ${false} | ${major("1e-9")}   | ${"TXN_INVALID_AMOUNT"}
    ${"commit"} | ${0n}     | ${false} | ${major("0")}      | ${10000n}
    ${"commit"} | ${3000n}  | ${false} | ${major("-0.0")}   | ${7000n}
    ${"commit"} | ${0n}     | ${false} | ${major("-1")}     | ${"GEN_BAD_REQUEST"}
    ${"commit"} | ${0n}     | ${false} | ${major("-0.005")} | ${"GEN_BAD_REQUEST"}
    ${"commit"} | ${0n}     | ${false} | ${major("-0.004")} | ${"GEN_BAD_REQUEST"}
    ${"commit"} | ${0n}     | ${false} | ${major("-1e-9")}  | ${"GEN_BAD_REQUEST"}
    ${"commit"} | ${0n}     | ${false} | ${major("100.01")} | ${"TXN_COMMIT_AMOUNT_EXCEEDED"}
    ${"commit"} | ${10000n} | ${false} | ${null}            | ${"TXN_ALREADY_COMMITTED"}
    ${"commit"} | ${10000n} | ${false} | ${minor(1n)}       | ${"TXN_ALREADY_COMMITTED"}
    ${"commit"} | ${0n}     | ${true}  | ${null}            | ${"TXN_ALREADY_VOIDED"}
    ${"commit"} | ${3000n}  | ${true}  | ${minor(1n)}       | ${"TXN_ALREADY_VOIDED"}
    ${"void"}   | ${0n}     | ${false} | ${null}            | ${10000n}
    ${"void"}   | ${3000n}  | ${false} | ${null}            | ${7000n}
    ${"void"}   | ${3000n}  | ${false} | ${minor(1n)}       | ${7000n}
    ${"void"}   | ${3000n}  | ${false} | ${major("-0.001")} | ${7000n}
    ${"void"}   | ${10000n} | ${false} | ${null}            | ${"TXN_ALREADY_COMMITTED"}
    ${"void"}   | ${0n}     | ${true}  | ${null}            | ${"TXN_ALREADY_VOIDED"}
  `(
    "$action of $asked after $committed committed and voided $voided: $outcome",
    ({ action, committed, voided, asked, outcome }) => {
      const result = settlementAmount(hold, { committed, voided }, action, asked);
      expect(result.ok ? result.value : result.error.code).toBe(outcome);
    },
  );
});

describe("the record of a settlement", () => {
  const how = { instance, operationKey: "k", skipQueue: true };

  it("is the same for one operation, and another for another", () => {
    const ids = ["k", "k", "l"].map(
      (operationKey) => settlementOf(hold, "commit", 5n, { ...how, operationKey }).transactionId,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it("lies in the shard of its hold, goes the same way, and holds no money itself", () => {
    const child = settlementOf(hold, "commit", 3000n, how);
    expect(child.transactionId.slice(0, 6)).toBe(hold.transactionId.slice(0, 6));
    expect(child).toMatchObject({
      kind: "commit",
      parentTransaction: hold.transactionId,
      preciseAmount: 3000n,
      amount: "30",
      inflight: false,
      metaData: '{"order":7}',
    });
    expect(child.source.balanceId).toBe(hold.source.balanceId);
    expect(child.destination.balanceId).toBe(hold.destination.balanceId);
  });
});

describe("the record of a refund", () => {
  const how = { instance, operationKey: "k", skipQueue: true, description: "", metaData: null };

  it("goes back, is never refused for funds, and is one whoever asks for the whole", () => {
    const refund = refundOf(hold, 10_000n, how);
    expect(refund.source.balanceId).toBe(hold.destination.balanceId);
    expect(refund.destination.balanceId).toBe(hold.source.balanceId);
    expect(refund).toMatchObject({
      kind: "refund",
      reference: `${hold.transactionId}_refund`,
      overdraft: { kind: "unlimited" },
      preciseAmount: 10_000n,
    });
    expect(refundOf(hold, 10_000n, { ...how, operationKey: "l" }).transactionId).toBe(
      refund.transactionId,
    );
  });

  it("keeps the original's words unless it brings its own", () => {
    const plain = refundOf(hold, 1n, how);
    const own = refundOf(hold, 1n, { ...how, description: "sorry", metaData: '{"why":"late"}' });
    expect([plain.description, plain.metaData]).toEqual(["a transfer", '{"order":7}']);
    expect([own.description, own.metaData]).toEqual(["sorry", '{"order":7,"why":"late"}']);
  });
});

describe("how much a refund gives back", () => {
  it.each`
    open              | asked              | outcome
    ${[100n]}         | ${null}            | ${[100n]}
    ${[30n, 70n]}     | ${null}            | ${[30n, 70n]}
    ${[30n, 70n]}     | ${minor(40n)}      | ${[30n, 10n]}
    ${[30n, 0n, 70n]} | ${minor(30n)}      | ${[30n, 0n, 0n]}
    ${[30n, 70n]}     | ${minor(101n)}     | ${"GEN_BAD_REQUEST"}
    ${[30n, 70n]}     | ${minor(0n)}       | ${"TXN_INVALID_AMOUNT"}
    ${[30n, 70n]}     | ${minor(-1n)}      | ${"TXN_INVALID_AMOUNT"}
    ${[30n, 70n]}     | ${major("0.001")}  | ${"TXN_INVALID_AMOUNT"}
    ${[30n, 70n]}     | ${major("-0.001")} | ${"TXN_INVALID_AMOUNT"}
    ${[0n, 0n]}       | ${null}            | ${"GEN_CONFLICT"}
    ${[]}             | ${null}            | ${"GEN_CONFLICT"}
  `("$asked of $open: $outcome", ({ open, asked, outcome }) => {
    const result = refundAmounts(open, 100n, asked);
    expect(result.ok ? result.value : result.error.code).toEqual(outcome);
  });
});
