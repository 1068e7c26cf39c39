import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Share } from "../../src/domain/distribution";
import { type PostingRequest, postingOf } from "../../src/domain/posting";
import { PLAIN_REQUEST } from "../support/postings";

/** Pure, so there may be many. */
const RUNS = 5_000;

const REQUEST: PostingRequest = {
  ...PLAIN_REQUEST,
  precision: "1",
  reference: "a split",
  description: "of a property",
  source: "@payer",
};

/** What a share asks for, as a part of the whole: a fraction of two whole numbers, or what is left. */
type Asked = { readonly over: bigint; readonly under: bigint } | "left";

interface Wish {
  readonly text: Pick<Share, "distribution" | "preciseDistribution">;
  readonly asked: Asked;
}

interface Whole {
  /** Minor units. */
  readonly amount: bigint;
  /** Decimal places of a major unit. */
  readonly places: number;
  readonly wishes: readonly Wish[];
}

const digits = (value: bigint, places: number): string => {
  const text = value.toString().padStart(places + 1, "0");
  const at = text.length - places;
  return places === 0 ? text : `${text.slice(0, at)}.${text.slice(at)}`;
};

const percent = fc
  .tuple(fc.bigInt({ min: 0n, max: 10_000_000n }), fc.integer({ min: 0, max: 5 }))
  .map(([value, places]): Wish => {
    const percentage = value % (100n * 10n ** BigInt(places) + 1n);
    return {
      text: { distribution: `${digits(percentage, places)}%`, preciseDistribution: "" },
      asked: { over: percentage, under: 100n * 10n ** BigInt(places) },
    };
  });

const amountOf = (whole: bigint) => fc.bigInt({ min: 0n, max: whole });

/** Minor units as they are, or in major units. */
const fixed = (amount: bigint, places: number): fc.Arbitrary<Wish> =>
  fc.tuple(amountOf(amount), fc.boolean()).map(
    ([minor, isPrecise]): Wish => ({
      text: isPrecise
        ? { distribution: "", preciseDistribution: minor.toString() }
        : { distribution: digits(minor, places), preciseDistribution: "" },
      asked: { over: minor, under: amount },
    }),
  );

const left: fc.Arbitrary<Wish> = fc.boolean().map((isPrecise) => ({
  text: isPrecise
    ? { distribution: "", preciseDistribution: "left" }
    : { distribution: "left", preciseDistribution: "" },
  asked: "left",
}));

/** Shares of whatever there is, mostly with a rest for the last one. */
const anyWishes = ({ amount, places }: Omit<Whole, "wishes">): fc.Arbitrary<Wish[]> =>
  fc
    .tuple(
      fc.array(fc.oneof(percent, fixed(amount, places)), { maxLength: 5 }),
      fc.oneof(
        { weight: 4, arbitrary: left.map((each) => [each]) },
        { weight: 1, arbitrary: fc.constant([]) },
      ),
    )
    .map(([shares, rest]) => [...shares, ...rest])
    .filter(({ length }) => length > 0);

/** Percentages that are a hundred together, cut anywhere. */
const percentages: fc.Arbitrary<Wish[]> = fc
  .tuple(
    fc.integer({ min: 0, max: 12 }),
    fc.array(fc.bigInt({ min: 0n, max: 10n ** 14n }), { maxLength: 6 }),
  )
  .map(([places, cuts]) => {
    const hundred = 100n * 10n ** BigInt(places);
    const at = [0n, ...cuts.map((cut) => cut % hundred), hundred].sort((a, b) => (a < b ? -1 : 1));
    return at.slice(1).map((to, index): Wish => {
      const over = to - (at[index] ?? 0n);
      return {
        text: { distribution: `${digits(over, places)}%`, preciseDistribution: "" },
        asked: { over, under: hundred },
      };
    });
  });

const whole: fc.Arbitrary<Whole> = fc
  .record({
    amount: fc.oneof(fc.bigInt({ min: 1n, max: 1_000n }), fc.bigInt({ min: 1n, max: 10n ** 40n })),
    places: fc.integer({ min: 0, max: 18 }),
  })
  .chain((each) =>
    fc.record({
      amount: fc.constant(each.amount),
      places: fc.constant(each.places),
      wishes: fc.oneof(anyWishes(each), percentages),
    }),
  );

