import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { balanceStub } from "../../src/durable/balance/client";
import { workLeft } from "../support/audit";
import { type Column, codes, found, tamperedWith } from "../support/integrity";
import { makeWallets, walletId } from "../support/wallets";
import { World } from "../support/world";

describe("tampering with whose money it is is found", () => {
  const tables = {
    funds: ["provider"],
    fund_holds: ["transaction_id", "side"],
    fund_moves: ["op"],
  } as const;

  /** A wallet that has been brought money, spent some of it and holds some of it for another. */
  async function lineageWorld(): Promise<World> {
    const made = new World("lineage");
    await makeWallets(made);
    const [from, to] = [walletId(made, "ada"), walletId(made, "bob")];
    await made.post({ reference: "spent", from, to, amount: 60n });
    await made.post({ reference: "held", from, to, amount: 30n, inflight: true });
    await made.commit("held", 10n);
    await expect.poll(() => workLeft(made), { timeout: 20_000 }).toBe(0);
    expect(await made.journal.barrier()).toBe(true);
    expect(await found(made)).toEqual([]);
    return made;
  }

  it("in any column of what its balance knows", async () => {
    const world = await lineageWorld();
    const stub = balanceStub(env.BALANCES, world.instance, walletId(world, "ada"));
    const onWallet = <T>(work: (sql: SqlStorage) => T): Promise<T> =>
      runInDurableObject(stub, (_balance, { storage }) => work(storage.sql));
    const missed: string[] = [];
    for (const [table, key] of Object.entries(tables)) {
      const rows = await onWallet((sql) =>
        sql.exec<Record<string, Column>>(`SELECT * FROM ${table}`).toArray(),
      );
      expect(rows.length, table).toBeGreaterThan(0);
      const [row = {}] = rows;
      for (const column of Object.keys(row)) {
        // Another row in its place: found by whatever is not changed.
        const where = key[0] === column ? "seal" : key[0];
        const write = (value: Column) =>
          onWallet((sql) =>
            sql.exec(`UPDATE ${table} SET ${column} = ? WHERE ${where} = ?`, value, row[where]),
          );
        const seen = await tamperedWith(world, row, column, write);
        if (!seen.includes("funds_altered")) missed.push(`${column} of ${table}`);
      }
    }
    expect(missed).toEqual([]);
    expect(await found(world)).toEqual([]);
  });

  it("in what a transaction says of it", async () => {
    const world = await lineageWorld();
    const id = world.idOf("spent");
    const query = "SELECT outcome FROM transactions WHERE transaction_id = ?";
    const onShard = <T>(work: (sql: SqlStorage) => T): Promise<T> =>
      runInDurableObject(world.shardOf("spent"), (_shard, { storage }) => work(storage.sql));
    const { outcome } = await onShard((sql) => sql.exec<{ outcome: string }>(query, id).one());
    const write = (text: string) =>
      onShard((sql) =>
        sql.exec("UPDATE transactions SET outcome = ? WHERE transaction_id = ?", text, id),
      );
    for (const [said, other] of [
      ['["visa","50"]', '["visa","40"]'],
      ['["visa","50"]', '["wise","50"]'],
      ['"shadows":["txn_', '"shadows":["txn_0'],
    ] as const) {
      expect(outcome).toContain(said);
      await write(outcome.replace(said, other));
      expect(await codes(world), other).toContain("funds_altered");
    }
    await write(outcome);
    expect(await found(world)).toEqual([]);
  });
});
