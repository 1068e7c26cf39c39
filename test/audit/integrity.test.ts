import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId, sha256Hex } from "../../src/domain/ids";
import { checkIntegrity } from "../../src/services/integrity/walk";
import {
  type Column,
  codes,
  contextOf,
  findingsOf,
  found,
  soundWorld,
  tamperedWith,
  walk,
} from "../support/integrity";
import { SHARDS, type World } from "../support/world";

/** One for all tests: each puts back what it changed. */
const worlds: World[] = [];
let world: World;
beforeEach(async () => {
  world = worlds[0] ?? (await soundWorld());
  if (worlds.length > 0) return;
  worlds.push(world);
  expect(await found(world)).toEqual([]);
});

const onAlice = <T>(work: (sql: SqlStorage) => T): Promise<T> =>
  runInDurableObject(world.balance("@alice"), (_balance, { storage }) => work(storage.sql));

const onShard = <T>(reference: string, work: (sql: SqlStorage) => T): Promise<T> =>
  runInDurableObject(world.shardOf(reference), (_shard, { storage }) => work(storage.sql));

describe("the walk over what is stored", () => {
  it("finds nothing in a sound ledger, whatever the size of its steps, and adds up to zero", async () => {
    const whole = await walk(world, { aheadMs: 60_000 });
    const inSteps = await walk(world, { limit: 2, aheadMs: 60_000 });
    expect(findingsOf([...whole, ...inSteps])).toEqual([]);
    expect(inSteps.length).toBeGreaterThan(whole.length);
    for (const steps of [whole, inSteps]) {
      expect(steps.at(-1)?.sums).toEqual([{ currency: "USD", sum: 0n, moved: false }]);
      const entries = steps.reduce((sum, { checked }) => sum + checked.entries, 0);
      // Five transactions moved, each on two balances.
      expect(entries).toBe(10);
    }
    for (const { checked } of inSteps) {
      expect(checked.transactions + checked.entries).toBeLessThanOrEqual(2);
    }
  });

  it("says when money moved during the walk, because then no sum can be told", async () => {
    expect((await walk(world)).at(-1)?.sums).toEqual([{ currency: "USD", sum: 0n, moved: true }]);
  });

  it("changes nothing and is refused a cursor of its own making only", async () => {
    const step = await checkIntegrity(contextOf(world), { cursor: "nonsense", limit: 10 });
    expect(step).toMatchObject({ ok: false, error: { code: "GEN_VALIDATION_ERROR" } });
  });
});