/** Sources or destinations: both are shared out by the same rule. */
function split({ amount, places, wishes }: Whole, side: "sources" | "destinations") {
  const shares = wishes.map(({ text }, index) => ({ identifier: `@share-${index}`, ...text }));
  const single =
    side === "sources"
      ? { source: "", destination: "@payee", sources: shares }
      : { source: "@payer", destination: "", destinations: shares };
  const precision = (10n ** BigInt(places)).toString();
  return postingOf("splits", { ...REQUEST, ...single, preciseAmount: amount, precision });
}

const asFraction = (asked: Asked): { over: bigint; under: bigint } =>
  asked === "left" ? { over: 0n, under: 1n } : asked;

/** The sum of what is asked for, by one denominator. */
function sumOf(wishes: readonly Wish[]): { over: bigint; under: bigint } {
  return wishes
    .map(({ asked }) => asFraction(asked))
    .reduce((sum, { over, under }) => ({
      over: sum.over * under + over * sum.under,
      under: sum.under * under,
    }));
}

const side = fc.constantFrom("sources" as const, "destinations" as const);

describe("the legs of a split", () => {
  it("add up to it exactly, none is nothing, and each is what its share asks for", () => {
    let accepted = 0;
    fc.assert(
      fc.property(whole, side, (asked, shared) => {
        const made = split(asked, shared);
        if (!made.ok) return;
        accepted += 1;
        const { amount, wishes } = asked;
        const legs = made.value.legs.map(({ preciseAmount }) => preciseAmount);
        expect(legs).toHaveLength(wishes.length);
        expect(legs.reduce((sum, leg) => sum + leg)).toBe(amount);
        const [largest] = [...legs].sort((a, b) => (a > b ? -1 : 1));
        for (const [index, leg] of legs.entries()) {
          const each = wishes[index]?.asked ?? "left";
          expect(leg).toBeGreaterThan(0n);
          if (each === "left") continue;
          const floor = (amount * each.over) / each.under;
          // What is lost by rounding down, less than a unit of each share, is the largest one's.
          const isExact = leg === floor;
          const hasRest = leg > floor && leg === largest && leg - floor < BigInt(legs.length);
          expect([isExact || hasRest, leg, floor]).toEqual([true, leg, floor]);
        }
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 5);
  });

  it("are refused only when the shares are not the whole, or one of them is nothing", () => {
    fc.assert(
      fc.property(whole, side, (asked, shared) => {
        if (split(asked, shared).ok) return;
        const { amount, wishes } = asked;
        const { over, under } = sumOf(wishes);
        const hasLeft = wishes.some((wish) => wish.asked === "left");
        const isTooMuch = over > under;
        const isTooLittle = over < under && !hasLeft;
        const isNothing = wishes.some((wish) => {
          const { over: part, under: of } = asFraction(wish.asked);
          return wish.asked !== "left" && amount * part < of;
        });
        const nothingLeft = hasLeft && (under - over) * amount < under * BigInt(wishes.length);
        expect(isTooMuch || isTooLittle || isNothing || nothingLeft).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it("of any texts at all are refused or add up", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.stringMatching(/^-?[0-9]{0,6}(\.[0-9]{0,6})?(e-?[0-9])?%?$/),
      fc.constantFrom("left", "", "100%", "0%", "1e3", "١%"),
    );
    const shares = fc.array(fc.record({ distribution: text, preciseDistribution: text }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(shares, amountOf(10n ** 20n), side, (texts, amount, shared) => {
        const wishes = texts.map((each): Wish => ({ text: each, asked: "left" }));
        const made = split({ amount, places: 2, wishes }, shared);
        if (!made.ok) return;
        const legs = made.value.legs.map(({ preciseAmount }) => preciseAmount);
        expect(legs.reduce((sum, leg) => sum + leg)).toBe(amount);
        expect(legs.every((leg) => leg > 0n)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});
