import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { type Row, Work } from "../../src/durable/journal/row";
import { JournalStore } from "../../src/durable/journal/store";
import { clearFaults, fateOf, setFaults } from "../support/faults";
import { Moment } from "../support/moment";
import { postingFor } from "../support/postings";
import { MADE_AT } from "../support/records";
import { World } from "../support/world";

const EVER = Number.MAX_SAFE_INTEGER;

/** Asks the storage of a shard that nobody else uses. */
function inStorage<T>(ask: (storage: DurableObjectStorage, world: World) => T): Promise<T> {
  const world = new World("open-rows", 1);
  const [shard] = world.shards();
  if (shard === undefined) throw new Error("this journal has a shard");
  return runInDurableObject(shard, (_shard, { storage }) => ask(storage, world));
}

const newRow = ({ instance }: World, reference: string): Row => ({
  seq: 0,
  posting: postingFor(instance, { reference, from: "@a", to: "@b", amount: 1n }),
  attempt: "attempt",
  createdAt: MADE_AT,
  operationKey: "",
  fingerprint: "",
  claims: [],
  coordinator: null,
  decision: null,
  status: "QUEUED",
  metaData: null,
  revision: 1,
  work: Work.Drive | Work.Project,
  outcome: null,
  rejectionReason: "",
  dueMs: 1_000,
  doubt: false,
});

/** What a shard that wakes finds with work left. */
const foundAnew = (storage: DurableObjectStorage): Set<string> =>
  new Set(
    [...new JournalStore(storage).unsettled(500, EVER)]
      .flat()
      .map(({ posting }) => posting.reference),
  );

const unsettledOf = (storage: DurableObjectStorage): Set<string> =>
  new Set(
    storage.sql
      .exec<{ reference: string }>(
        "SELECT posting ->> '$[3]' AS reference FROM transactions WHERE work <> 0",
      )
      .toArray()
      .map(({ reference }) => reference),
  );

const behindTheMark = (storage: DurableObjectStorage): number =>
  storage.sql
    .exec<{ n: number }>("SELECT max(seq) - (SELECT seq FROM mark) AS n FROM transactions")
    .one().n;

