/** Stands for a body that is no JSON: every schema refuses it. */
export const MALFORMED = Symbol("a body that is no JSON");

/** Stands for a body beyond the size that is read: every schema refuses it. */
export const TOO_LARGE = Symbol("a body that is too large");

const NESTING_MAX = 128;

/**
 * Where a number's source text may matter: many digits, a fraction that ends in zero, an exponent; and where a text
 * may hold half a surrogate pair. The test is cheap, and a needless hit only costs time.
 */
const NEEDS_CARE =
  /\d[\d.]{14,}|[:[,\s]-?\d+(?:\.\d*0(?!\d)|(?:\.\d+)?[eE])|\\u[dD][89a-fA-F]|[:[,\s]-0/;

/** Numbers whose text a double would change stay raw JSON; half a surrogate pair becomes U+FFFD, as UTF-8 would have it. */
function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === "string") return value.toWellFormed();
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return JSON.rawJSON(source);
}

/**
 * Reads the first JSON value of a body without losing a digit; what follows it is ignored. Undefined for an empty body,
 * `MALFORMED` for one that is no JSON or nested deeper than 128 levels (contract/core.md section 1.5).
 */
export function parseBody(text: string): unknown {
  const { end, depth } = extentOf(text);
  if (depth > NESTING_MAX) return MALFORMED;
  const first = end < text.length ? text.slice(0, end) : text;
  if (first.trim() === "") return undefined;
  try {
    return NEEDS_CARE.test(first) ? JSON.parse(first, keepExact) : JSON.parse(first);
  } catch (error) {
    if (error instanceof SyntaxError) return MALFORMED;
    throw error;
  }
}

/** Where the first object or list of a text ends, and how deep it is nested. A text without one ends at its end. */
function extentOf(text: string): { end: number; depth: number } {
  let level = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (quoted) {
      if (character === 0x5c) at += 1;
      else if (character === 0x22) quoted = false;
    } else if (character === 0x22) {
      quoted = true;
    } else if (character === 0x7b || character === 0x5b) {
      level += 1;
      if (level > depth) depth = level;
    } else if (character === 0x7d || character === 0x5d) {
      level -= 1;
      if (level <= 0) return { end: at + 1, depth };
    }
  }
  return { end: text.length, depth };
}

/** The text of a JSON number as it was written, or null for anything else. */
export function numberText(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : null;
}

/** Whether a parsed value is a JSON object. */
export const isJsonObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

/** A whole number for the wire: bare digits, however many. */
export const wireInteger = (value: bigint): RawJson => JSON.rawJSON(value.toString());

/**
 * A decimal for the wire in the shortest form that reads back as the same double, which is what Blnk shows; one that no
 * double can hold goes out as it is.
 */
export function wireDecimal(text: string): RawJson {
  const value = Number(text);
  return JSON.rawJSON(Number.isFinite(value) ? String(value) : text);
}

/** JSON whose object keys are sorted at every level: two bodies with the same content have the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    sorted(item),
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
