import { toMinorUnits } from "./amount";
import { type LedgerError, refusal } from "./error";
import { err, ok, type Result } from "./result";

/** One entry of `sources` or `destinations`: a balance id or `@indicator`, and its share in words. */
export interface Share {
  readonly identifier: string;
  /** `"20%"`, an amount in major units, or `"left"`. */
  readonly distribution: string;
  /** Minor units as digits, or `"left"`; it wins over an amount in `distribution`. */
  readonly preciseDistribution: string;
}

/** A share as it was understood: minor units, a part of the whole as an exact fraction, or what is left. */
type Part =
  | { readonly kind: "fixed"; readonly minor: bigint }
  | { readonly kind: "percent"; readonly numerator: bigint; readonly denominator: bigint }
  | { readonly kind: "left" };

const PERCENT = /^(\d{1,20})(?:\.(\d{1,30}))?%$/;
const FIXED = /^\d{1,60}(\.\d{1,60})?([eE][+-]?\d{1,2})?$/;
const MINOR = /^\d{1,400}$/;
const NEGATIVE = /^-\d/;

/**
 * The minor units of each share, in the order of the list: they add up to `total` exactly, and none is zero.
 * Percentages are rounded down and the largest share gets the difference, the first of several as large
 * (contract/transactions.md section 1.2). Whatever does not make sense is refused, never mended in silence.
 */
export function distribute(
  total: bigint,
  precision: bigint,
  shares: readonly Share[],
): Result<bigint[]> {
  const parts: Part[] = [];
  for (const share of shares) {
    const part = partOf(share, precision);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  const lefts = parts.filter(({ kind }) => kind === "left").length;
  if (lefts > 1) return err(bad("only one share can be what is left"));
  const amounts = amountsOf(total, parts);
  if (!amounts.ok) return amounts;
  const empty = amounts.value.findIndex((amount) => amount <= 0n);
  if (empty !== -1) {
    return err(
      bad(`the share of ${shares[empty]?.identifier} comes to less than the smallest unit`),
    );
  }
  return amounts;
}

function partOf(share: Share, precision: bigint): Result<Part> {
  const { distribution, preciseDistribution, identifier } = share;
  if (NEGATIVE.test(distribution) || NEGATIVE.test(preciseDistribution)) {
    return err(refusal("TXN_INVALID_AMOUNT", `the share of ${identifier} is negative`));
  }
  const percent = PERCENT.exec(distribution);
  if (percent !== null) {
    const [, whole = "0", decimals = ""] = percent;
    const denominator = 100n * 10n ** BigInt(decimals.length);
    return ok({ kind: "percent", numerator: BigInt(whole + decimals), denominator });
  }
  if (distribution.includes("%")) return err(bad(`the percentage of ${identifier} is no number`));
  if (distribution === "left" || preciseDistribution === "left") return ok({ kind: "left" });
  if (preciseDistribution !== "") {
    return MINOR.test(preciseDistribution)
      ? ok({ kind: "fixed", minor: BigInt(preciseDistribution) })
      : err(bad(`precise_distribution of ${identifier} is no whole number of minor units`));
  }
  if (!FIXED.test(distribution)) return err(bad(`the share of ${identifier} is no amount`));
  const minor = toMinorUnits(distribution, precision);
  return ok({ kind: "fixed", minor });
}

function amountsOf(total: bigint, parts: readonly Part[]): Result<bigint[]> {
  // One common denominator for all percentages keeps every comparison exact.
  const scale = parts.reduce(
    (product, part) => (part.kind === "percent" ? lcm(product, part.denominator) : product),
    1n,
  );
  const scaled = (part: Part): bigint => {
    if (part.kind === "fixed") return part.minor * scale;
    if (part.kind === "percent") return (total * part.numerator * scale) / part.denominator;
    return 0n;
  };
  const given = parts.reduce((sum, part) => sum + scaled(part), 0n);
  const hasLeft = parts.some(({ kind }) => kind === "left");
  if (given > total * scale) return err(bad("the shares are more than the whole amount"));
  if (!hasLeft && given < total * scale)
    return err(bad("the shares are less than the whole amount"));
  const left = total * scale - given;
  const amounts = parts.map((part) => (part.kind === "left" ? left : scaled(part)) / scale);
  const rest = total - amounts.reduce((sum, amount) => sum + amount, 0n);
  const largest = indexOfLargest(amounts);
  return ok(amounts.map((amount, index) => (index === largest ? amount + rest : amount)));
}

/** The first of several as large. */
function indexOfLargest(amounts: readonly bigint[]): number {
  let largest = 0;
  amounts.forEach((amount, index) => {
    if (amount > (amounts[largest] ?? 0n)) largest = index;
  });
  return largest;
}

function lcm(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}

const bad = (message: string): LedgerError => refusal("TXN_VALIDATION_ERROR", message);
