import { describe, expect, it } from "vitest";
import {
  type Amounts,
  applyChange,
  available,
  type Change,
  NO_AMOUNTS,
  settled,
} from "../../src/domain/balance";
import type { Overdraft } from "../../src/domain/transaction";

const none: Overdraft = { kind: "none" };
const unlimited: Overdraft = { kind: "unlimited" };
const limited = (limit: bigint): Overdraft => ({ kind: "limited", limit });

const change = (
  side: Change["side"],
  action: Change["action"],
  amount: bigint,
  overdraft: Overdraft = none,
): Change => ({ side, action, amount, overdraft });

/** The amounts after a change that is taken for granted. */
function applied(amounts: Amounts, ...changes: readonly Change[]): Amounts {
  return changes.reduce((before, each) => {
    const result = applyChange(before, each);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  }, amounts);
}

describe("the funds of a source (contract/transactions.md section 2.3)", () => {
  it.each`
    credit     | debit    | held      | action     | amount        | overdraft          | outcome
    ${1000n}   | ${0n}    | ${0n}     | ${"apply"} | ${1000n}      | ${none}            | ${"ok"}
    ${1000n}   | ${0n}    | ${0n}     | ${"apply"} | ${1001n}      | ${none}            | ${"TXN_INSUFFICIENT_FUNDS"}
    ${1000n}   | ${1n}    | ${0n}     | ${"apply"} | ${1000n}      | ${none}            | ${"TXN_INSUFFICIENT_FUNDS"}
    ${1000n}   | ${0n}    | ${400n}   | ${"apply"} | ${600n}       | ${none}            | ${"ok"}
    ${1000n}   | ${0n}    | ${400n}   | ${"apply"} | ${601n}       | ${none}            | ${"TXN_INSUFFICIENT_FUNDS"}
    ${1000n}   | ${0n}    | ${400n}   | ${"hold"}  | ${601n}       | ${none}            | ${"TXN_INSUFFICIENT_FUNDS"}
    ${1000n}   | ${0n}    | ${400n}   | ${"hold"}  | ${600n}       | ${none}            | ${"ok"}
    ${0n}      | ${0n}    | ${0n}     | ${"apply"} | ${1000n}      | ${none}            | ${"TXN_INSUFFICIENT_FUNDS"}
    ${0n}      | ${0n}    | ${0n}     | ${"apply"} | ${1000n}      | ${limited(500n)}   | ${"TXN_VALIDATION_ERROR"}
    ${0n}      | ${0n}    | ${0n}     | ${"apply"} | ${1000n}      | ${limited(1000n)}  | ${"ok"}
    ${0n}      | ${1000n} | ${0n}     | ${"apply"} | ${1n}         | ${limited(1000n)}  | ${"TXN_VALIDATION_ERROR"}
    ${0n}      | ${1000n} | ${0n}     | ${"apply"} | ${29n}        | ${limited(1029n)}  | ${"ok"}
    ${0n}      | ${0n}    | ${0n}     | ${"apply"} | ${10n ** 40n} | ${unlimited}       | ${"ok"}
    ${0n}      | ${0n}    | ${0n}     | ${"hold"}  | ${10n ** 40n} | ${unlimited}       | ${"ok"}
    ${100000n} | ${0n}    | ${80000n} | ${"apply"} | ${30000n}     | ${limited(5000n)}  | ${"TXN_VALIDATION_ERROR"}
    ${100000n} | ${0n}    | ${80000n} | ${"apply"} | ${30000n}     | ${limited(10000n)} | ${"ok"}
  `(
    "credit $credit, debit $debit, held $held: $action of $amount with overdraft $overdraft is $outcome",
    ({ credit, debit, held, action, amount, overdraft, outcome }) => {
      const before = { ...NO_AMOUNTS, credit, debit, inflightDebit: held };
      const result = applyChange(before, change("source", action, amount, overdraft));
      expect(result.ok ? "ok" : result.error.code).toBe(outcome);
    },
  );

  it("does not count money that is held for the balance", () => {
    const promised = applied(NO_AMOUNTS, change("destination", "hold", 500n));
    const result = applyChange(promised, change("source", "apply", 1n));
    expect(result.ok ? "ok" : result.error.code).toBe("TXN_INSUFFICIENT_FUNDS");
  });

  it("does not count money that a batch keeps back", () => {
    const before = { ...NO_AMOUNTS, credit: 1000n };
    const spend = (amount: bigint) =>
      applyChange(before, change("source", "apply", amount), 400n).ok;
    expect([spend(600n), spend(601n)]).toEqual([true, false]);
  });
});

