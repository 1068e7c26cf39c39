/**
 * `npm run rebuild`: rebuilds D1's transactions and balances from the objects of a running server, step by step.
 * BASE_URL names it (http://localhost:5001 unless it says otherwise), PURSER_MASTER_KEY opens it. Stopped or failed, it says
 * how to go on: `npm run rebuild -- --cursor=…`.
 */
const baseUrl = (process.env.BASE_URL ?? "http://localhost:5001").replace(/\/$/, "");
const key = process.env.PURSER_MASTER_KEY ?? "";
const ATTEMPTS = 6;

interface Step {
  readonly part: string;
  readonly shard: number | null;
  readonly shards: number;
  readonly checked: number;
  readonly written: number;
  readonly removed: number;
  readonly unreadable: readonly string[];
  readonly next_cursor: string | null;
}

/** What may be better in a moment: a step can be repeated. */
class Trouble extends Error {}

let cursor: string | null = null;
for (const argument of process.argv.slice(2)) {
  const [, given] = /^--cursor=(.+)$/.exec(argument) ?? [];
  if (given === undefined) {
    console.error("usage: npm run rebuild [-- --cursor=…]");
    process.exit(2);
  }
  cursor = given;
}

process.once("SIGINT", () => {
  sayHowToGoOn();
  process.exit(130);
});

const sum = { checked: 0, written: 0, removed: 0, unreadable: 0 };
try {
  do {
    const step = await patiently(() => take(cursor));
    sum.checked += step.checked;
    sum.written += step.written;
    sum.removed += step.removed;
    sum.unreadable += step.unreadable.length;
    for (const id of step.unreadable) console.error(`${id} cannot be read in its shard`);
    const where = step.shard === null ? "D1" : `shard ${step.shard + 1} of ${step.shards}`;
    console.log(
      `${where}, ${step.part}: ${sum.checked} rows compared, ${sum.written} written, ${sum.removed} removed`,
    );
    cursor = step.next_cursor;
  } while (cursor !== null);
  console.log(sum.written + sum.removed === 0 ? "Nothing had to change." : "D1 is as the objects.");
  process.exitCode = sum.unreadable === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  sayHowToGoOn();
  process.exitCode = 1;
}

function sayHowToGoOn(): void {
  if (cursor !== null) console.error(`go on with: npm run rebuild -- --cursor=${cursor}`);
}

async function take(from: string | null): Promise<Step> {
  const query = from === null ? "" : `?cursor=${encodeURIComponent(from)}`;
  const response = await fetch(`${baseUrl}/admin/rebuild${query}`, {
    method: "POST",
    headers: key === "" ? {} : { "X-Blnk-Key": key },
  });
  const text = await response.text();
  if (response.status >= 500) throw new Trouble(`${response.status} ${text}`);
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text);
}

async function patiently(call: () => Promise<Step>): Promise<Step> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const passes = error instanceof Trouble || error instanceof TypeError;
      if (!passes || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
    }
  }
}
