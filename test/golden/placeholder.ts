import { ExactNumber, isJsonObject, type Json } from "../support/exact-json";
import { plainText } from "./path";

/** Values that steps captured, by name. */
export type Values = ReadonlyMap<string, Json>;

const MILLIS = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A text with `{{name}}`, `{{now+5s}}` and `{{repeat:x:300}}` filled in. Throws for a name without a value. */
export const fillText = (text: string, values: Values): string =>
  text.replace(/\{\{([^}]+)\}\}/g, (_all, name: string) => filledIn(name, values));

function filledIn(name: string, values: Values): string {
  const [, piece, count] = /^repeat:(.*):(\d+)$/.exec(name) ?? [];
  if (piece !== undefined) return piece.repeat(Number(count));
  const [moment, sign = "+", size = "0", unit = "s"] =
    /^now(?:([+-])(\d+)([smhd]))?$/.exec(name) ?? [];
  if (moment !== undefined) {
    const at = Date.now() + Number(`${sign}${size}`) * (MILLIS.get(unit) ?? 0);
    return new Date(at).toISOString().replace(/\.\d+Z$/, "+00:00");
  }
  const value = values.get(name);
  if (value === undefined) throw new Error(`no step captured {{${name}}}`);
  return plainText(value);
}

/** The same for every text in a value. `{"$repeat": n, "item": x}` becomes a list of n, `{{index}}` in it the position. */
export function fill(value: Json, values: Values): Json {
  if (typeof value === "string") {
    const alone = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
    const captured = alone === undefined ? undefined : values.get(alone);
    return captured instanceof ExactNumber ? captured : fillText(value, values);
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, values));
  if (!isJsonObject(value)) return value;
  const { $repeat: times, item } = value;
  if (times instanceof ExactNumber && item !== undefined) {
    return Array.from({ length: Number(times.text) }, (_, index) =>
      fill(item, new Map([...values, ["index", new ExactNumber(String(index))]])),
    );
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [fillText(key, values), fill(part, values)]),
  );
}

const ID = "[A-Za-z0-9-]{8,}";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether an answer fits a recorded text: a placeholder such as `<time>` or `<id:txn>_refund`, or the text itself. */
export function fitsText(recorded: string, answered: Json | undefined): boolean {
  if (typeof answered !== "string") return false;
  const length = /^<long:(\d+)>$/.exec(recorded)?.[1];
  if (length !== undefined) return answered.length === Number(length);
  if (recorded === "<time>") {
    return TIME.test(answered) && !answered.startsWith("0001-") && Date.parse(answered) > 0;
  }
  if (recorded === "<hash>") return /^[0-9a-f]{64}$/.test(answered);
  if (recorded === "<text>") return answered.length > 0;
  if (!/<id(?::\w+)?>/.test(recorded)) return recorded === answered;
  const source = recorded
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/<id:(\w+)>/g, `$1_${ID}`)
    .replace(/<id>/g, ID);
  return new RegExp(`^${source}$`).test(answered);
}
