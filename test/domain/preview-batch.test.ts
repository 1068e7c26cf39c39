import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Amounts, applyChange, available, NO_AMOUNTS } from "../../src/domain/balance";
import { refusal } from "../../src/domain/error";
import { type BalanceId, indicatorBalanceId } from "../../src/domain/ids";
import { changeOf } from "../../src/domain/movement";
import { type BatchItem, type BatchTerms, previewBatch } from "../../src/domain/preview-batch";
import { type Books, carriedOut, refusalOfGroup } from "../../src/domain/projection";
import type { Posting } from "../../src/domain/transaction";
import { postingFor } from "../support/postings";

const INSTANCE = "preview";
const idOf = (name: string): BalanceId => indicatorBalanceId(INSTANCE, name, "USD");

/** Balances that hold so many minor units. */
const booksWith = (credits: Readonly<Record<string, bigint>>): Books =>
  new Map(
    Object.entries(credits).map(([name, credit]) => [
      idOf(name),
      {
        balanceId: idOf(name),
        currency: "USD",
        amounts: { ...NO_AMOUNTS, credit },
        virtualName: null,
      },
    ]),
  );

const move = (reference: string, from: string, to: string, amount: bigint): BatchItem => ({
  split: { posting: postingFor(INSTANCE, { reference, from, to, amount }), legs: [] },
  taken: null,
});

const books = booksWith({ "@a": 100n, "@b": 0n, "@c": 0n });
const used = { ...move("u", "@a", "@b", 1n), taken: refusal("TXN_DUPLICATE_REFERENCE", "used") };

function told(items: readonly BatchItem[], terms: Partial<BatchTerms>) {
  const all = { atomic: false, skipQueue: false, runAsync: false, ...terms };
  const { wouldApply, results, balances } = previewBatch(items, all, books);
  return {
    wouldApply,
    rules: results.map(({ refused }) => refused?.rule ?? "ok"),
    after: (balances ?? []).map(({ after }) => available(after)),
  };
}

describe("a batch on paper", () => {
  const chain = [move("1", "@a", "@b", 80n), move("2", "@b", "@c", 50n)];
  const tooMuch = [
    move("1", "@a", "@b", 80n),
    move("2", "@a", "@b", 80n),
    move("3", "@a", "@b", 1n),
  ];

  it.each`
    how                   | items                   | terms                                | wouldApply | rules                                 | after
    ${"apart"}            | ${chain}                | ${{}}                                | ${false}   | ${["ok", "available_funds"]}          | ${[]}
    ${"in order"}         | ${chain}                | ${{ skipQueue: true }}               | ${true}    | ${["ok", "ok"]}                       | ${[20n, 30n, 50n]}
    ${"as a whole"}       | ${chain}                | ${{ atomic: true }}                  | ${true}    | ${["ok", "ok"]}                       | ${[20n, 30n, 50n]}
    ${"as a whole, now"}  | ${chain}                | ${{ atomic: true, skipQueue: true }} | ${true}    | ${["ok", "ok"]}                       | ${[20n, 30n, 50n]}
    ${"apart"}            | ${tooMuch}              | ${{}}                                | ${true}    | ${["ok", "ok", "ok"]}                 | ${[]}
    ${"in order"}         | ${tooMuch}              | ${{ skipQueue: true }}               | ${false}   | ${["ok", "available_funds", "order"]} | ${[20n, 80n]}
    ${"as a whole"}       | ${tooMuch}              | ${{ atomic: true }}                  | ${false}   | ${["ok", "available_funds", "ok"]}    | ${[100n, 0n]}
    ${"apart, used"}      | ${[used, chain[0]]}     | ${{}}                                | ${false}   | ${["reference", "ok"]}                | ${[]}
    ${"in order, used"}   | ${[chain[0], used]}     | ${{ skipQueue: true }}               | ${false}   | ${["ok", "reference"]}                | ${[20n, 80n]}
    ${"as a whole, used"} | ${[chain[0], used]}     | ${{ atomic: true }}                  | ${false}   | ${["ok", "reference"]}                | ${[100n, 0n]}
    ${"apart, twice"}     | ${[chain[0], chain[0]]} | ${{}}                                | ${false}   | ${["ok", "reference"]}                | ${[]}
    ${"whole, twice"}     | ${[chain[0], chain[0]]} | ${{ atomic: true }}                  | ${false}   | ${["ok", "reference"]}                | ${[100n, 0n]}
  `("$how: $rules", ({ items, terms, wouldApply, rules, after }) => {
    expect(told(items, terms)).toEqual({ wouldApply, rules, after });
  });

  it("shows each item alone where the items do not build on each other", () => {
    const { results, cumulative } = previewBatch(
      chain,
      { atomic: true, skipQueue: false, runAsync: true },
      books,
    );
    expect(cumulative).toBe(false);
    expect(
      results[1]?.balances?.map(({ before, after }) => [before, after].map(available)),
    ).toEqual([
      [0n, -50n],
      [0n, 50n],
    ]);
  });

  it("leaves balances to the whole where they do", () => {
    const terms = { atomic: false, skipQueue: true, runAsync: false };
    const { results, cumulative, notes } = previewBatch(chain, terms, books);
    expect(cumulative).toBe(true);
    expect(results.map(({ balances }) => balances)).toEqual([null, null]);
    expect(notes).toEqual([]);
  });
});

/** What the balances say when the postings are carried out one after another. */
function firstRefused(start: Books, postings: readonly Posting[]): number | null {
  const amounts = new Map<BalanceId, Amounts>(
    [...start].map(([id, known]) => [id, known.amounts] as const),
  );
  for (const [index, posting] of postings.entries()) {
    for (const side of ["source", "destination"] as const) {
      const { balanceId } = posting[side];
      const after = applyChange(amounts.get(balanceId) ?? NO_AMOUNTS, changeOf(posting, side));
      if (!after.ok) return index;
      amounts.set(balanceId, after.value);
    }
  }
  return null;
}

it("a group goes exactly when its postings would go one after another, and ends in the same balances", () => {
  const names = ["@a", "@b", "@c"] as const;
  const step = fc
    .record({
      from: fc.nat({ max: 2 }),
      by: fc.integer({ min: 1, max: 2 }),
      amount: fc.bigInt({ min: 1n, max: 60n }),
      inflight: fc.boolean(),
      limit: fc.option(fc.bigInt({ min: 0n, max: 40n }), { nil: null }),
    })
    .map(({ from, by, amount, inflight, limit }): Posting => {
      const transfer = {
        reference: "",
        from: names[from] ?? "@a",
        to: names[(from + by) % 3] ?? "@b",
        amount,
        inflight,
      };
      const overdraft =
        limit === null ? { kind: "none" as const } : { kind: "limited" as const, limit };
      return { ...postingFor(INSTANCE, transfer), overdraft };
    });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (postings) => {
      const found = refusalOfGroup(books, postings);
      expect(found?.index ?? null).toBe(firstRefused(books, postings));
      if (found !== null) {
        expect(found.refused.shortfall).toBeGreaterThan(0n);
        return;
      }
      const total = [...carriedOut(books, postings).values()].reduce(
        (sum, { amounts }) => sum + amounts.credit - amounts.debit,
        0n,
      );
      expect(total).toBe(100n);
    }),
    { numRuns: 500 },
  );
});
