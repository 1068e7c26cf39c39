import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { findingsOf, found, soundWorld, walk } from "../support/integrity";
import type { World } from "../support/world";

const FAR = 4_000_000_000_000;

let world: World;
beforeEach(async () => {
  world = await soundWorld();
});

const onShard = (reference: string, query: string) =>
  runInDurableObject(world.shardOf(reference), (_shard, { storage }) => {
    storage.sql.exec(query);
  });

const change = (reference: string, columns: string) =>
  onShard(
    reference,
    `UPDATE transactions SET ${columns} WHERE transaction_id = '${world.idOf(reference)}'`,
  );

const forgeInD1 = (reference: string) =>
  env.DB.prepare(
    "UPDATE transactions SET precise_amount = '1', description = 'forged' WHERE transaction_id = ?",
  )
    .bind(world.idOf(reference))
    .run();

const seen = async (aheadMs = 0): Promise<string[]> => [
  ...new Set(findingsOf(await walk(world, { aheadMs })).map(({ code }) => code)),
];

const dated = { from: "@alice", to: "@bob", amount: 1n } as const;
const LATER = "2099-01-01T00:00:00Z";

async function withDates(): Promise<void> {
  await world.post({
    ...dated,
    reference: "timed",
    inflight: true,
    inflightExpiryDate: LATER,
  });
  await world.post({ ...dated, reference: "planned", skipQueue: false, scheduledFor: LATER });
  expect(await world.journal.barrier()).toBe(true);
  await expect.poll(() => found(world), { timeout: 20_000 }).toEqual([]);
}

describe("work that is made up for what is at its end", () => {
  it.each([1, 2, 4, 8, 16, 32])("is found, and hides no other forgery: %i", async (work) => {
    await change("plain", `work = ${work}, waits = 1, due_ms = ${FAR}`);
    expect(await seen()).toContain("row_altered");
    if (work !== 1) {
      await forgeInD1("plain");
      expect(await seen()).toEqual(expect.arrayContaining(["row_altered", "copy_differs"]));
      await change("plain", `outcome = replace(outcome, '2', '9')`);
      expect(await seen()).toEqual(expect.arrayContaining(["row_altered", "row_differs"]));
    }
    expect(await seen(600_000)).toContain("row_altered");
  });

  it("is found with no date moved, where the date is far ahead by itself", async () => {
    await withDates();
    for (const [reference, work] of [
      ["timed", 10],
      ["timed", 12],
      ["planned", 7],
    ] as const) {
      await change(reference, `work = ${work}`);
      await forgeInD1(reference);
      expect(await seen(), `${reference} ${work}`).toEqual(
        expect.arrayContaining(["row_altered", "copy_differs"]),
      );
    }
  });

  it("is found beside the list of what waits, and on the list without work", async () => {
    await change("plain", "work = 2, waits = 0");
    expect(await seen()).toContain("row_altered");
    await change("plain", "work = 0, waits = 1");
    expect(await seen()).toContain("row_altered");
    await change("plain", "work = 0, waits = 0");
    expect(await seen()).toEqual([]);
  });

  it("is done when the shard begins a new life, and leaves the forgery that it hid to be found", async () => {
    await change("plain", `work = 2, waits = 1, due_ms = ${FAR}`);
    await forgeInD1("plain");
    await abortAllDurableObjects();
    expect(await world.journal.barrier()).toBe(true);
    await change("plain", "due_ms = 0");
    await expect.poll(() => seen(), { timeout: 20_000 }).toEqual(["copy_differs"]);
  });
});

describe("work that follows from what clients do", () => {
  it("is no finding, however old the row", async () => {
    await withDates();
    const old = Date.now() - 86_400_000;
    for (const reference of ["plain", "hold"]) await change(reference, `due_ms = ${old}`);
    for (const [at, reference] of ["plain", "hold", "timed", "planned"].entries()) {
      await world.journal.mergeMetaData(world.idOf(reference), `{"at":${at}}`);
    }
    await world.commit("hold", 5n);
    await world.refund(world.idOf("plain"), { amount: 1n });
    expect(await seen()).toEqual([]);
    expect(await world.journal.barrier()).toBe(true);
    expect(await seen()).toEqual([]);
  });
});

describe("a date that was moved", () => {
  const YEAR = 31_536_000_000;

  it.each([YEAR, -YEAR, -60 * YEAR, 1])("is found at once: by %i milliseconds", async (by) => {
    await withDates();
    for (const reference of ["timed", "planned"]) {
      await change(reference, `due_ms = due_ms + ${by}`);
      const ids = (await found(world)).map(({ id }) => id);
      expect(ids).toContain(world.idOf(reference));
      await change(reference, `due_ms = due_ms - ${by}`);
      expect(await found(world)).toEqual([]);
    }
  });

  it("carries nothing out before its time", async () => {
    await withDates();
    await change("planned", "due_ms = 1");
    await abortAllDurableObjects();
    await world.ring();
    expect((await world.read("planned"))?.status).toBe("SCHEDULED");
  });

  it("is found when it is taken from a hold", async () => {
    await withDates();
    await change("timed", "work = 0, waits = 0");
    expect(await seen()).toContain("row_altered");
  });
});

describe("what tells of the end of a transaction", () => {
  it.each([
    ["a reason of what was not refused", "rejection_reason = 'because'"],
    ["a decision of what is no group", `decision = '{"commit":true}'`],
  ])("is found with %s", async (_name, columns) => {
    await change("plain", columns);
    expect(await seen()).toContain("row_altered");
  });
});
