import { ExactNumber, isJsonObject, type Json } from "../support/exact-json";

/**
 * The value at a path of the transcripts: `$.key`, `$[0]`, `$.list[key=value]` (the first element that fits),
 * `$.list.length()`. Undefined where there is none.
 */
export function valueAt(body: Json, path: string): Json | undefined {
  const steps = path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? [];
  return steps.slice(1).reduce<Json | undefined>(stepInto, body);
}

function stepInto(at: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(at)) {
    if (step === "length()") return new ExactNumber(String(at.length));
    if (/^\[\d+\]$/.test(step)) return at[Number(step.slice(1, -1))];
    const [key = "", ...wanted] = step.slice(1, -1).split("=");
    return at.find((element) => plainText(valueAt(element, `$.${key}`)) === wanted.join("="));
  }
  return isJsonObject(at) ? at[step] : undefined;
}

/** A value as text, numbers with their own digits. */
export const plainText = (value: Json | undefined): string =>
  value instanceof ExactNumber ? value.text : String(value);

/** Whether a place, such as `$.data[3].hash`, is one that a pattern names. `$..hash` is a `hash` at any depth. */
export const names = (pattern: string, place: string): boolean =>
  new RegExp(`^${sourceOf(pattern)}$`).test(place);

/** Whether a place is one that a pattern names, or lies inside one. */
export const covers = (pattern: string, place: string): boolean =>
  new RegExp(`^${sourceOf(pattern)}(?:[.[].*)?$`).test(place);

const sourceOf = (pattern: string): string =>
  pattern
    .split(/(\$\.\.|\[\*\])/)
    .map((piece) => {
      if (piece === "$..") return "\\$(?:[.[].*)?\\.";
      return piece === "[*]" ? "\\[\\d+\\]" : piece.replace(/[$.[\]()]/g, "\\$&");
    })
    .join("");
