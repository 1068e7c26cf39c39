import { z } from "zod";
import { isJsonObject, type Json, parseExact } from "../support/exact-json";

const json = z.custom<Json>((value) => value !== undefined);
const paths = z.array(z.string()).optional();
const wholeNumber = z
  .custom<Json>()
  .transform((value) => Number(z.object({ text: z.string() }).parse(value).text));

const response = z.object({
  status: wholeNumber.optional(),
  body: json.optional(),
  text: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

const request = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string().nullable()).optional(),
  body: json.optional(),
  raw: z.string().optional(),
});

const step = z.object({
  name: z.string(),
  request: request.optional(),
  /** Waits for a webhook whose body has these values at these paths. */
  hook: z.record(z.string(), json).optional(),
  signed: z.boolean().optional(),
  capture: z.record(z.string(), z.string()).optional(),
  /** Asks again until the answer has these values at these paths. */
  until: z.record(z.string(), json).optional(),
  within: wholeNumber.optional(),
  response: response.optional(),
  loose: paths,
  unordered: paths,
  contains: paths,
});

const scenario = z.object({ name: z.string(), about: z.string(), steps: z.array(step) });

/** A recorded story: requests to the real Blnk and what it answered. */
export type Scenario = z.infer<typeof scenario>;
export type Step = z.infer<typeof step>;
export type RecordedRequest = z.infer<typeof request>;

/** Reads a transcript. Throws when it has another form. */
export const readScenario = (text: string): Scenario => scenario.parse(parseExact(text));

/** What a hook step looks for: paths with the values that are accepted there. */
export function wantedOf(hook: { [path: string]: Json }): { [path: string]: Json } {
  const { match, ...rest } = hook;
  return isJsonObject(match) ? { ...rest, ...match } : rest;
}