describe("tampering is found", () => {
  it("with any column of an entry, the newest or one in the middle", async () => {
    const rows = await onAlice((sql) =>
      sql.exec<Record<string, Column>>("SELECT * FROM entries ORDER BY version").toArray(),
    );
    const missed: string[] = [];
    for (const row of [rows[1] ?? {}, rows.at(-1) ?? {}]) {
      for (const column of Object.keys(row)) {
        const key = column === "hash" ? "op" : "hash";
        const write = (value: Column) =>
          onAlice((sql) =>
            sql.exec(`UPDATE entries SET ${column} = ? WHERE ${key} = ?`, value, row[key]),
          );
        const seen = await tamperedWith(world, row, column, write);
        if (!seen.some((code) => code.startsWith("entry_"))) missed.push(`${column} of an entry`);
      }
    }
    expect(missed).toEqual([]);
    expect(await found(world)).toEqual([]);
  });

  it("with any column of a balance's profile", async () => {
    const [row = {}] = await onAlice((sql) =>
      sql.exec<Record<string, Column>>("SELECT * FROM profile").toArray(),
    );
    const missed: string[] = [];
    for (const column of Object.keys(row)) {
      if (column === "id") continue;
      const write = (value: Column) =>
        onAlice((sql) => sql.exec(`UPDATE profile SET ${column} = ?`, value));
      const seen = await tamperedWith(world, row, column, write);
      if (!seen.some((code) => code === "profile_altered" || code === "unreadable")) {
        missed.push(column);
      }
    }
    expect(missed).toEqual([]);
    expect(await found(world)).toEqual([]);
  });

  it("with a profile that has lost its seal, also after its object has slept", async () => {
    const query = "SELECT created_by, seal FROM profile";
    const [row] = await onAlice((sql) =>
      sql.exec<{ created_by: string; seal: string }>(query).toArray(),
    );
    const write = (createdBy: string, seal: string) =>
      onAlice((sql) => sql.exec("UPDATE profile SET created_by = ?, seal = ?", createdBy, seal));
    await write("txn_of_somebody", "");
    expect(await codes(world)).toEqual(["profile_altered"]);
    await abortAllDurableObjects();
    expect(await codes(world)).toEqual(["profile_altered"]);
    await write(row?.created_by ?? "", row?.seal ?? "");
    expect(await found(world)).toEqual([]);
  });

  it.each(["plain", "hold", "poor"])(
    "with any column of a journal row that says what it is: %s",
    async (reference) => {
      const id = world.idOf(reference);
      const [row = {}] = await onShard(reference, (sql) =>
        sql
          .exec<Record<string, Column>>("SELECT * FROM transactions WHERE transaction_id = ?", id)
          .toArray(),
      );
      const missed: string[] = [];
      const said = [
        "transaction_id",
        "parent_transaction",
        "posting",
        "created_at",
        "status",
        "meta_data",
        "revision",
        "rejection_reason",
        ...(reference === "poor" ? [] : ["attempt", "outcome"]),
      ];
      for (const column of said) {
        const write = (value: Column) =>
          onShard(reference, (sql) =>
            column === "transaction_id"
              ? sql.exec(
                  "UPDATE transactions SET transaction_id = ? WHERE posting = ?",
                  value,
                  row["posting"],
                )
              : sql.exec(
                  `UPDATE transactions SET ${column} = ? WHERE transaction_id = ?`,
                  value,
                  id,
                ),
          );
        if ((await tamperedWith(world, row, column, write)).length === 0) missed.push(column);
      }
      expect(missed).toEqual([]);
      expect(await found(world)).toEqual([]);
    },
  );

  it("with any character of what a transaction was recorded as", async () => {
    const id = world.idOf("plain");
    const posting = await onShard("plain", (sql) => {
      const query = "SELECT posting FROM transactions WHERE transaction_id = ?";
      return sql.exec<{ posting: string }>(query, id).one().posting;
    });
    const write = (text: string) =>
      onShard("plain", (sql) =>
        sql.exec("UPDATE transactions SET posting = ? WHERE transaction_id = ?", text, id),
      );
    const missed: number[] = [];
    for (let at = 1; at < posting.length; at += 17) {
      const other = posting[at] === "7" ? "8" : "7";
      await write(`${posting.slice(0, at)}${other}${posting.slice(at + 1)}`);
      if ((await codes(world)).length === 0) missed.push(at);
    }
    await write(posting);
    expect(missed).toEqual([]);
    expect(posting.length).toBeGreaterThan(300);
  });

  it.each([
    ["transactions", "transaction_id"],
    ["balances", "balance_id"],
  ])("with any column of a row of D1's %s", async (table, key) => {
    const id =
      table === "balances"
        ? indicatorBalanceId(world.instance, "@alice", "USD")
        : world.idOf("hold");
    const row = await env.DB.prepare(`SELECT * FROM ${table} WHERE instance_id = ? AND ${key} = ?`)
      .bind(world.instance, id)
      .first<Record<string, Column>>();
    const missed: string[] = [];
    for (const column of Object.keys(row ?? {})) {
      if (column === "instance_id") continue;
      const where = column === key ? "created_at" : key;
      const write = (value: Column) =>
        env.DB.prepare(`UPDATE ${table} SET ${column} = ? WHERE instance_id = ? AND ${where} = ?`)
          .bind(value, world.instance, row?.[where] ?? null)
          .run();
      const seen = await tamperedWith(world, row ?? {}, column, write);
      if (!seen.some((code) => code.startsWith("copy_"))) missed.push(column);
    }
    expect(missed).toEqual([]);
    expect(await found(world)).toEqual([]);
  });
});

