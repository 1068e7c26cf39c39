import { describe, expect, it } from "vitest";
import { BALANCE, type BalanceAction } from "./balance-histories";
import { linearize, type Operation } from "./linearizability";
import { Random } from "./random";

type Change = Extract<BalanceAction, { kind: "change" }>;

const amounts = (credit: bigint, debit = 0n, inflightDebit = 0n) => ({
  credit,
  debit,
  inflightCredit: 0n,
  inflightDebit,
});

const change = (side: Change["side"], action: Change["action"], amount: bigint): Change => ({
  kind: "change",
  side,
  action,
  amount,
  limit: side === "source" && (action === "apply" || action === "hold") ? 0n : null,
});

const credit = (amount: bigint) => change("destination", "apply", amount);
const debit = (amount: bigint) => change("source", "apply", amount);
const hold = (amount: bigint) => change("source", "hold", amount);
const commit = (amount: bigint) => change("source", "commit", amount);
const release = (amount: bigint) => change("source", "void", amount);
const read = (...seen: Parameters<typeof amounts>): BalanceAction => ({
  kind: "read",
  seen: amounts(...seen),
});
const NOBODY: BalanceAction = { kind: "read", seen: "nothing" };
const refused = (amount: bigint): BalanceAction => ({ kind: "refused", amount, limit: 0n });

const at = (began: number, ended: number, action: BalanceAction): Operation<BalanceAction> => ({
  began,
  ended,
  action,
});

/** Never answered: it may have happened at any time after its beginning. */
const open = (began: number, action: BalanceAction) => at(began, Number.POSITIVE_INFINITY, action);

const GOOD: readonly (readonly [string, readonly Operation<BalanceAction>[]])[] = [
  ["nothing happened", []],
  ["one after another", [at(1, 2, credit(9n)), at(3, 4, debit(4n)), at(5, 6, read(9n, 4n))]],
  ["a read during a credit sees it", [at(1, 9, credit(5n)), at(2, 3, read(5n))]],
  ["a read during the first credit does not", [at(1, 9, credit(5n)), at(2, 3, NOBODY)]],
  [
    "two reads during two credits see them come",
    [at(1, 9, credit(5n)), at(1, 9, credit(2n)), at(2, 3, read(2n)), at(4, 5, read(7n))],
  ],
  [
    "a debit that spends a credit of the same time",
    [at(1, 9, debit(5n)), at(2, 8, credit(5n)), at(10, 11, read(5n, 5n))],
  ],
  [
    "a credit that nobody answered comes late",
    [at(1, 2, credit(1n)), open(3, credit(5n)), at(4, 5, read(1n)), at(6, 7, read(6n))],
  ],
  [
    "what is held is refused to others, and spent after it is free",
    [
      at(1, 2, credit(5n)),
      at(3, 4, hold(4n)),
      at(5, 6, refused(2n)),
      at(7, 8, release(4n)),
      at(9, 10, debit(2n)),
    ],
  ],
  [
    "a hold that is committed",
    [at(1, 2, credit(5n)), at(3, 4, hold(4n)), at(5, 6, commit(4n)), at(7, 8, read(5n, 4n))],
  ],
];

const BAD: readonly (readonly [string, readonly Operation<BalanceAction>[]])[] = [
  ["a read after a credit misses it", [at(1, 2, credit(5n)), at(3, 4, NOBODY)]],
  [
    "a credit that was seen is gone again",
    [at(1, 2, credit(1n)), at(3, 12, credit(5n)), at(4, 5, read(6n)), at(6, 7, read(1n))],
  ],
  ["a credit is seen twice", [at(1, 2, credit(5n)), at(3, 4, read(10n))]],
  ["money is spent before it is there", [at(1, 2, debit(5n)), at(3, 4, credit(5n))]],
  [
    "the same money is spent twice at once",
    [at(1, 2, credit(5n)), at(3, 9, debit(5n)), at(3, 9, debit(5n))],
  ],
  [
    "what is held is spent",
    [at(1, 2, credit(5n)), at(3, 4, hold(4n)), at(5, 6, debit(2n)), at(7, 8, commit(4n))],
  ],
  ["enough is there, and it is refused", [at(1, 2, credit(5n)), at(3, 4, refused(5n))]],
  ["more is committed than held", [at(1, 2, credit(9n)), at(3, 4, hold(4n)), at(5, 6, commit(5n))]],
  [
    "two clients see two credits in two orders",
    [at(1, 20, credit(1n)), at(1, 20, credit(2n)), at(2, 3, read(1n)), at(4, 5, read(2n))],
  ],
  ["a read before a credit has begun sees it", [at(1, 2, read(5n)), open(3, credit(5n))]],
];

