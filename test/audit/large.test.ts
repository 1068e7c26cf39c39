import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { METADATA_MAX } from "../../src/domain/metadata";
import { continueWalk } from "../../src/services/integrity/continue";
import { rebuildCopies } from "../../src/services/rebuild/rebuild";
import { contextOf, findingsOf, walk } from "../support/integrity";
import { World } from "../support/world";

/** Together more than a call can carry, since a character takes two bytes. */
const LARGE = 66;
/** So many are made large before D1 has them. */
const AT_ONCE = 11;

/** As much metadata as a transaction may have. */
const METADATA = JSON.stringify({ m: "\u4e2d".repeat(METADATA_MAX - '{"m":""}'.length) });

/** All lie in the first shard, as their references say. */
const referenceOf = (number: number): string =>
  `txn_00000000-0000-8000-8000-000000000000_${number}`;

const world = new World("large");
const ids = Array.from({ length: LARGE }, (_, number) => world.idOf(referenceOf(number)));

// They were small, and much was merged into them.
beforeAll(async () => {
  await world.register();
  for (let from = 0; from < LARGE; from += AT_ONCE) {
    for (let number = from; number < from + AT_ONCE; number += 1) {
      const reference = referenceOf(number);
      const answer = await world.post({ reference, from: "@world", to: "@bank", amount: 1n });
      expect(answer.ok).toBe(true);
    }
    await world.journal.mergeMetaDataEach(ids.slice(from, from + AT_ONCE), METADATA);
    while (!(await world.journal.barrier()));
  }
});

/** What D1 has of them; the metadata by its length. */
async function copies(): Promise<unknown[]> {
  const { results } = await env.DB.prepare(
    `SELECT transaction_id, description, revision, length(meta_data) AS length FROM transactions
       WHERE instance_id = ? ORDER BY transaction_id`,
  )
    .bind(world.instance)
    .all();
  return results;
}

it("a walk comes to its end though they do not fit into one call", async () => {
  const steps = await walk(world);
  expect(findingsOf(steps)).toEqual([]);
  const counted = (part: string, what: "transactions" | "entries") =>
    steps.filter((step) => step.part === part).reduce((sum, { checked }) => sum + checked[what], 0);
  expect(counted("transactions", "transactions")).toBe(LARGE);
  expect(counted("transaction-copies", "transactions")).toBe(LARGE);
  expect(counted("balance-copies", "entries")).toBe(2 * LARGE);
});

it("the run of every minute finds what is wrong with the last of them", async () => {
  const last = [...ids].sort().at(-1);
  const describe = (text: string) =>
    env.DB.prepare("UPDATE transactions SET description = ? WHERE transaction_id = ?")
      .bind(text, last)
      .run();
  await describe("something else");
  const found = await continueWalk(contextOf(world));
  expect(found.map(({ code, id }) => [code, id])).toEqual([["copy_differs", last]]);
  await describe("a transfer");
});

it("a rebuild writes all of them anew", async () => {
  const sound = await copies();
  await env.DB.prepare("DELETE FROM transactions WHERE instance_id = ?").bind(world.instance).run();
  let [cursor, written]: [string | null, number] = [null, 0];
  do {
    const step = await rebuildCopies(contextOf(world), { cursor, limit: 400 });
    if (!step.ok) throw new Error(step.error.message);
    written += step.value.written;
    cursor = step.value.nextCursor;
  } while (cursor !== null);
  expect(written).toBe(LARGE);
  expect(await copies()).toEqual(sound);
});

it("a shard answers as many as its caller has room for, one at least, and all of a page to who names no bound", async () => {
  const [shard] = world.shards();
  const page = { after: "", limit: 3 };
  const some = { ids: [...ids].sort().slice(0, 3) };
  const lengths = [];
  for (const bound of [{}, { charactersMax: METADATA_MAX * 2 + 20_000 }, { charactersMax: 1 }]) {
    lengths.push((await shard?.inspect({ ...page, ...bound }))?.length);
    lengths.push((await shard?.inspectMany({ ...some, ...bound }))?.length);
  }
  expect(lengths).toEqual([3, 3, 2, 2, 1, 1]);
});
