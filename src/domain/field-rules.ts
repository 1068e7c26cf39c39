import type { LedgerError } from "./error";

/** Names and the like may be long, but a row must stay far below 2 MB. In characters. */
export const TEXT_MAX = 16_384;

/** What a transaction names must be as short as a transaction takes it. In characters. */
export const NAMED_MAX = 1_000;

/** A field by its name on the wire, and what is wrong with it. */
export type FieldRule = readonly [field: string, broken: string | null];

/**
 * The refusal of all fields that break a rule, in alphabetical order, on one line (contract/core.md section 1.5); null when
 * none does. `shownAs` is the resource's own habit.
 */
export function brokenFields(
  rules: readonly FieldRule[],
  shownAs: "error" | "errors",
): LedgerError | null {
  const broken = rules
    .filter(([, text]) => text !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, text]) => `${field}: ${text}`);
  if (broken.length === 0) return null;
  return { code: "GEN_VALIDATION_ERROR", message: `${broken.join("; ")}.`, shownAs };
}

/** Why a text is refused that must be there, or null. A space is enough. */
export const brokenName = (text: string, lengthMax = TEXT_MAX): string | null =>
  text === "" ? "cannot be blank" : tooLong(text, lengthMax);

/** Why a text is refused that may be empty, or null. */
export const tooLong = (text: string, lengthMax = TEXT_MAX): string | null =>
  text.length > lengthMax ? `is longer than ${lengthMax} characters` : null;