describe("the checker of histories", () => {
  it.each(GOOD)("finds an order where %s", (_name, history) => {
    const { isLinearizable, order } = linearize(history, BALANCE);
    expect(isLinearizable).toBe(true);
    expect(order).toHaveLength(history.length);
  });

  it.each(BAD)("finds none where %s", (_name, history) => {
    expect(linearize(history, BALANCE).isLinearizable).toBe(false);
  });

  it("does not depend on the order in which operations are listed", () => {
    const random = new Random(1);
    for (const [, history] of GOOD) {
      expect(linearize(random.shuffled(history), BALANCE).isLinearizable).toBe(true);
    }
    for (const [, history] of BAD) {
      expect(linearize(random.shuffled(history), BALANCE).isLinearizable).toBe(false);
    }
  });

  it("answers as trying every order does, for 2,000 small random histories", () => {
    let good = 0;
    for (let seed = 1; seed <= 2_000; seed += 1) {
      const history = drawn(new Random(seed));
      const { isLinearizable } = linearize(history, BALANCE);
      expect(isLinearizable, JSON.stringify(history, asText)).toBe(hasOrder(history));
      if (isLinearizable) good += 1;
    }
    // Both kinds are there.
    expect(good).toBeGreaterThan(200);
    expect(good).toBeLessThan(1_800);
  });

  it("takes no longer than it must for many operations at once", () => {
    const many = Array.from({ length: 14 }, (_none, index) =>
      at(1, 99, credit(BigInt(2 ** index))),
    );
    const seen = at(2, 98, read(2n ** 14n - 1n));
    // All in one order or another make one state for each set of them.
    expect(linearize([...many, seen, at(100, 101, NOBODY)], BALANCE).tried).toBeLessThan(2 ** 20);
  });
});

const asText = (_key: string, part: unknown): unknown =>
  typeof part === "bigint" ? part.toString() : part;

/** Up to five operations of a few kinds that overlap in some way. */
function drawn(random: Random): Operation<BalanceAction>[] {
  const kinds = [credit(2n), credit(3n), debit(2n), debit(3n), hold(2n), refused(2n), NOBODY];
  const seen = [read(2n), read(5n), read(5n, 2n), read(2n, 2n), read(3n)];
  return Array.from({ length: random.between(2, 5) }, () => {
    const began = random.below(8);
    const action = random.chance(65) ? random.pick(kinds) : random.pick(seen);
    return random.chance(15) ? open(began, action) : at(began, began + 1 + random.below(6), action);
  });
}

/** The definition itself: some order of all operations keeps their times, and is a run of the model. */
function hasOrder(history: readonly Operation<BalanceAction>[]): boolean {
  return ordersOf(history).some((order) => keepsTimes(order) && isRun(order));
}

function ordersOf<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first, index) =>
    ordersOf(list.filter((_other, at) => at !== index)).map((rest) => [first, ...rest]),
  );
}

const keepsTimes = (order: readonly Operation<BalanceAction>[]): boolean =>
  order.every((later, index) => order.slice(0, index).every(({ began }) => began <= later.ended));

function isRun(order: readonly Operation<BalanceAction>[]): boolean {
  let state = BALANCE.initial;
  for (const { action } of order) {
    const after = BALANCE.next(state, action);
    if (after === null) return false;
    state = after;
  }
  return true;
}
