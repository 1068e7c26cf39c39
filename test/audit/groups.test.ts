import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { appOf } from "../support/app";
import { workLeft } from "../support/audit";
import { found } from "../support/integrity";
import { World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World("groups");
  await world.register();
  await world.fund("@alice", 1_000n);
  const common = {
    description: "d",
    precise_amount: 10,
    precision: 1,
    currency: "USD",
    source: "@alice",
  };
  const post = async (path: string, body: unknown) => {
    const answer = await appOf(world)("POST", path, { body });
    expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  };
  await post("/transactions", {
    ...common,
    reference: "s",
    skip_queue: true,
    destinations: ["@bob", "@carol"].map((identifier) => ({ identifier, distribution: "50%" })),
  });
  await post("/transactions/bulk", {
    atomic: true,
    skip_queue: true,
    transactions: ["b-1", "b-2"].map((reference) => ({
      ...common,
      reference,
      destination: "@bob",
    })),
  });
  expect(await world.journal.barrier()).toBe(true);
  await expect.poll(() => workLeft(world), { timeout: 20_000 }).toBe(0);
  await expect.poll(() => found(world), { timeout: 20_000 }).toEqual([]);
});

const onShard = (reference: string, query: string) =>
  runInDurableObject(world.shardOf(reference), (_shard, { storage }) => {
    storage.sql.exec(query);
  });

const seen = async (): Promise<string[]> => [
  ...new Set((await found(world)).map(({ code }) => code)),
];

describe("the row of a group", () => {
  it.each([
    ["s", "attempt", "'other'"],
    ["s", "coordinator", "1"],
    ["s", "decision", "NULL"],
    ["s", "decision", `'{"commit":false,"error":{"code":"x","message":"y"}}'`],
    ["s-1", "attempt", "'other'"],
    ["s-1", "coordinator", "coordinator + 1"],
    ["s-1", "coordinator", "NULL"],
    ["b-1", "coordinator", "coordinator + 1"],
    ["b-1", "coordinator", "NULL"],
  ])("of %s is found with another %s: %s", async (reference, column, value) => {
    const id = world.idOf(reference);
    await onShard(
      reference,
      `UPDATE transactions SET ${column} = ${value} WHERE transaction_id = '${id}'`,
    );
    await abortAllDurableObjects();
    expect(await seen()).toContain("row_altered");
  });
});

describe("the mark of a shard", () => {
  it.each(["UPDATE mark SET seq = seq + 1000", "UPDATE mark SET seq = 0", "DELETE FROM mark"])(
    "is found when it was moved: %s",
    async (query) => {
      await onShard("s", query);
      expect(await seen()).toEqual(["shard_altered"]);
    },
  );
});
