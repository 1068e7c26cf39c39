/** What the examples share: who to talk to, and an account of what happened in which every figure is checked. */
import { isDeepStrictEqual } from "node:util";
import { BlnkInit } from "@blnkfinance/blnk-typescript";

/** The server, and the master key to send; "" when it asks for none. */
export const baseUrl = process.env.BASE_URL ?? "http://localhost:5001";
export const masterKey = process.env.PURSER_MASTER_KEY ?? "";

/** A text that makes the references of this run its own. */
export const run = Date.now().toString(36);

const quiet = { info() {}, error() {} };

/** The official client. It reports refusals in its answers, so its log is not needed. */
export const blnk = BlnkInit(masterKey, { baseUrl, logger: quiet });

/** An answer of the official client. */
export interface SdkAnswer<T> {
  readonly status: number;
  readonly message: string;
  readonly data: T | null;
}

/** What an answer brought. Throws when it is a refusal. */
export function dataOf<T>({ status, message, data }: SdkAnswer<T>): T {
  if (status >= 300 || data === null) throw new Error(`the server answered ${status}: ${message}`);
  return data;
}

/** An answer to plain HTTP. Throws when it is a refusal. */
export async function getJson(path: string): Promise<unknown> {
  const response = await fetch(`${baseUrl}${path}`, { headers: { "X-Blnk-Key": masterKey } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** Minor units of dollars, readable: 84975n is 849.75 USD. */
export function dollars(minor: bigint): string {
  const cents = minor < 0n ? -minor : minor;
  const decimals = String(cents % 100n).padStart(2, "0");
  return `${minor < 0n ? "-" : ""}${cents / 100n}.${decimals} USD`;
}

/** A headline of the account. */
export const say = (sentence: string): void => console.log(`\n${sentence}`);

/** A line of the account. The whole example fails when what is shown is not what was expected. */
export function show(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${readable(expected)}, got ${readable(actual)}`);
  }
  console.log(`  ${what.padEnd(44)} ${readable(actual)}`);
}

function readable(value: unknown): string {
  if (typeof value === "bigint") return dollars(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What `ask` answers as soon as it is not null. Throws when it takes longer than half a minute. */
export async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise((again) => setTimeout(again, 100));
  }
  throw new Error(`${what} did not happen in time`);
}

/** Runs an example, and ends the process with 1 when a figure was wrong. */
export async function tell(story: () => Promise<void>): Promise<void> {
  try {
    await story();
    console.log("\nEvery figure is right.");
  } catch (error) {
    console.error(`\nWrong: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
