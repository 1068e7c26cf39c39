import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { shardOf } from "../../src/domain/ids";
import { get, post, writeJson } from "../support/api";
import { audit } from "../support/audit";
import { settledDown } from "../support/everything";
import { newBalances, unique } from "../support/ledger";
import { anonymous, postingFor } from "../support/postings";
import { dump, rebuild } from "../support/rebuild";
import { SHARDS, World } from "../support/world";

const TRANSACTIONS = 10_000;
const BATCH = 2_500;

/** Ten thousand transfers in a circle of balances, that end where they began. */
async function bigLedger(): Promise<void> {
  const balances = await newBalances(25);
  const prefix = unique("big");
  for (let from = 0; from < TRANSACTIONS; from += BATCH) {
    const transactions = Array.from({ length: BATCH }, (_none, index) => ({
      reference: `${prefix}-${from + index}`,
      precise_amount: 1 + (index % 7),
      precision: 100,
      currency: "USD",
      description: "a transfer",
      source: balances[index % balances.length],
      destination: balances[(index + 1) % balances.length],
      allow_overdraft: true,
      meta_data: { number: from + index },
    }));
    const sent = await post("/transactions/bulk", { skip_queue: true, atomic: true, transactions });
    expect(sent.status, writeJson(sent.body)).toBe(201);
  }
  await settledDown();
  // A list waits until D1 has what the balances told as well.
  expect((await get("/balances?limit=1")).status).toBe(200);
}

it("law 8: what an atomic batch leaves in its balances reaches D1, though all its rows are in another shard", async () => {
  const world = new World("quiet");
  const inOtherShard = (reference: string) => shardOf(world.idOf(reference), SHARDS) === 1;
  const references = Array.from({ length: 20 }, (_none, index) => `item-${index}`);
  const [before = "", first = "", second = ""] = references.filter(inOtherShard);
  // The balances exist: making them would take them to D1 by another way.
  await world.post({ reference: before, from: "@world", to: "@alice", amount: 1n });
  expect(await world.journal.barrier()).toBe(true);
  const batchId = `bulk_00${crypto.randomUUID().slice(2)}` as const;
  const items = [first, second].map((reference) => ({
    ...postingFor(world.instance, { reference, from: "@world", to: "@alice", amount: 5n }),
    parentTransaction: batchId,
  }));
  const options = { atomic: true, inflight: false, skipQueue: true, runAsync: false };

  const answer = await world.journal.recordBatch({
    batchId,
    options,
    items,
    operation: anonymous(),
  });

  expect(answer).toMatchObject({ ok: true, value: { status: "applied" } });
  expect(await world.journal.barrier()).toBe(true);
  const { balances, projectedBalances } = await audit(world);
  expect(balances.size).toBe(2);
  for (const [id, { snapshot }] of balances) expect(projectedBalances.get(id)).toEqual(snapshot);
});

it("law 8: D1 equals the objects of a ledger of ten thousand transactions, also after it was emptied", async () => {
  await bigLedger();
  const sound = await dump();
  expect(sound.length).toBe(TRANSACTIONS + 25);

  expect(await rebuild()).toMatchObject({ written: 0, removed: 0 });
  const untouched = await dump();
  expect(untouched.every((row, index) => row === sound[index])).toBe(true);

  await env.DB.batch([
    env.DB.prepare("DELETE FROM transactions WHERE instance_id = 'default'"),
    env.DB.prepare("DELETE FROM balances WHERE instance_id = 'default'"),
  ]);
  expect(await rebuild()).toMatchObject({ written: TRANSACTIONS + 25, removed: 0 });
  const restored = await dump();
  expect(restored.length).toBe(sound.length);
  expect(restored.filter((row, index) => row !== sound[index])).toEqual([]);
}, 180_000);
