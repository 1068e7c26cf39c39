import { env, exports } from "cloudflare:workers";

/** What a body may hold: whole numbers are bigint, whatever their size. */
export type Value = null | boolean | string | number | bigint | Value[] | { [key: string]: Value };

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; null when there is none, a text when it is not JSON. */
  readonly body: Value;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent instead of a JSON body, as it is. */
  readonly raw?: string;
  /** Added to the master key and the content type; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** Asks the tests' Worker as the master. Whole numbers go both ways without losing a digit. */
export async function call(
  method: string,
  path: string,
  { body, raw, headers = {} }: RequestOptions = {},
): Promise<Answer> {
  const sent = new Headers({
    "Content-Type": "application/json",
    "X-Blnk-Key": env.PURSER_MASTER_KEY ?? "",
  });
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) sent.delete(name);
    else sent.set(name, value);
  }
  const response = await exports.default.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: sent,
      body: raw ?? (body === undefined ? null : writeJson(body)),
      redirect: "manual",
    }),
  );
  return answerOf(response);
}

/** A response as tests look at it. */
export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: bodyIn(response, text),
  };
}

export const get = (path: string): Promise<Answer> => call("GET", path);
export const post = (path: string, body: unknown): Promise<Answer> => call("POST", path, { body });
export const put = (path: string, body: unknown): Promise<Answer> => call("PUT", path, { body });

/** A field of an answer's body; throws, with the whole answer, when the body is no object or lacks it. */
export function field(answer: Answer, name: string): Value {
  const { body } = answer;
  const isRecord = typeof body === "object" && body !== null && !Array.isArray(body);
  const value = isRecord ? body[name] : undefined;
  if (value !== undefined) return value;
  throw new Error(`no ${name} in ${answer.status} ${writeJson(body)}`);
}

/** A field that holds a text, such as an id. */
export const textOf = (answer: Answer, name: string): string => String(field(answer, name));

/** A field that holds a whole number. */
export function wholeOf(answer: Answer, name: string): bigint {
  const value = field(answer, name);
  if (typeof value === "bigint") return value;
  throw new Error(`${name} is no whole number: ${writeJson(value)}`);
}

/** The elements of an answer that is a list. */
export function listOf(answer: Answer): Value[] {
  if (Array.isArray(answer.body)) return answer.body;
  throw new Error(`no list: ${answer.status} ${writeJson(answer.body)}`);
}

/** The code of a refusal. */
export function codeOf(answer: Answer): string {
  const detail = field(answer, "error_detail");
  return textOf({ ...answer, body: detail }, "code");
}

/** JSON with bigints as bare digits. */
export const writeJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? JSON.rawJSON(part.toString()) : part,
  );

function bodyIn(response: Response, text: string): Value {
  if (text === "") return null;
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json") === true;
  return isJson ? readJson(text) : text;
}

/** A JSON text, every digit of its whole numbers kept. */
export function readJson(text: string): Value {
  const value = JSON.parse(text, (_key, part, context) =>
    typeof part === "number" && /^-?\d+$/.test(context?.source ?? "")
      ? BigInt(context?.source ?? "")
      : part,
  );
  if (isValue(value)) return value;
  throw new TypeError("this is no JSON value");
}

function isValue(value: unknown): value is Value {
  if (value === null) return true;
  if (typeof value === "object") return Object.values(value).every(isValue);
  return ["boolean", "string", "number", "bigint"].includes(typeof value);
}
