import { Big } from "big.js";

/** Big with exact input only: a `number` is refused, so no double can slip into money. */
const Exact = Big();
Exact.strict = true;

const HALF_AWAY_FROM_ZERO = 1;
const DECIMALS_SHOWN = 16;

/** What most amounts look like: no sign, no exponent, no zero to strip. Big would say the same and takes longer. */
const PLAIN = /^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/;

/**
 * `amount × precision` in minor units, exact at any length, rounded half away from zero
 * (contract/transactions.md section 1.4). `amount` is decimal text, exponent allowed; `precision` is positive.
 */
export function toMinorUnits(amount: string, precision: bigint): bigint {
  if (PLAIN.test(amount)) {
    const [whole = "0", fraction = ""] = amount.split(".");
    const scale = 10n ** BigInt(fraction.length);
    return (BigInt(whole + fraction) * precision * 2n + scale) / (scale * 2n);
  }
  const minor = new Exact(amount).times(precision.toString());
  return BigInt(minor.round(0, HALF_AWAY_FROM_ZERO).toFixed(0));
}

/** Minor units as decimal text in major units: at most 16 decimals, trailing zeros stripped. */
export function toMajorUnits(minor: bigint, precision: bigint): string {
  const sign = minor < 0n ? "-" : "";
  const size = minor < 0n ? -minor : minor;
  const whole = size / precision;
  const scale = 10n ** BigInt(DECIMALS_SHOWN);
  const scaled = (size % precision) * scale;
  const rounded = (scaled * 2n + precision) / (precision * 2n);
  const text = rounded.toString().padStart(DECIMALS_SHOWN, "0");
  if (rounded === scale) return `${sign}${whole + 1n}`;
  const decimals = text.replace(/0+$/, "");
  return decimals === "" ? `${sign}${whole}` : `${sign}${whole}.${decimals}`;
}

/** Plain decimal text without an exponent, as the row hash reads it: `1e3` is `1000`. */
export const plainDecimal = (amount: string): string =>
  PLAIN.test(amount) ? amount : new Exact(amount).toFixed();

/** How many digits the plain text has without the point and leading zeros; trailing zeros count. */
export function significantDigits(amount: string): number {
  return plainDecimal(amount).replace("-", "").replace(".", "").replace(/^0+/, "").length;
}

/** −1, 0 or 1: the sign of a decimal text. */
export function signOf(amount: string): number {
  if (PLAIN.test(amount)) return amount === "0" ? 0 : 1;
  return new Exact(amount).cmp("0");
}

/**
 * A key for an exact decimal that sorts as text in the order of the numbers, so that an index can:
 * `p` and the length of the whole part before the digits, or `n` and the complement of both.
 */
export function sortableDecimal(amount: string): string {
  const plain = plainDecimal(amount);
  const negative = plain.startsWith("-");
  const [whole = "0", fraction = ""] = plain.replace("-", "").split(".");
  const trimmed = fraction.replace(/0+$/, "");
  const digits = trimmed === "" ? whole : `${whole}.${trimmed}`;
  const key = `${whole.length.toString().padStart(4, "0")}${digits}`;
  if (!negative || signOf(plain) === 0) return `p${key}`;
  const complement = key.replace(/\d/g, (digit) => String(9 - Number(digit)));
  // "~" sorts after digits and the point: of two negatives with one prefix the longer is the smaller.
  return `n${complement}~`;
}

/** The bigint of a key made by `sortableDecimal` for a whole number. */
export function fromSortable(key: string): bigint {
  const body = key.slice(1).replace("~", "");
  if (key.startsWith("p")) return BigInt(body.slice(4));
  const digits = body.slice(4).replace(/\d/g, (digit) => String(9 - Number(digit)));
  return -BigInt(digits);
}