describe("what is never refused", () => {
  it.each`
    side             | action
    ${"destination"} | ${"apply"}
    ${"destination"} | ${"hold"}
    ${"source"}      | ${"commit"}
    ${"source"}      | ${"void"}
    ${"destination"} | ${"commit"}
    ${"destination"} | ${"void"}
  `("a $action on the $side of an overdrawn balance", ({ side, action }) => {
    const before = { credit: 0n, debit: 900n, inflightCredit: 50n, inflightDebit: 50n };
    expect(applyChange(before, change(side, action, 50n)).ok).toBe(true);
  });
});

it.each`
  side             | action
  ${"source"}      | ${"commit"}
  ${"source"}      | ${"void"}
  ${"destination"} | ${"commit"}
  ${"destination"} | ${"void"}
`("a $action on the $side of more than is held is a bug, not a refusal", ({ side, action }) => {
  const before = { credit: 900n, debit: 0n, inflightCredit: 50n, inflightDebit: 50n };
  expect(() => applyChange(before, change(side, action, 51n))).toThrow("no more is settled");
});

it.each([0n, -1n])("a change of %s minor units is a bug", (amount) => {
  expect(() => applyChange(NO_AMOUNTS, change("destination", "apply", amount))).toThrow("positive");
});

describe("the worked example (contract/transactions.md section 2.5)", () => {
  const steps: readonly (readonly [
    string,
    Change["action"],
    bigint,
    "forth" | "back",
    readonly bigint[],
    readonly bigint[],
  ])[] = [
    // Balance, credit, debit, inflight balance, inflight credit, inflight debit: of A, then of B.
    [
      "transfer 10.25",
      "apply",
      1025n,
      "forth",
      [98975n, 100000n, 1025n, 0n, 0n, 0n],
      [1025n, 1025n, 0n, 0n, 0n, 0n],
    ],
    [
      "hold 100.00",
      "hold",
      10000n,
      "forth",
      [98975n, 100000n, 1025n, -10000n, 0n, 10000n],
      [1025n, 1025n, 0n, 10000n, 10000n, 0n],
    ],
    [
      "commit 30.00",
      "commit",
      3000n,
      "forth",
      [95975n, 100000n, 4025n, -7000n, 0n, 7000n],
      [4025n, 4025n, 0n, 7000n, 7000n, 0n],
    ],
    [
      "commit 20.00",
      "commit",
      2000n,
      "forth",
      [93975n, 100000n, 6025n, -5000n, 0n, 5000n],
      [6025n, 6025n, 0n, 5000n, 5000n, 0n],
    ],
    [
      "void the rest",
      "void",
      5000n,
      "forth",
      [93975n, 100000n, 6025n, 0n, 0n, 0n],
      [6025n, 6025n, 0n, 0n, 0n, 0n],
    ],
    [
      "refund 10.25",
      "apply",
      1025n,
      "back",
      [95000n, 101025n, 6025n, 0n, 0n, 0n],
      [5000n, 6025n, 1025n, 0n, 0n, 0n],
    ],
  ];

  it("gives every figure of the table", () => {
    let a: Amounts = { ...NO_AMOUNTS, credit: 100000n };
    let b: Amounts = NO_AMOUNTS;
    for (const [name, action, amount, direction, ofA, ofB] of steps) {
      const [sideOfA, sideOfB] =
        direction === "forth"
          ? (["source", "destination"] as const)
          : (["destination", "source"] as const);
      a = applied(a, change(sideOfA, action, amount));
      b = applied(b, change(sideOfB, action, amount));
      expect([figures(a), figures(b)], name).toEqual([ofA, ofB]);
    }
    expect(available(a)).toBe(95000n);
  });

  const figures = (amounts: Amounts): readonly bigint[] => [
    settled(amounts),
    amounts.credit,
    amounts.debit,
    amounts.inflightCredit - amounts.inflightDebit,
    amounts.inflightCredit,
    amounts.inflightDebit,
  ];
});
