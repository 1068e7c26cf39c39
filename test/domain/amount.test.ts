import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fromSortable,
  plainDecimal,
  significantDigits,
  signOf,
  sortableDecimal,
  toMajorUnits,
  toMinorUnits,
} from "../../src/domain/amount";

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whole numbers of up to 60 digits, the small ones often. */
const wholes = fc.oneof(
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
);

/** A decimal as whole units and a scale: `value / 10^scale`. */
const decimals = fc.record({ value: wholes, scale: fc.integer({ min: 0, max: 20 }) });

function decimalText({ value, scale }: { value: bigint; scale: number }): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const sign = value < 0n ? "-" : "";
  return scale === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

describe("the key that sorts like the number", () => {
  it("puts any two decimals in their numeric order", () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const common = Math.max(a.scale, b.scale);
        const left = a.value * 10n ** BigInt(common - a.scale);
        const right = b.value * 10n ** BigInt(common - b.scale);
        const numeric = left < right ? -1 : left > right ? 1 : 0;
        const keys = [decimalText(a), decimalText(b)].map(sortableDecimal);
        expect(order(keys[0] ?? "", keys[1] ?? "")).toBe(numeric);
      }),
      { numRuns: 5000 },
    );
  });

  it("gives a whole number back", () => {
    fc.assert(
      fc.property(wholes, (value) => {
        expect(fromSortable(sortableDecimal(value.toString()))).toBe(value);
      }),
    );
  });

  it.each([
    ["-1.5", "-1.25"],
    ["-1.5", "-1"],
    ["-10", "-9.999"],
    ["-0.001", "0"],
    ["0", "0.0000001"],
    ["9", "10"],
    ["0.5", "5"],
    ["99999999999999999999999999999999999999", "100000000000000000000000000000000000000"],
  ])("%s comes before %s", (less, more) => {
    expect(order(sortableDecimal(less), sortableDecimal(more))).toBe(-1);
  });

  it.each([
    ["1.50", "1.5"],
    ["1e3", "1000"],
    ["-0", "0"],
    ["-0.00", "0"],
  ])("%s and %s are the same number", (one, other) => {
    expect(sortableDecimal(one)).toBe(sortableDecimal(other));
  });
});

describe("major into minor units", () => {
  it.each([
    ["1.005", 100n, 101n],
    ["0.005", 100n, 1n],
    ["0.015", 100n, 2n],
    ["2.5", 1n, 3n],
    ["3.5", 1n, 4n],
    ["0.004", 100n, 0n],
    ["-1.005", 100n, -101n],
    ["-2.5", 1n, -3n],
    ["1e3", 100n, 100_000n],
    [
      "123456789012345.678901234567890123456789",
      10n ** 24n,
      123456789012345678901234567890123456789n,
    ],
    ["0.1", 3n, 0n],
    ["0.5", 3n, 2n],
  ])("%s at a precision of %s is %s", (amount, precision, minor) => {
    expect(toMinorUnits(amount, precision)).toBe(minor);
  });

  it("is exact and rounds half away from zero, however the number is written", () => {
    const precisions = fc.bigInt({ min: 1n, max: 10n ** 18n });
    fc.assert(
      fc.property(decimals, precisions, (decimal, precision) => {
        const { value, scale } = decimal;
        const unit = 10n ** BigInt(scale);
        const product = value * precision * 2n;
        const expected = (product + (product < 0n ? -unit : unit)) / (unit * 2n);
        expect(toMinorUnits(decimalText(decimal), precision)).toBe(expected);
        expect(toMinorUnits(`${value}e-${scale}`, precision)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("minor into major units", () => {
  it.each([
    [10n, 3n, "3.3333333333333333"],
    [20n, 3n, "6.6666666666666667"],
    [-10n, 3n, "-3.3333333333333333"],
    [100n, 100n, "1"],
    [101n, 100n, "1.01"],
    [1050n, 100n, "10.5"],
    [0n, 100n, "0"],
    [1n, 10n ** 16n, "0.0000000000000001"],
    [4n, 10n ** 17n, "0"],
    [5n, 10n ** 17n, "0.0000000000000001"],
    [10n ** 17n - 1n, 10n ** 17n, "1"],
    [1234567890123456789012345678901234567890n, 100n, "12345678901234567890123456789012345678.9"],
  ])("%s at a precision of %s is %s", (minor, precision, major) => {
    expect(toMajorUnits(minor, precision)).toBe(major);
  });

  it("gives the minor units back wherever the decimals are finite", () => {
    fc.assert(
      fc.property(wholes, fc.integer({ min: 0, max: 16 }), (minor, digits) => {
        const precision = 10n ** BigInt(digits);
        expect(toMinorUnits(toMajorUnits(minor, precision), precision)).toBe(minor);
      }),
    );
  });
});

describe("a decimal as the row hash and the digit rule read it", () => {
  it("is the same number with the same sign, whatever zeros are written", () => {
    fc.assert(
      fc.property(decimals, (decimal) => {
        const { value, scale } = decimal;
        const plain = plainDecimal(decimalText(decimal));
        expect(plain).toBe(plainDecimal(`${value}e-${scale}`));
        expect(plain).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
        expect(signOf(decimalText(decimal))).toBe(value === 0n ? 0 : value < 0n ? -1 : 1);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["1e3", "1000", 4],
    ["999999999999999", "999999999999999", 15],
    ["0.0010", "0.001", 1],
    ["10.50", "10.5", 3],
  ])("%s is %s with %s digits", (amount, plain, digits) => {
    expect(plainDecimal(amount)).toBe(plain);
    expect(significantDigits(amount)).toBe(digits);
  });
});
