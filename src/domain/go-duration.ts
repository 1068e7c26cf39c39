const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  // The micro sign and the Greek letter: both are in use.
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const SECOND = 1_000_000_000n;
/** Beyond it Go's 64 bits end. */
const NANOSECONDS_MAX = 2n ** 63n - 1n;
const TEXT_MAX = 100;
const WHOLE = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** Nanoseconds of a duration as Go writes it (`1h30m`, `2.5s`, `-0`); null when the text is none, or too long a time. */
export function parseGoDuration(text: string): bigint | null {
  if (/^[+-]?0$/.test(text)) return 0n;
  const [, sign, parts] = text.length > TEXT_MAX ? [] : (WHOLE.exec(text) ?? []);
  if (parts === undefined) return null;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = "s"] of parts.matchAll(PART)) {
    const size = NANOSECONDS[unit] ?? 0n;
    const scale = 10n ** BigInt(fraction.length);
    total += BigInt(whole || "0") * size + (BigInt(fraction || "0") * size) / scale;
  }
  if (total > NANOSECONDS_MAX) return null;
  return sign === "-" ? -total : total;
}

/** A duration as Go shows it: `2m0s`, `1h0m0s`, `1.5s`, `250ms`. */
export function showGoDuration(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? "-" : "";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size === 0n) return "0s";
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}\u00b5s`;
  if (size < SECOND) return `${sign}${decimal(size, 1_000_000n)}ms`;
  const minutes = size / (60n * SECOND);
  const seconds = `${decimal(size % (60n * SECOND), SECOND)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  const hours = minutes / 60n;
  return hours === 0n
    ? `${sign}${minutes}m${seconds}`
    : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** A quotient as decimal text without trailing zeros; the divisor is a power of ten. */
function decimal(value: bigint, divisor: bigint): string {
  const digits = divisor.toString().length - 1;
  const fraction = (value % divisor).toString().padStart(digits, "0").replace(/0+$/, "");
  return fraction === "" ? `${value / divisor}` : `${value / divisor}.${fraction}`;
}
