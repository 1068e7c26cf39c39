import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { type BatchId, isBatchId, shardOf } from "../../src/domain/ids";
import { BatchStore } from "../../src/durable/journal/batch-store";
import { textOf } from "../support/api";
import { appOf } from "../support/app";
import { workLeft } from "../support/audit";
import { type Column, findingsOf, found, walk } from "../support/integrity";
import { SHARDS, World } from "../support/world";

let world: World;
let batchId: BatchId;

const bulk = (how: object, amounts: readonly number[]) =>
  appOf(world)("POST", "/transactions/bulk", {
    body: {
      ...how,
      transactions: amounts.map((precise_amount, at) => ({
        reference: `b-${JSON.stringify(how).length}-${at}`,
        description: "d",
        precise_amount,
        precision: 1,
        currency: "USD",
        source: "@alice",
        destination: "@bob",
      })),
    },
  });

beforeEach(async () => {
  world = new World("batches");
  await world.register();
  await world.fund("@alice", 100n);
  await bulk({ skip_queue: true }, [1, 1, 1_000]);
  await bulk({ skip_queue: false, inflight: true }, [1, 1]);
  const id = textOf(await bulk({ atomic: true, skip_queue: true }, [2, 2, 2]), "batch_id");
  if (!isBatchId(id)) throw new Error("no batch");
  batchId = id;
  await expect.poll(() => workLeft(world), { timeout: 20_000 }).toBe(0);
  expect(await world.journal.barrier()).toBe(true);
  await expect.poll(() => found(world), { timeout: 20_000 }).toEqual([]);
});

const onShard = <T>(work: (sql: SqlStorage) => T): Promise<T> => {
  const shard = world.shards()[shardOf(batchId, SHARDS)];
  if (shard === undefined) throw new Error("no shard");
  return runInDurableObject(shard, (_shard, { storage }) => work(storage.sql));
};

const seen = async () => [...new Set((await found(world)).map(({ code, id }) => `${code} ${id}`))];

const other = (value: Column): Column =>
  typeof value === "number"
    ? value + 1
    : value === null
      ? "{}"
      : `${value.slice(0, -1)}${value.endsWith("9") ? 8 : 9}`;

describe("a batch", () => {
  it.each([
    ["batches", ["header", "status", "done", "step", "failure", "work", "ended_at", "seal"]],
    ["batch_items", ["sequence", "posting", "error", "seal"]],
  ])("is found with any other column in %s", async (table, columns) => {
    const row = await onShard((sql) =>
      sql
        .exec<Record<string, Column>>(`SELECT * FROM ${table} WHERE batch_id = ? LIMIT 1`, batchId)
        .one(),
    );
    const at = table === "batches" ? "" : ` AND seal = '${row["seal"]}'`;
    const missed: string[] = [];
    for (const column of columns) {
      const where = column === "seal" && table === "batch_items" ? " AND sequence = 1" : at;
      const write = (value: Column) =>
        onShard((sql) => {
          const update = `UPDATE ${table} SET ${column} = ? WHERE batch_id = ?${where}`;
          sql.exec(update, value, batchId);
        });
      await write(column === "sequence" ? 99 : other(row[column] ?? null));
      if (!(await seen()).includes(`batch_altered ${batchId}`)) missed.push(column);
      await write(row[column] ?? null);
    }
    expect(missed).toEqual([]);
    expect(await seen()).toEqual([]);
  });

  it("is found without one of its items, and items without their batch", async () => {
    await onShard(
      (sql) =>
        sql.exec("DELETE FROM batch_items WHERE batch_id = ? AND sequence = 2", batchId)
          .rowsWritten,
    );
    expect(await seen()).toEqual([`batch_altered ${batchId}`]);
    await onShard((sql) => sql.exec("DELETE FROM batches WHERE batch_id = ?", batchId).rowsWritten);
    expect(await seen()).toEqual([`batch_altered ${batchId}`]);
  });

  it("is looked at in steps of any size", async () => {
    expect(findingsOf(await walk(world, { limit: 1 }))).toEqual([]);
    await onShard(
      (sql) =>
        sql.exec(
          "UPDATE batch_items SET posting = '[]' WHERE batch_id = ? AND sequence = 3",
          batchId,
        ).rowsWritten,
    );
    const findings = findingsOf(await walk(world, { limit: 1 }));
    expect(findings.map(({ code, id }) => [code, id])).toEqual([["batch_altered", batchId]]);
  });

  it("that is being sent is no finding", async () => {
    const sent: BatchId = `bulk_${crypto.randomUUID()}`;
    await onShard((sql) => new BatchStore(sql).stage(sent, 0, ["[]"], Date.now()));
    expect(await seen()).toEqual([]);
  });

  it("that is older than seals is sealed once, and its items are not", async () => {
    await onShard((sql) => {
      sql.exec("UPDATE batches SET header = json_remove(header, '$.sealsItems')");
      sql.exec("ALTER TABLE batches DROP COLUMN seal");
      sql.exec("ALTER TABLE batch_items DROP COLUMN seal");
      sql.exec("UPDATE schema_version SET version = 2");
    });
    await abortAllDurableObjects();
    await expect.poll(seen, { timeout: 20_000 }).toEqual([]);
    await onShard(
      (sql) =>
        sql.exec("UPDATE batches SET status = 'failed' WHERE batch_id = ?", batchId).rowsWritten,
    );
    expect(await seen()).toEqual([`batch_altered ${batchId}`]);
  });
});
