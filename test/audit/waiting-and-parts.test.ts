import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { transactionIdOf } from "../../src/domain/ids";
import { rebuildCopies } from "../../src/services/rebuild/rebuild";
import { appOf } from "../support/app";
import { type Column, contextOf, found, tamperedWith } from "../support/integrity";
import { World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World("parts");
  await world.register();
  await world.fund("@alice", 1_000n);
});

const onShard = (reference: string, query: string, ...values: Column[]) =>
  runInDurableObject(world.shardOf(reference), (_shard, { storage }) =>
    storage.sql.exec<Record<string, Column>>(query, ...values).toArray(),
  );

/** Forgets what shards have in memory: what is on disk counts. */
const restarted = () => abortAllDurableObjects();

const seen = async (): Promise<string[]> => (await found(world)).map(({ code }) => code);

describe("what is SCHEDULED", () => {
  const later = "2099-01-01T00:00:00Z";
  beforeEach(async () => {
    await world.post({
      reference: "later",
      from: "@alice",
      to: "@bob",
      amount: 10n,
      skipQueue: false,
      scheduledFor: later,
    });
    expect(await world.journal.barrier()).toBe(true);
    expect(await seen()).toEqual([]);
  });

  it("is held against D1", async () => {
    const id = world.idOf("later");
    const row = await env.DB.prepare("SELECT * FROM transactions WHERE transaction_id = ?")
      .bind(id)
      .first<Record<string, Column>>();
    const missed: string[] = [];
    for (const column of [
      "destination",
      "precise_amount",
      "scheduled_for",
      "status",
      "created_at",
    ]) {
      const write = (value: Column) =>
        env.DB.prepare(`UPDATE transactions SET ${column} = ? WHERE transaction_id = ?`)
          .bind(value, id)
          .run();
      const codes = await tamperedWith(world, row ?? {}, column, write);
      if (!codes.some((code) => code.startsWith("copy_"))) missed.push(column);
    }
    expect(missed).toEqual([]);
    await env.DB.prepare("DELETE FROM transactions WHERE transaction_id = ?").bind(id).run();
    expect(await seen()).toEqual(["copy_missing"]);
  });

  it.each([
    ["another amount", "posting = replace(posting, '\"10\"', '\"999\"')", "copy_differs"],
    ["another balance", "posting = replace(posting, '@bob', '@eve')", "copy_differs"],
    ["another state", "status = 'APPLIED'", "row_altered"],
    ["an outcome", 'outcome = \'{"sourceVersion":2,"destinationVersion":2}\'', "row_altered"],
    ["other metadata", "meta_data = '{\"forged\":1}'", "copy_differs"],
    ["another revision", "revision = 7", "copy_differs"],
  ])("is found with %s in the journal", async (_name, change, code) => {
    await onShard("later", `UPDATE transactions SET ${change} WHERE status = 'SCHEDULED'`);
    await restarted();
    expect(await seen()).toContain(code);
  });
});

describe("work that nobody would find", () => {
  it("is told of", async () => {
    await world.post({ reference: "done", from: "@alice", to: "@bob", amount: 10n });
    expect(await world.journal.barrier()).toBe(true);
    await onShard("done", "UPDATE mark SET seq = 1000");
    await onShard(
      "done",
      "UPDATE transactions SET work = 1, status = 'QUEUED' WHERE transaction_id = ?",
      world.idOf("done"),
    );
    await restarted();
    expect(await seen()).toContain("row_altered");
  });

  it.each([
    ["a hold whose timer was taken away", "work = 0, waits = 0", { inflight: true }],
    ["a hold whose timer was put off", "due_ms = 4000000000000", { inflight: true }],
    ["a schedule that was put off", "due_ms = 4000000000000", { skipQueue: false }],
  ])("is overdue: %s", async (_name, change, how) => {
    const soon = "2099-01-01T00:00:00Z";
    const dates = "inflight" in how ? { inflightExpiryDate: soon } : { scheduledFor: soon };
    await world.post({
      reference: "due",
      from: "@alice",
      to: "@bob",
      amount: 1n,
      ...how,
      ...dates,
    });
    expect(await world.journal.barrier()).toBe(true);
    await onShard(
      "due",
      `UPDATE transactions SET ${change}, posting = replace(posting, '2099-', '2009-') WHERE transaction_id = ?`,
      world.idOf("due"),
    );
    await restarted();
    expect(await seen()).toContain("overdue");
  });
});

describe("a split", () => {
  const legs = ["s-1", "s-2"];
  beforeEach(async () => {
    const { status, body } = await appOf(world)("POST", "/transactions", {
      body: {
        reference: "s",
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
    expect([status, body]).toEqual([201, expect.anything()]);
    expect(await world.journal.barrier()).toBe(true);
    await expect.poll(seen, { timeout: 10_000 }).toEqual([]);
  });

  it("is missed when it is gone, and so are the rows that keep the references of its legs", async () => {
    for (const reference of ["s", ...legs]) {
      const id = world.idOf(reference);
      const [row = {}] = await onShard(
        reference,
        "SELECT * FROM transactions WHERE transaction_id = ?",
        id,
      );
      await onShard(reference, "DELETE FROM transactions WHERE transaction_id = ?", id);
      await restarted();
      expect(await seen()).toContain("row_altered");
      const names = Object.keys(row);
      await onShard(
        reference,
        `INSERT INTO transactions (${names}) VALUES (${names.map(() => "?")})`,
        ...Object.values(row),
      );
      await restarted();
      expect(await seen()).toEqual([]);
    }
  });

  it("has no row of its own in D1, nor have those references: one that is there is found and removed", async () => {
    const row = await env.DB.prepare(
      "SELECT * FROM transactions WHERE instance_id = ? AND reference = 's-1'",
    )
      .bind(world.instance)
      .first<Record<string, Column>>();
    const forged = ["s", ...legs].map((reference) => transactionIdOf(world.instance, reference));
    for (const id of forged) {
      const values = { ...row, transaction_id: id };
      const names = Object.keys(values);
      await env.DB.prepare(`INSERT INTO transactions (${names}) VALUES (${names.map(() => "?")})`)
        .bind(...Object.values(values))
        .run();
    }
    const findings = await found(world);
    expect(findings.map(({ code, id }) => [code, id]).sort()).toEqual(
      forged.map((id) => ["copy_unknown", id]).sort(),
    );
    let cursor: string | null = null;
    do {
      const step = await rebuildCopies(contextOf(world), { cursor, limit: 200 });
      if (!step.ok) throw new Error(step.error.message);
      cursor = step.value.nextCursor;
    } while (cursor !== null);
    expect(await seen()).toEqual([]);
  });
});
