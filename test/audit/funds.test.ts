import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/domain/digest";
import { balanceStub } from "../../src/durable/balance/client";
import { entryFindings } from "../../src/services/integrity/balances";
import { noFunds } from "../../src/services/integrity/funds";
import { workLeft } from "../support/audit";
import {
  type Column,
  codes,
  contextOf,
  findingsOf,
  found,
  tamperedWith,
  walk,
} from "../support/integrity";
import { makeWallets, walletId } from "../support/wallets";
import { World } from "../support/world";

type FundRow = {
  seq: number;
  provider: string;
  credited: string;
  spent: string;
  held: string;
  seal: string;
};

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

  it.each([200, 2])("in rows that are gone, or as they were: %i rows a step", async (limit) => {
    const world = await lineageWorld();
    const stub = balanceStub(env.BALANCES, world.instance, walletId(world, "ada"));
    const onWallet = <T>(work: (sql: SqlStorage) => T): Promise<T> =>
      runInDurableObject(stub, (_balance, { storage }) => work(storage.sql));
    const rows = await onWallet((sql) =>
      sql.exec<FundRow>("SELECT * FROM funds ORDER BY seq").toArray(),
    );
    expect(rows.map(({ provider }) => provider)).toEqual(["visa", "swift"]);
    const put = (others: readonly FundRow[]) =>
      onWallet((sql) => {
        sql.exec("DELETE FROM funds");
        for (const { seal: _seal, ...row } of others) {
          const seal = sha256Hex(JSON.stringify(Object.values(row)));
          sql.exec("INSERT INTO funds VALUES (?, ?, ?, ?, ?, ?)", ...Object.values(row), seal);
        }
      });
    const asBefore = rows.map((row) => ({ ...row, spent: "0", held: "0" }));
    const swapped = rows.map((row, at) => ({ ...row, provider: ["swift", "visa"][at] ?? "" }));
    const altered = {
      "as before": asBefore,
      none: [],
      "all but the last": rows.slice(0, 1),
      swapped,
    };
    for (const [what, others] of Object.entries(altered)) {
      await put(others);
      const seen = findingsOf(await walk(world, { limit }));
      const messages = seen.map(({ code, id, message }) => [
        code,
        id === walletId(world, "ada"),
        message,
      ]);
      expect(messages, what).toContainEqual([
        "funds_altered",
        true,
        expect.stringContaining("its funds"),
      ]);
    }
    await put(rows);
    expect(findingsOf(await walk(world, { limit }))).toEqual([]);
  });

  it("and what is not traced yet when it is walked past is none", async () => {
    const world = await lineageWorld();
    const id = walletId(world, "ada");
    const onWallet = <T>(work: (sql: SqlStorage) => T): Promise<T> =>
      runInDurableObject(balanceStub(env.BALANCES, world.instance, id), (_balance, { storage }) =>
        work(storage.sql),
      );
    const ctx = contextOf(world);
    const op = "(SELECT op FROM entries WHERE version = 2)";
    // As if it had been posted with a group: the first entry is traced after the walk has passed it.
    const [row = {}] = await onWallet((sql) => {
      const moves = sql
        .exec<Record<string, string>>(`SELECT * FROM fund_moves WHERE op = ${op}`)
        .toArray();
      sql.exec(`DELETE FROM fund_moves WHERE op = ${op}`);
      return moves;
    });
    const first = await entryFindings(ctx, id, { after: 1, limit: 2, funds: noFunds(ctx) });
    expect(first).toMatchObject({ findings: [], funds: { untraced: [2] } });
    const rest = { after: 3, limit: 99, funds: first.funds };
    expect((await entryFindings(ctx, id, rest)).findings).toMatchObject([
      { code: "funds_altered", message: "its funds are not what its changes add up to" },
    ]);
    await onWallet((sql) =>
      sql.exec("INSERT INTO fund_moves VALUES (?, ?, ?)", ...Object.values(row)),
    );
    expect(await entryFindings(ctx, id, rest)).toMatchObject({
      findings: [],
      funds: { untraced: [] },
    });
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
