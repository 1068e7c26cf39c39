import { z } from "@hono/zod-openapi";
import type { MetaDataText } from "../domain/metadata";
import { parseInstant } from "../domain/time";
import { isJsonObject, MALFORMED, numberText } from "./json";

/** Far more than any amount of money, and few enough that arithmetic on a hostile number stays cheap. */
const DIGITS_MAX = 400;
const INTEGER = new RegExp(`^-?\\d{1,${DIGITS_MAX}}$`);

/**
 * A body: an object whose keys match whatever their case, of which the last one wins, and in which null is the same as
 * absent (contract/core.md section 1.5). Unknown keys are ignored.
 */
export function bodyOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const nameByLowerCase = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  const names = new Set(nameByLowerCase.values());
  const known = (body: unknown): unknown => {
    if (!isJsonObject(body)) return JSON.isRawJSON(body) ? MALFORMED : body;
    const entries = Object.entries(body);
    // Nearly every body is written as documented, and is read as it is.
    if (entries.every(([key, value]) => value !== null && names.has(key))) return body;
    const kept = new Map<string, unknown>();
    for (const [key, value] of entries) {
      const name = nameByLowerCase.get(key.toLowerCase());
      if (name !== undefined && value !== null) kept.set(name, value);
    }
    return Object.fromEntries(kept);
  };
  return z.preprocess(known, z.object(shape));
}

/** A bare JSON integer of any length, as bigint: `5.0`, `1e3` and `"5"` are none. */
export const wireBigint = z
  .unknown()
  .transform((value, context): bigint => {
    const text = numberText(value);
    if (text !== null && INTEGER.test(text)) return BigInt(text);
    context.addIssue({ code: "custom", message: "must be a whole number, written in digits" });
    return z.NEVER;
  })
  .openapi({ type: "integer" });

/** A JSON number as the decimal text that the client wrote, bounded so that exact arithmetic on it stays cheap. */
export const wireDecimalText = z
  .unknown()
  .transform((value, context): string => {
    const text = numberText(value);
    if (text !== null && isBounded(text)) return text;
    context.addIssue({ code: "custom", message: "must be a number" });
    return z.NEVER;
  })
  .openapi({ type: "number" });

function isBounded(text: string): boolean {
  const [digits = "", exponent = "0"] = text.toLowerCase().split("e");
  return digits.length <= DIGITS_MAX && Math.abs(Number(exponent)) <= DIGITS_MAX;
}

/** An RFC 3339 time with its zone, as a UTC instant. */
export const wireInstant = z
  .string()
  .transform((text, context) => {
    const instant = parseInstant(text);
    if (instant !== null) return instant;
    context.addIssue({ code: "custom", message: "must be a time as in 2031-04-05T00:00:00Z" });
    return z.NEVER;
  })
  .openapi({ type: "string", format: "date-time", example: "2031-04-05T00:00:00Z" });

/** An RFC 3339 time with its zone, as it was written: for times that are echoed. */
export const wireTime = z
  .string()
  .refine((text) => parseInstant(text) !== null, "must be a time as in 2031-04-05T00:00:00Z")
  .openapi({ type: "string", format: "date-time", example: "2031-04-05T00:00:00Z" });

/** A JSON object of the client's own, as its text: numbers in it keep every digit. */
export const wireMetaData = z
  .unknown()
  .transform((value, context): MetaDataText => {
    if (isJsonObject(value)) return JSON.stringify(value);
    context.addIssue({ code: "custom", message: "must be an object" });
    return z.NEVER;
  })
  .openapi({ type: "object", additionalProperties: true });

/** For answers: a whole number of any length, in minor units where it is money. */
export const integerOut = z.custom<RawJson>().openapi({ type: "integer" });

/** For answers: a decimal. */
export const decimalOut = z.custom<RawJson>().openapi({ type: "number" });

/** For answers: an RFC 3339 time in UTC; `0001-01-01T00:00:00Z` when unset. */
export const instantOut = z.string().openapi({ format: "date-time" });

/** For answers: a client's own object. */
export const objectOut = z
  .record(z.string(), z.unknown())
  .openapi({ type: "object", additionalProperties: true });

/** What every refusal looks like (contract/core.md section 1.8). */
export const ErrorBody = z
  .object({
    error: z.string().optional().openapi({ description: "The sentence for people." }),
    errors: z
      .union([z.string(), z.array(z.object({ Param: z.string(), Message: z.string() }))])
      .optional()
      .openapi({ description: "In place of `error` where field rules or query filters failed." }),
    error_detail: z.object({
      code: z.string().openapi({
        description: "What programs look at; together with the HTTP status it is stable.",
        example: "TXN_NOT_FOUND",
      }),
      message: z.string(),
      details: z.unknown().optional(),
    }),
  })
  .openapi("Error");

/** A response of the OpenAPI document whose body is JSON of that schema. */
export const jsonResponse = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** A refusal in the OpenAPI document: the codes that it may carry, in words. */
export const refusalResponse = (description: string) => jsonResponse(ErrorBody, description);
