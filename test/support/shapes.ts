import type { Shape } from "./faults";

/** A field that no version knows yet. A row that came with one has it as long as it is in memory; it is never written. */
export const UNKNOWN_FIELD = "of_a_newer_version";

/** Fields that callers of before do not send, and that the protocols say may be missing. */
const NEWER_FIELDS: ReadonlySet<string> = new Set(["seal"]);

/** What is data of clients: no version adds to it. */
const DATA: ReadonlySet<string> = new Set(["details"]);

/** A value as another version of its sender would have it. Texts, amounts and maps stay as they are. */
export function shaped<T>(shape: Shape, value: T): T {
  return shape === "same" ? value : (reshaped(shape, value) as T);
}

function reshaped(shape: Shape, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => reshaped(shape, each));
  if (!isPlain(value)) return value;
  const fields = Object.entries(value).flatMap(([name, each]) => {
    if (shape === "older" && NEWER_FIELDS.has(name)) return [];
    return [[name, DATA.has(name) ? each : reshaped(shape, each)]];
  });
  return Object.fromEntries([
    ...fields,
    ...(shape === "newer" ? [[UNKNOWN_FIELD, { is: "unknown" }]] : []),
  ]);
}

const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
