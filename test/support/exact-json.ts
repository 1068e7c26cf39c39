/** A JSON number as it was written: no digit is lost, none is made up. */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | string | ExactNumber | Json[] | { [key: string]: Json };

/** Reads JSON with the source text of every number. Throws on text that is no JSON. */
export function parseExact(text: string): Json {
  return asJson(
    JSON.parse(text, (_key, value, context) =>
      typeof value === "number" ? new ExactNumber(context?.source ?? String(value)) : value,
    ),
  );
}

/** Writes JSON with every number as it was read. */
export const writeExact = (value: Json): string =>
  JSON.stringify(value, (_key, part) =>
    part instanceof ExactNumber ? JSON.rawJSON(part.text) : part,
  );

function asJson(value: unknown): Json {
  if (isJson(value)) return value;
  throw new TypeError("this is no JSON value");
}

const isJson = (value: unknown): value is Json =>
  value === null ||
  ["boolean", "string"].includes(typeof value) ||
  value instanceof ExactNumber ||
  (Array.isArray(value)
    ? value.every(isJson)
    : isObject(value) && Object.values(value).every(isJson));

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether a value is a JSON object: no list, no number. */
export const isJsonObject = (value: Json | undefined): value is { [key: string]: Json } =>
  isObject(value) && !Array.isArray(value) && !(value instanceof ExactNumber);

/** One text for each decimal value: `1.50e3`, `1500.0` and `1500` are the same. */
export function decimalValue({ text }: ExactNumber): string {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${text.startsWith("-") ? "-" : ""}${significant}e${power}`;
}
