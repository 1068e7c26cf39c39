import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import { rebuildCopies } from "../../src/services/rebuild/rebuild";
import { appOf } from "../support/app";
import { contextOf, findingsOf, found, soundWorld, walk } from "../support/integrity";
import type { World } from "../support/world";

const MINUTES = 600_000;

let world: World;
beforeEach(async () => {
  world = await soundWorld();
});

const seen = async (aheadMs = MINUTES): Promise<string[]> => [
  ...new Set(findingsOf(await walk(world, { aheadMs })).map(({ code }) => code)),
];

const bob = () => indicatorBalanceId(world.instance, "@bob", "USD");

const onBalance = (indicator: string, query: string) =>
  runInDurableObject(world.balance(indicator), (_balance, { storage }) => {
    storage.sql.exec(query);
  });

/** On every shard that something was ever stored in. */
const onShards = (query: string) =>
  Promise.all(
    world.shards().map((shard) =>
      runInDurableObject(shard, (_shard, { storage: { sql } }) => {
        const isUsed = "SELECT 1 FROM sqlite_master WHERE name = 'transactions'";
        if (sql.exec(isUsed).toArray().length > 0) sql.exec(query);
      }),
    ),
  );

async function takeOffTheLists(): Promise<void> {
  await onShards(`DELETE FROM balances WHERE balance_id = '${bob()}'`);
}

async function takeOutOfSight(): Promise<void> {
  await takeOffTheLists();
  await env.DB.prepare("DELETE FROM balances WHERE balance_id = ?").bind(bob()).run();
}

async function rebuilt(): Promise<number> {
  let written = 0;
  let cursor: string | null = null;
  do {
    const step = await rebuildCopies(contextOf(world), { cursor, limit: 200 });
    if (!step.ok) throw new Error(step.error.message);
    written += step.value.written;
    cursor = step.value.nextCursor;
  } while (cursor !== null);
  return written;
}

describe("a balance that is out of sight", () => {
  it("is found when it is on no list, and a rebuild puts it there", async () => {
    expect(await seen()).toEqual([]);
    for (const hide of [
      takeOffTheLists,
      () => onShards(`UPDATE balances SET profile = '{}' WHERE balance_id = '${bob()}'`),
    ]) {
      await hide();
      expect(await seen()).toEqual(["balance_unlisted"]);
      expect(await rebuilt()).toBe(0);
      expect(await seen()).toEqual([]);
    }
  });

  it("is found when D1 does not have it either, and a rebuild brings it back", async () => {
    await takeOutOfSight();
    expect(await seen()).toEqual(["copy_missing", "sum_not_zero"]);
    expect(await rebuilt()).toBe(1);
    expect(await seen()).toEqual([]);
  });

  it("is found however lately its money has moved", async () => {
    await takeOutOfSight();
    const lately = Date.now() - 90_000;
    const made = `UPDATE profile SET created_at = '${new Date(lately).toISOString()}'`;
    await onBalance("@bob", made);
    expect(await seen(0)).toEqual(expect.arrayContaining(["copy_missing", "profile_altered"]));
  });

  it("hides neither its profile nor its entries nor that it is gone", async () => {
    await takeOutOfSight();
    await onBalance("@bob", "UPDATE profile SET identity_id = 'thief'");
    await abortAllDurableObjects();
    expect(await seen(0)).toContain("profile_altered");
    await onBalance("@bob", "UPDATE profile SET identity_id = ''");
    await onBalance(
      "@bob",
      "UPDATE entries SET credit = '999999' WHERE version = (SELECT max(version) FROM entries)",
    );
    await abortAllDurableObjects();
    expect(await seen(0)).toContain("row_differs");
    await onBalance("@bob", "DELETE FROM profile");
    await abortAllDurableObjects();
    expect(await seen(0)).toContain("unreadable");
  });
});

describe("D1's row of a balance that is behind", () => {
  it("has the amounts of its version", async () => {
    const set = (columns: string) =>
      env.DB.prepare(`UPDATE balances SET ${columns} WHERE balance_id = ?`).bind(bob()).run();
    const before = await env.DB.prepare("SELECT * FROM balances WHERE balance_id = ?")
      .bind(bob())
      .first<{ version: number; credit_balance: string }>();
    await set("version = version - 1");
    expect(await seen(0)).toEqual(["copy_differs"]);
    await set(`version = ${before?.version}`);
    expect(await seen(0)).toEqual([]);
  });
});

describe("what a balance keeps back", () => {
  const reserve = (key: string) =>
    onBalance("@alice", `INSERT INTO reservations VALUES ('${key}', 'd', '900')`);

  async function split(reference: string): Promise<string> {
    await appOf(world)("POST", "/transactions", {
      body: {
        reference,
        description: "a split",
        precise_amount: 40,
        precision: 100,
        currency: "USD",
        source: "@alice",
        destinations: ["@bob", "@carol"].map((identifier) => ({
          identifier,
          distribution: "50%",
        })),
        skip_queue: true,
      },
    });
    expect(await world.journal.barrier()).toBe(true);
    return world.idOf(reference);
  }

  it("is found when it is for nobody, for what does not exist, and for what is at its end", async () => {
    const id = await split("s");
    const nobody = `bulk_${crypto.randomUUID()}`;
    for (const key of ["k", "txn_none.a", `${id}.abcd`, `${nobody}.a`, `${id}.`]) {
      await reserve(key);
      for (const _life of ["this one", "the next"]) {
        const findings = await found(world);
        expect(findings.map(({ code }) => code)).toContain("reservation_unexplained");
        await abortAllDurableObjects();
      }
      await onBalance("@alice", "DELETE FROM reservations");
      await abortAllDurableObjects();
    }
    expect(await seen(0)).toEqual([]);
  });

  it("is no finding while its group is under way", async () => {
    const id = await split("s");
    const later = Date.now() + 50_000;
    const open = (columns: string) =>
      onShards(`UPDATE transactions SET ${columns} WHERE transaction_id = '${id}'`);
    await open(`work = 1, waits = 1, status = 'PENDING', attempt = 'abc', due_ms = ${later}`);
    await reserve(`${id}.abc`);
    expect(await world.inspector.isUnderWay(world.idOf("s"), "abc")).toBe(true);
    expect(await world.inspector.isUnderWay(world.idOf("s"), "abd")).toBe(false);
    const messages = async () => [
      ...new Set(
        (await found(world))
          .filter(({ code }) => code === "reservation_unexplained")
          .map(({ message }) => message),
      ),
    ];
    // What was written past the object is not what it uses.
    expect(await messages()).toEqual([
      "what it keeps back on disk is not what it keeps back in use",
    ]);
    await onBalance("@alice", "UPDATE reservations SET deficit = 'x'");
    expect(await messages()).toHaveLength(1);
    await onBalance("@alice", "UPDATE reservations SET deficit = '0'");
    expect(await messages()).toEqual([]);
  });
});
