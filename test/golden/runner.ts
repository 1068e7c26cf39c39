import { type Json, parseExact, writeExact } from "../support/exact-json";
import { eventsSoFar } from "../support/inbox";
import { until } from "../support/until";
import { differences } from "./compare";
import { plainText, valueAt } from "./path";
import { fill, fillText, type Values } from "./placeholder";
import { type RecordedRequest, type Step, wantedOf } from "./scenario";

const PATIENCE_SECONDS = 20;

/** Who answers, and the master key that is sent with every request. */
export interface Server {
  readonly key: string;
  send(request: Request): Promise<Response>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the text is no JSON. */
  readonly body: Json | undefined;
}

/** Carries out one step, and captures its values. Answers in words where the answer differs from the recorded one. */
export async function playStep(
  step: Step,
  server: Server,
  values: Map<string, Json>,
): Promise<string[]> {
  const answer = await untilTrue(step, values, () => answerOf(step, server, values));
  for (const [name, path] of Object.entries(step.capture ?? {})) {
    const value = answer.body === undefined ? undefined : valueAt(answer.body, path);
    if (value !== undefined) values.set(name, value);
  }
  return judge(step, answer, values);
}

/** Asks again while the step waits for something to come true; the last answer when time is over. */
async function untilTrue(
  step: Step,
  values: Values,
  ask: () => Promise<Answer | null>,
): Promise<Answer> {
  const answer = await until(
    ask,
    (last) => last !== null && holds(step.until ?? {}, last, values),
    (last) => (last === null ? "no such webhook came in time" : `in vain: ${last.text}`),
    1000 * (step.within ?? PATIENCE_SECONDS),
  );
  if (answer === null) throw new Error("nothing was answered");
  return answer;
}

function holds(wanted: { [path: string]: Json }, answer: Answer, values: Values): boolean {
  return Object.entries(wanted).every(([path, value]) => {
    const accepted = [fill(value, values)].flat().map(plainText);
    const found = path === "status" ? String(answer.status) : valueIn(answer, path);
    return accepted.includes(found);
  });
}

const valueIn = ({ body }: Answer, path: string): string =>
  body === undefined ? "" : plainText(valueAt(body, path));

async function answerOf(step: Step, server: Server, values: Values): Promise<Answer | null> {
  if (step.hook !== undefined) return findHook(wantedOf(step.hook), values);
  if (step.request === undefined) return null;
  const response = await server.send(requestOf(step.request, server, values));
  return readAnswer(response.status, response.headers, await response.text());
}

async function findHook(wanted: { [path: string]: Json }, values: Values): Promise<Answer | null> {
  const received = await eventsSoFar();
  const answers = received.map(({ headers, body }) => readAnswer(0, new Headers(headers), body));
  return answers.find((answer) => holds(wanted, answer, values)) ?? null;
}

function readAnswer(status: number, headers: Headers, text: string): Answer {
  try {
    return { status, headers, text, body: parseExact(text) };
  } catch {
    return { status, headers, text, body: undefined };
  }
}

function requestOf(recorded: RecordedRequest, server: Server, values: Values): Request {
  const headers = new Headers({ "Content-Type": "application/json", "X-Blnk-Key": server.key });
  for (const [name, value] of Object.entries(recorded.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, fillText(value, values));
  }
  const { raw, body } = recorded;
  const json = body === undefined ? null : writeExact(fill(body, values));
  return new Request(`http://localhost${fillText(recorded.path, values)}`, {
    method: recorded.method,
    headers,
    body: raw === undefined ? json : fillText(raw, values),
    redirect: "manual",
  });
}

async function judge(step: Step, answer: Answer, values: Values): Promise<string[]> {
  const { status, body, text, headers = {} } = step.response ?? {};
  if (status !== undefined && status !== answer.status && step.loose?.includes("status") !== true) {
    return [`status: expected ${status} got ${answer.status} ${answer.text.slice(0, 300)}`];
  }
  const found: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const got = answer.headers.get(name);
    if (got !== value) found.push(`header ${name}: expected ${value} got ${got}`);
  }
  if (text !== undefined && text !== answer.text) {
    found.push(`text: expected ${text} got ${answer.text}`);
  }
  if (step.signed === true && !(await isSigned(answer, plainText(values.get("key"))))) {
    found.push("headers: the signature does not fit");
  }
  if (body === undefined) return found;
  return [...found, ...differences(fill(body, values), answer.body, step)];
}

/** Whether a webhook carries the HMAC-SHA256 of its timestamp and body. */
async function isSigned({ headers, text }: Answer, key: string): Promise<boolean> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", bytes.encode(key), algorithm, false, [
    "verify",
  ]);
  const message = bytes.encode(`${headers.get("x-blnk-timestamp")}.${text}`);
  const pairs = (headers.get("x-blnk-signature") ?? "").match(/../g) ?? [];
  const signature = Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify("HMAC", secret, signature, message);
}

/** The values that every run starts with: a token that no other run has used, and the key. */
export const firstValues = (key: string): Map<string, Json> =>
  new Map<string, Json>([
    ["unique", `u${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`],
    ["key", key],
  ]);