/** Numbers from 0 up to 1, the same in every run. */
function* drawn(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

it.each([1, 2, 3])(
  "a shard that wakes finds every row with work left, whatever was settled before (%d)",
  (seed) =>
    inStorage((storage, world) => {
      const numbers = drawn(seed);
      const draw = () => numbers.next().value ?? 0;
      const store = new JournalStore(storage);
      const live = new Set<Row>();
      for (let round = 0; round < 30; round += 1) {
        for (let n = 0; n < 100; n += 1) {
          const row = newRow(world, `${round}-${n}`);
          if (draw() < 0.05) row.status = "SCHEDULED";
          store.insertAlone(row);
          live.add(row);
        }
        let settled = 0;
        store.transaction(() => {
          for (const row of live) {
            const fate = draw();
            // Some take long, some are settled but for a timer, or change while they are looked after.
            if (fate < 0.3 || row.posting.reference === "0-50") continue;
            if (fate < 0.4) row.metaData = "{}";
            else row.work = fate < 0.5 ? Work.Timer : 0;
            store.save(row);
            if (fate < 0.4) continue;
            settled += 1;
            live.delete(row);
          }
        });
        store.settled(settled, live);
        const left = unsettledOf(storage);
        expect(left.size).toBeGreaterThan(0);
        expect(foundAnew(storage)).toEqual(left);
        expect(
          new Set(store.queuedBefore("9", 10_000).map((row) => row.posting.reference)),
        ).toEqual(
          new Set(
            [...left].filter((reference) => store.find(world.idOf(reference))?.status === "QUEUED"),
          ),
        );
      }
    }),
);

it("what a dead life left is found although many were settled before the next life looked for it", async () => {
  const world = new World("open-rows", 1);
  const [shard] = world.shards();
  if (shard === undefined) throw new Error("this journal has a shard");
  const count = (where: string) =>
    runInDurableObject(
      world.shards()[0] ?? shard,
      (_shard, { storage }) =>
        storage.sql
          .exec<{ n: number }>(`SELECT count(*) AS n FROM transactions WHERE ${where}`)
          .one().n,
    );
  await world.fund("@alice", 1n);
  expect(await world.journal.barrier()).toBe(true);
  setFaults(world.instance, { call: fateOf("apply.sendBatch", { kind: "swallowed" }) });
  await world.post({
    reference: "left",
    from: "@alice",
    to: "@bob",
    amount: 1n,
    skipQueue: false,
  });
  await abortAllDurableObjects();
  // Nobody looks after what was left, and many come and go.
  const never = new Moment();
  setFaults(world.instance, {
    step: (at) => (at === "alarm:begun" ? never.came() : undefined),
  });
  const transfers = Array.from({ length: 600 }, (_none, n) => ({
    reference: `t${n}`,
    from: "@world",
    to: `@w${n % 20}`,
    amount: 1n,
  }));
  for (let at = 0; at < transfers.length; at += 50) {
    await Promise.all(transfers.slice(at, at + 50).map((transfer) => world.post(transfer)));
  }
  await expect.poll(() => count("status = 'APPLIED' AND work = 0"), { timeout: 20_000 }).toBe(601);
  await abortAllDurableObjects();

  clearFaults(world.instance);
  never.comes();
  expect(await world.journal.barrier()).toBe(true);
  expect((await world.read("left"))?.status).toBe("APPLIED");
  expect(await count("work <> 0")).toBe(0);
});

it("a row that takes long does not keep a shard that wakes looking at all that came after it", () =>
  inStorage((storage, world) => {
    const store = new JournalStore(storage);
    const slow = newRow(world, "slow");
    store.insertAlone(slow);
    const rows = 30_000;
    storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
         INSERT INTO transactions SELECT i, 0, 'txn_' || i, '', '', '', '', '', '', 'APPLIED', NULL, 1, 0,
           NULL, '', 0, NULL, NULL, NULL FROM n`,
    );
    const later = new JournalStore(storage);
    later.settled(rows, [slow]);

    expect(behindTheMark(storage)).toBeLessThan(25_000);
    expect(foundAnew(storage)).toEqual(new Set(["slow"]));
    expect(new JournalStore(storage).nextDueMs()).toBe(slow.dueMs);
    slow.work = 0;
    later.save(slow);
    expect(foundAnew(storage)).toEqual(new Set());
    expect(new JournalStore(storage).nextDueMs()).toBe(null);
  }));

it("numbers never go back, also when the newest row is gone", () =>
  inStorage((storage, world) => {
    const store = new JournalStore(storage);
    const rows = Array.from({ length: 400 }, (_none, n) => newRow(world, `${n}`));
    for (const row of rows) store.insertAlone(row);
    store.transaction(() => {
      for (const row of rows) store.free(row);
    });
    store.settled(rows.length, []);
    const again = new JournalStore(storage);
    again.insertAlone(newRow(world, "later"));
    expect(foundAnew(storage)).toEqual(new Set(["later"]));
  }));

it("a shard of the first version keeps its rows, and those with work left wait", () =>
  inStorage((storage, world) => {
    new JournalStore(storage).insertAlone(newRow(world, "to be forgotten"));
    storage.sql.exec(
      `CREATE TABLE old AS SELECT * FROM transactions;
       DROP TABLE transactions; DROP TABLE mark; UPDATE schema_version SET version = 1;
       CREATE TABLE transactions (transaction_id TEXT PRIMARY KEY, parent_transaction TEXT NOT NULL, posting TEXT NOT NULL,
         attempt TEXT NOT NULL, created_at TEXT NOT NULL, operation_key TEXT NOT NULL, fingerprint TEXT NOT NULL,
         status TEXT NOT NULL, meta_data TEXT, revision INTEGER NOT NULL, work INTEGER NOT NULL, outcome TEXT,
         rejection_reason TEXT NOT NULL, due_ms INTEGER NOT NULL, claims TEXT, coordinator INTEGER, decision TEXT) WITHOUT ROWID;
       ALTER TABLE batches DROP COLUMN seal;
       ALTER TABLE batch_items DROP COLUMN seal;
       CREATE INDEX unsettled ON transactions (due_ms) WHERE work <> 0;
       CREATE INDEX children ON transactions (parent_transaction) WHERE parent_transaction <> '';`,
    );
    for (const [reference, work] of [
      ["open", 3],
      ["settled", 0],
    ] as const) {
      storage.sql.exec(
        `INSERT INTO transactions SELECT ?, parent_transaction, posting, attempt, created_at, operation_key, fingerprint,
           status, meta_data, revision, ?, outcome, rejection_reason, due_ms, claims, coordinator, decision FROM old`,
        world.idOf(reference),
        work,
      );
    }
    const store = new JournalStore(storage);
    const ids = [...store.unsettled(500, EVER)].flat().map(({ seq }) => seq);
    expect(ids).toHaveLength(1);
    expect(store.find(world.idOf("open"))?.seq).toBe(ids[0]);
    expect(store.find(world.idOf("settled"))?.work).toBe(0);
    store.insertAlone(newRow(world, "new"));
    expect([...store.unsettled(500, EVER)].flat()).toHaveLength(2);
  }));
