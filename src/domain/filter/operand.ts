import { sortableDecimal } from "../amount";
import { parseMoment } from "./moment";

/**
 * A value of a filter: typed by JSON in a body, or `bare` in a query string, where it is read as its field wants it.
 * `other` is what no field takes: an object, a list, null.
 */
export type Operand =
  | { readonly type: "bare" | "text" | "number" | "boolean"; readonly text: string }
  | { readonly type: "other" };

const DECIMAL = /^[+-]?(\d{1,1000}(\.\d{0,1000})?|\.\d{1,1000})([eE][+-]?\d{1,3})?$/;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A value for a text field, as it is; null when it is not text. */
export const textOf = (operand: Operand): string | null =>
  operand.type === "bare" || operand.type === "text" ? operand.text : null;

/** A value for an amount, as the key that sorts like the number; null when it is no decimal. */
export function amountOf(operand: Operand): string | null {
  const decimal = decimalOf(operand);
  return decimal === null ? null : sortableDecimal(decimal);
}

/** A decimal without a plus sign; null when the value is none, or so long that arithmetic on it would be a burden. */
export function decimalOf(operand: Operand): string | null {
  if (operand.type === "other" || operand.type === "boolean") return null;
  return DECIMAL.test(operand.text) ? operand.text.replace("+", "") : null;
}

/** A value for an instant: the first moment of what is written; null when it is no date. */
export function instantOf(operand: Operand): string | null {
  const text = textOf(operand);
  return text === null ? null : (parseMoment(text)?.start ?? null);
}

/** The form in which a value of the metadata is compared as text; null for what has none. */
export const metaTextOf = (operand: Operand): string | null =>
  operand.type === "other" ? null : operand.text;

/** The JSON type of a value; a bare one is a number or boolean where JSON would read it so, else text. */
export function scalarOf(
  operand: Operand,
): { readonly type: "text" | "number" | "boolean"; readonly value: string } | null {
  if (operand.type === "other") return null;
  const { text } = operand;
  if (operand.type !== "bare") return { type: operand.type, value: text };
  if (JSON_NUMBER.test(text) && decimalOf(operand) !== null) return { type: "number", value: text };
  const isBoolean = text === "true" || text === "false";
  return { type: isBoolean ? "boolean" : "text", value: text };
}
