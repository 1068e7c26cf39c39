import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { shardStub } from "../../src/durable/journal/client";
import { outgoing } from "./outgoing";

const INSTANCE = "default";
const SHARDS = 16;

/** Every row of every table, by a name that tells where it is. */
export type Everything = Readonly<Record<string, readonly unknown[]>>;

const shards = () =>
  Array.from({ length: SHARDS }, (_none, shard) =>
    shardStub({ instance: INSTANCE, journal: env.JOURNAL }, shard),
  );

/**
 * All that the ledger of the tests has written: the rows of its objects and of D1, how many rows the objects
 * ever wrote, and what was sent to the queues. Read past the product's own reads, so that nothing can be written unseen.
 */
export async function everythingWritten(): Promise<Everything> {
  const all: Record<string, readonly unknown[]> = {};
  for (const [index, stub] of shards().entries()) {
    const tables = await runInDurableObject(stub, (_shard, { storage }) => rowsOf(storage.sql));
    for (const [table, rows] of tables) all[`shard ${index} ${table}`] = rows;
  }
  for (const id of await listDurableObjectIds(env.BALANCES)) {
    const stub = env.BALANCES.get(id);
    const tables = await runInDurableObject(stub, (_balance, { storage }) => rowsOf(storage.sql));
    for (const [table, rows] of tables) all[`balance ${id.toString()} ${table}`] = rows;
  }
  const { results } = await env.DB.prepare(NAMES).all<{ name: string }>();
  for (const { name } of results) {
    all[`D1 ${name}`] = (await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results;
  }
  for (const method of ["apply.sendBatch", "webhooks.sendBatch"]) {
    all[method] = [...outgoing(INSTANCE, method)];
  }
  return all;
}

/** Resolves when no shard has work left but timers that run, and what is scheduled or held back in the queue. */
export async function settledDown(): Promise<void> {
  await expect
    .poll(
      async () => {
        const left = await Promise.all(
          shards().map((stub) =>
            runInDurableObject(stub, (_shard, { storage }) => workLeft(storage.sql)),
          ),
        );
        return left.reduce((sum, each) => sum + each, 0);
      },
      { timeout: 20_000 },
    )
    .toBe(0);
}

const NAMES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/** SQLite's own counter: what is written and undone counts too. */
const COUNTER = "SELECT total_changes() AS rows_written";

/** What an object wrote; nothing for one that was only asked. */
function rowsOf(sql: SqlStorage): [string, unknown[]][] {
  const counted = sql.exec<{ rows_written: number }>(COUNTER).one();
  const tables = sql.exec<{ name: string }>(NAMES).toArray();
  return [
    ...(counted.rows_written === 0
      ? []
      : [["rows ever written", [counted]] satisfies [string, unknown[]]]),
    ...tables.map(({ name }): [string, unknown[]] => [
      name,
      sql.exec(`SELECT * FROM "${name}"`).toArray(),
    ]),
  ];
}

function workLeft(sql: SqlStorage): number {
  if (!rowsOf(sql).some(([name]) => name === "transactions")) return 0;
  return sql
    .exec<{ left: number }>(
      `SELECT (SELECT count(*) FROM transactions WHERE work & 23 <> 0 AND status NOT IN ('SCHEDULED', 'QUEUED'))
         + (SELECT count(*) FROM transactions WHERE work & 2 <> 0)
         + (SELECT count(*) FROM balances WHERE work <> 0) AS left`,
    )
    .one().left;
}
