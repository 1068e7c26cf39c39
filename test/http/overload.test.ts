import { env } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import { shardOf, transactionIdOf } from "../../src/domain/ids";
import { newestOf } from "../../src/services/batches/newest";
import { call, codeOf, get, textOf } from "../support/api";
import { clearFaults, passedSteps, setFaults, WELL } from "../support/faults";
import { amountsOf, fundedBalance, unique } from "../support/ledger";
import { Moment } from "../support/moment";

const INSTANCE = "default";
afterEach(() => clearFaults(INSTANCE));

/** How many shards the journal has. */
async function shardCount(): Promise<number> {
  const row = await env.DB.prepare("SELECT journal_shards AS shards FROM instances").first<{
    shards: number;
  }>();
  return row?.shards ?? 0;
}

/** References that all belong to the first shard. */
function referencesOfFirstShard(count: number, shards: number): string[] {
  const references: string[] = [];
  while (references.length < count) {
    const reference = unique("flood");
    if (shardOf(transactionIdOf(INSTANCE, reference), shards) === 0) references.push(reference);
  }
  return references;
}

it("503 with Retry-After promises that nothing was done; the same request is taken later", async () => {
  const hot = await fundedBalance(10_000n);
  const shards = await shardCount();
  const atOnce = Math.max(16, 128 / shards);
  const [extra = "", ...references] = referencesOfFirstShard(atOnce + 1, shards);
  const opened = new Moment();
  setFaults(INSTANCE, {
    call: ({ method, name }) =>
      method === "balance.execute" && name.endsWith(hot)
        ? { kind: "slow", until: () => opened.came() }
        : WELL,
  });
  const pay = (reference: string, headers: Record<string, string> = {}) =>
    call("POST", "/transactions", {
      body: {
        reference,
        source: hot,
        destination: `@${reference}`,
        precise_amount: 100,
        precision: 100,
        currency: "USD",
        description: "one of many",
        skip_queue: true,
      },
      headers,
    });
  const flood = Promise.all(references.map((reference) => pay(reference)));
  const inserted = () => passedSteps(INSTANCE).filter((step) => step === "record:inserted").length;
  await expect.poll(inserted, { timeout: 10_000 }).toBe(atOnce);
  const key = { "Idempotency-Key": unique("key") };
  const answer = await pay(extra, key);
  expect([answer.status, codeOf(answer)]).toEqual([503, "GEN_OVERLOADED"]);
  expect(answer.headers.get("Retry-After")).toBe("1");
  expect(answer.headers.get("Idempotent-Replayed")).toBeNull();
  expect((await get(`/transactions/reference/${extra}`)).status).toBe(404);

  opened.comes();
  expect((await flood).map(({ status }) => status)).toEqual(references.map(() => 201));
  const taken = await pay(extra, key);
  expect([taken.status, textOf(taken, "status")]).toEqual([201, "APPLIED"]);
  expect((await amountsOf(hot)).debit).toBe(BigInt(atOnce + 1) * 100n);
});

it("of many, what is turned away is unknown as a whole when others are done", () => {
  const done = { ok: true, value: "done", replayed: false } as const;
  const turnedAway = {
    ok: false,
    error: { code: "GEN_OVERLOADED", message: "no room" },
    replayed: false,
  } as const;
  const codeFor = (...replies: Parameters<typeof newestOf>[0]) => {
    const answer = newestOf(replies, () => false);
    return answer === null || answer.ok ? null : answer.error.code;
  };
  expect(codeFor(turnedAway, turnedAway)).toBe("GEN_OVERLOADED");
  expect(codeFor(done, turnedAway)).toBe("GEN_OUTCOME_UNKNOWN");
});