describe("what is gone, and what was made up, is found", () => {
  let other: World;
  const sqlOf = (stub: Parameters<typeof runInDurableObject>[0]) => (query: string) =>
    runInDurableObject(stub, (_object, { storage }) => {
      storage.sql.exec(query);
    });

  it("an entry that is gone, the newest or another", async () => {
    other = await soundWorld();
    await sqlOf(other.balance("@bob"))("DELETE FROM entries WHERE version = 3");
    expect(await codes(other)).toEqual(expect.arrayContaining(["row_differs", "entry_missing"]));
    other = await soundWorld();
    await sqlOf(other.balance("@bob"))(
      "DELETE FROM entries WHERE version = (SELECT max(version) FROM entries)",
    );
    expect(await codes(other)).toEqual(expect.arrayContaining(["row_differs", "profile_altered"]));
  });

  it("a transaction that is gone from the journal, or from D1, and a balance from D1", async () => {
    other = await soundWorld();
    const id = other.idOf("plain");
    await env.DB.prepare("DELETE FROM transactions WHERE transaction_id = ?").bind(id).run();
    expect(await codes(other)).toEqual(["copy_missing"]);
    await sqlOf(other.shardOf("plain"))(`DELETE FROM transactions WHERE transaction_id = '${id}'`);
    expect(await codes(other)).toEqual(["entry_unexplained"]);
    const alice = indicatorBalanceId(other.instance, "@alice", "USD");
    await env.DB.prepare("DELETE FROM balances WHERE balance_id = ?").bind(alice).run();
    const later = findingsOf(await walk(other, { aheadMs: 120_000 }));
    expect(later.map(({ code, id: where }) => [code, where])).toContainEqual([
      "copy_missing",
      alice,
    ]);
  });

  it("rows that only D1 has", async () => {
    other = await soundWorld();
    for (const [table, key] of [
      ["transactions", "transaction_id"],
      ["balances", "balance_id"],
    ]) {
      const madeUp = table === "balances" ? `bln_${crypto.randomUUID()}` : other.idOf("nobody");
      const row = await env.DB.prepare(`SELECT * FROM ${table} WHERE instance_id = ?`)
        .bind(other.instance)
        .first<Record<string, Column>>();
      const columns = Object.keys(row ?? {});
      const values = columns.map((name) => (name === key ? madeUp : (row?.[name] ?? null)));
      const places = columns.map(() => "?").join(", ");
      await env.DB.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`)
        .bind(...values)
        .run();
      const seen = (await found(other)).map(({ code, id }) => [code, id]);
      expect(seen).toContainEqual(["copy_unknown", madeUp]);
    }
  });

  it("more money, by somebody who makes all hashes of the balance anew", async () => {
    other = await soundWorld();
    await runInDurableObject(other.balance("@alice"), (_balance, { storage: { sql } }) => {
      const rows = sql
        .exec<Record<string, string | number>>("SELECT * FROM entries ORDER BY version")
        .toArray();
      let before = "0".repeat(64);
      for (const { hash: _hash, seal = "", ...rest } of rows) {
        // The first credit of a thousand becomes one of nine thousand.
        const credit = (BigInt(rest["credit"] ?? 0) + 8_000n).toString();
        const amount = rest["version"] === 2 ? "9000" : (rest["amount"] ?? "");
        const row = { ...rest, amount, credit };
        before = sha256Hex(JSON.stringify([before, ...Object.values(row), seal]));
        sql.exec(
          "UPDATE entries SET amount = ?, credit = ?, hash = ? WHERE version = ?",
          amount,
          credit,
          before,
          rest["version"],
        );
      }
    });
    // Even when the object has forgotten what it had.
    await abortAllDurableObjects();
    const steps = await walk(other, { aheadMs: 60_000 });
    const seen = new Set(findingsOf(steps).map(({ code }) => code));
    expect(seen).toEqual(
      new Set(["row_differs", "entry_unexplained", "copy_differs", "sum_not_zero"]),
    );
    expect(steps.at(-1)?.sums).toEqual([{ currency: "USD", sum: 8_000n, moved: false }]);
  });

  it("a timer whose time is long past, and a transaction that is stuck", async () => {
    other = await soundWorld();
    const expiry = "2099-01-01T00:00:00Z";
    await other.post({
      reference: "timed",
      from: "@alice",
      to: "@bob",
      amount: 1n,
      inflight: true,
      inflightExpiryDate: expiry,
    });
    expect(await other.journal.barrier()).toBe(true);
    expect(await found(other)).toEqual([]);
    const past = Date.now() - 3_600_000;
    const id = other.idOf("timed");
    await sqlOf(other.shardOf("timed"))(
      `UPDATE transactions SET due_ms = ${past} WHERE transaction_id = '${id}'`,
    );
    const steps = await walk(other);
    expect(findingsOf(steps).map(({ code, id: what }) => [code, what])).toContainEqual([
      "overdue",
      id,
    ]);
    const backlogs = steps.flatMap(({ backlog }) => backlog ?? []);
    expect(backlogs).toHaveLength(SHARDS);
  });
});
