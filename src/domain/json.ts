/** Sixteen digits and more may not fit a double; the test is cheap and errs on the safe side. */
const MAY_BE_LONG = /\d[\d.]{14,}|\d[eE]/;

/** A number keeps its source text when a double might change it. */
function keepExact(source: string | undefined, value: unknown): unknown {
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  const digits = source.replace(/\D/g, "").length;
  return digits > 15 || !Number.isFinite(value) ? JSON.rawJSON(source) : value;
}

/** Parses JSON without losing a digit: numbers that a double cannot hold come back as raw JSON. */
export function parseJson(text: string): unknown {
  if (!MAY_BE_LONG.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) => keepExact(context?.source, value));
}

/** The JSON text of a value; raw numbers are written as they were read. */
export const stringifyJson = (value: unknown): string => JSON.stringify(value);

/** A whole number as it goes on the wire: bare digits of any length. */
export const rawNumber = (value: bigint): unknown => JSON.rawJSON(value.toString());
