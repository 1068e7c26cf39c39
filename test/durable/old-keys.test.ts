import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { World } from "../support/world";

const DAY_MS = 24 * 3_600_000;
const KEYS = 12_000;

let world: World;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  world = new World("old-keys", 1);
  await world.fund("@card", 1n);
});
afterEach(() => vi.useRealTimers());

const shard = () => {
  const [only] = world.shards();
  if (only === undefined) throw new Error("this journal has a shard");
  return only;
};

const inShard = <T>(ask: (sql: SqlStorage) => T): Promise<T> =>
  runInDurableObject(shard(), (_shard, { storage }) => ask(storage.sql));

/** Claims and answers under many keys, each second one made `ageMs` ago and the others now. */
const remember = (ageMs: number): Promise<void> =>
  inShard((sql) => {
    const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${KEYS})`;
    const at = `CASE i % 2 WHEN 0 THEN ${Date.now() - ageMs} ELSE ${Date.now()} END`;
    sql.exec(`${numbers} INSERT INTO claims SELECT printf('k%06d', i), 'f', ${at}, NULL FROM n`);
    sql.exec(`${numbers} INSERT INTO answers SELECT printf('k%06d', i), '{}', ${at} FROM n`);
  });

const kept = (): Promise<number[]> =>
  inShard((sql) =>
    ["claims", "answers"].map(
      (table) => sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n,
    ),
  );

it("are forgotten after thirty days, a page a call, once a day", async () => {
  await remember(31 * DAY_MS);
  expect(await kept()).toEqual([KEYS, KEYS]);
  const counts: number[][] = [];
  for (let call = 0; call < 6; call += 1) {
    await shard().touch();
    counts.push(await kept());
  }
  // 5,000 a page, every second one old.
  expect(counts).toEqual([
    [9_500, KEYS],
    [7_000, KEYS],
    [6_000, 9_500],
    [6_000, 7_000],
    [6_000, 6_000],
    [6_000, 6_000],
  ]);

  vi.setSystemTime(Date.now() + 29 * DAY_MS);
  for (let call = 0; call < 6; call += 1) await shard().touch();
  expect(await kept()).toEqual([6_000, 6_000]);

  // The pass of the day is over: what gets old meanwhile waits for the next.
  vi.setSystemTime(Date.now() + DAY_MS / 2);
  await shard().touch();
  expect(await kept()).toEqual([6_000, 6_000]);
  vi.setSystemTime(Date.now() + 2 * DAY_MS);
  for (let call = 0; call < 6; call += 1) await shard().touch();
  expect(await kept()).toEqual([0, 0]);
});

it("are forgotten as well when the clock was set back since the last pass", async () => {
  await shard().touch();
  vi.setSystemTime(Date.now() - 10 * DAY_MS);
  await remember(31 * DAY_MS);
  for (let call = 0; call < 6; call += 1) await shard().touch();
  expect(await kept()).toEqual([6_000, 6_000]);
});
