import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action } from "../../src/domain/balance";
import {
  afterFirst,
  allocate,
  availableOf,
  brokenProvider,
  type Fund,
  firstOf,
  type Piece,
  PROVIDER_MAX,
  providerOf,
  received,
  released,
  type Strategy,
  settle,
  strategyOf,
  sumOf,
} from "../../src/domain/lineage";

const fund = (provider: string, credited: bigint, spent = 0n, held = 0n): Fund => ({
  provider,
  credited,
  spent,
  held,
});

const said = (pieces: readonly Piece[]) =>
  pieces.map(({ provider, amount }) => `${provider} ${amount}`);

const amounts = fc.bigInt(0n, 10n ** 20n);
const funds = fc
  .array(fc.tuple(amounts, amounts, amounts), { maxLength: 6 })
  .map((list) =>
    list.map(([left, spent, held], index) => fund(`p${index}`, left + spent + held, spent, held)),
  );
const least = (a: bigint, b: bigint): bigint => [a, b].reduce((x, y) => (y < x ? y : x));
const strategies = fc.constantFrom<Strategy>("FIFO", "LIFO", "PROPORTIONAL");

describe("whose money pays", () => {
  const visa = fund("visa", 100n);
  const swift = fund("swift", 50n);

  it("the oldest provider's first, by FIFO", () => {
    expect(said(allocate("FIFO", [visa, swift], 120n))).toEqual(["visa 100", "swift 20"]);
  });

  it("the newest one's first, by LIFO", () => {
    expect(said(allocate("LIFO", [visa, swift], 120n))).toEqual(["swift 50", "visa 70"]);
  });

  it("each one's share, rounded down and the rest from the last, by PROPORTIONAL", () => {
    expect(said(allocate("PROPORTIONAL", [visa, swift], 100n))).toEqual(["visa 66", "swift 34"]);
  });

  it("nobody's beyond what it has: the rest from whoever has any left", () => {
    const small = ["a", "b", "c"].map((provider) => fund(provider, 1n));
    expect(said(allocate("PROPORTIONAL", small, 2n))).toEqual(["b 1", "c 1"]);
  });

  it("nobody's that is spent or held", () => {
    expect(said(allocate("FIFO", [fund("visa", 100n, 60n, 30n), swift], 40n))).toEqual([
      "visa 10",
      "swift 30",
    ]);
  });

  it("as much as is known of, never more than anybody has, and each provider once", () => {
    fc.assert(
      fc.property(strategies, funds, amounts, (strategy, list, amount) => {
        const pieces = allocate(strategy, list, amount);
        const known = list.reduce((sum, each) => sum + availableOf(each), 0n);
        expect(sumOf(pieces)).toBe(least(amount, known));
        for (const piece of pieces) {
          const from = list.find(({ provider }) => provider === piece.provider);
          expect(piece.amount).toBeGreaterThan(0n);
          expect(piece.amount).toBeLessThanOrEqual(from === undefined ? 0n : availableOf(from));
        }
        expect(new Set(pieces.map(({ provider }) => provider)).size).toBe(pieces.length);
      }),
    );
  });

  it("is FIFO for a strategy that is none", () => {
    expect(["FIFO", "LIFO", "PROPORTIONAL", ""].map(strategyOf)).toEqual([
      "FIFO",
      "LIFO",
      "PROPORTIONAL",
      "FIFO",
    ]);
  });
});

describe("the first of some pieces and those after them", () => {
  it("are all of them, in their order", () => {
    fc.assert(
      fc.property(funds, amounts, (list, amount) => {
        const pieces = allocate("FIFO", list, 10n ** 30n);
        const [first, left] = [firstOf(pieces, amount), afterFirst(pieces, amount)];
        expect(sumOf(first)).toBe(least(amount, sumOf(pieces)));
        expect(sumOf(first) + sumOf(left)).toBe(sumOf(pieces));
        expect([...new Set([...first, ...left].map(({ provider }) => provider))]).toEqual(
          pieces.map(({ provider }) => provider),
        );
      }),
    );
  });
});

describe("what is settled of a hold", () => {
  const held = {
    left: 100n,
    pieces: [
      { provider: "visa", amount: 50n },
      { provider: "swift", amount: 30n },
    ],
  };
  const asked = { received: null } as const;

  it("is the same in whatever order its commits and its void come", () => {
    const commit = { ...asked, action: "commit", amount: 60n } as const;
    const rest = { ...asked, action: "void", amount: 40n } as const;
    const [commitFirst, thenRest] = [settle(held, commit), settle(settle(held, commit).held, rest)];
    const [restFirst, thenCommit] = [settle(held, rest), settle(settle(held, rest).held, commit)];

    expect(said(commitFirst.pieces)).toEqual(["visa 50", "swift 10"]);
    expect(said(thenRest.pieces)).toEqual(["swift 20"]);
    expect(said(restFirst.pieces)).toEqual(said(thenRest.pieces));
    expect(said(thenCommit.pieces)).toEqual(said(commitFirst.pieces));
    expect(thenRest.held).toEqual({ left: 0n, pieces: [] });
  });

  it("is what the other balance says, as far as it is held here", () => {
    const named = [
      { provider: "swift", amount: 40n },
      { provider: "wise", amount: 5n },
    ];
    const { pieces, held: rest } = settle(held, {
      action: "commit",
      amount: 45n,
      received: named,
    });
    expect(said(pieces)).toEqual(["swift 30"]);
    expect([rest.left, said(rest.pieces)]).toEqual([55n, ["visa 50"]]);
  });
});

describe("what an action does to a fund", () => {
  const actions: readonly Action[] = ["apply", "hold", "commit", "void"];

  it.each([
    ["apply", fund("visa", 100n, 37n, 20n)],
    ["hold", fund("visa", 100n, 30n, 27n)],
    ["commit", fund("visa", 100n, 37n, 13n)],
    ["void", fund("visa", 100n, 30n, 13n)],
  ] as const)("that goes out: %s", (action, after) => {
    expect(released(fund("visa", 100n, 30n, 20n), action, 7n)).toEqual(after);
  });

  it("that comes in: it counts once it is there", () => {
    const before = fund("visa", 100n, 30n, 20n);
    expect(actions.map((action) => received(before, action, 7n).credited)).toEqual([
      107n,
      100n,
      107n,
      100n,
    ]);
  });
});

describe("the provider that metadata names", () => {
  it.each([
    ['{"BLNK_LINEAGE_PROVIDER":"visa"}', "visa"],
    ['{"BLNK_LINEAGE_PROVIDER":""}', null],
    ['{"BLNK_LINEAGE_PROVIDER":7}', null],
    ['{"BLNK_LINEAGE_PROVIDER":["visa"]}', null],
    ['{"note":"BLNK_LINEAGE_PROVIDER"}', null],
    ["{}", null],
    [null, null],
  ])("of %s is %s", (metaData, provider) => {
    expect(providerOf(metaData)).toBe(provider);
  });

  it("has a longest name", () => {
    const naming = (length: number) =>
      brokenProvider(JSON.stringify({ BLNK_LINEAGE_PROVIDER: "v".repeat(length) }));
    expect([naming(PROVIDER_MAX), naming(PROVIDER_MAX + 1)]).toEqual([
      null,
      "BLNK_LINEAGE_PROVIDER is longer than 255 characters",
    ]);
  });
});
