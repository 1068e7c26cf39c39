import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { chainFindings } from "../../src/domain/chain";
import { indicatorBalanceId, sha256Hex, transactionIdOf } from "../../src/domain/ids";
import { profileSeal } from "../../src/domain/seal";
import { balanceStub } from "../../src/durable/balance/client";
import { changeOf } from "../support/changes";

/** The tables of a balance as they were before entries and profiles had seals. */
const OLDER = `CREATE TABLE schema_version (version INTEGER NOT NULL);
  INSERT INTO schema_version VALUES (1);
  CREATE TABLE entries (version INTEGER PRIMARY KEY, op TEXT NOT NULL UNIQUE,
    transaction_id TEXT NOT NULL, side TEXT NOT NULL, action TEXT NOT NULL, amount TEXT NOT NULL,
    credit TEXT NOT NULL, debit TEXT NOT NULL, inflight_credit TEXT NOT NULL,
    inflight_debit TEXT NOT NULL, effective_date TEXT NOT NULL, at TEXT NOT NULL,
    hash TEXT NOT NULL);
  CREATE TABLE profile (id INTEGER PRIMARY KEY CHECK (id = 1), balance_id TEXT NOT NULL,
    ledger_id TEXT NOT NULL, identity_id TEXT NOT NULL, currency TEXT NOT NULL,
    indicator TEXT NOT NULL, created_at TEXT NOT NULL, meta_data TEXT,
    track_fund_lineage INTEGER NOT NULL, allocation_strategy TEXT NOT NULL,
    profile_version INTEGER NOT NULL, created_by TEXT NOT NULL);
  CREATE TABLE tombstones (op TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE reservations (key TEXT PRIMARY KEY, digest TEXT NOT NULL, deficit TEXT NOT NULL)
    WITHOUT ROWID;`;

it("a balance that is older than seals goes on, its whole chain holds, and its profile is sealed once", async () => {
  const instance = `older-${crypto.randomUUID()}`;
  const id = indicatorBalanceId(instance, "@old", "USD");
  const [first, second] = ["first", "second"].map((reference) =>
    transactionIdOf(instance, reference),
  );
  if (first === undefined || second === undefined) throw new Error("two ids");
  const at = "2026-01-01T00:00:00.000000Z";
  const op = `${first}.a.destination`;
  const row = [2, op, first, "destination", "apply", "70", "70", "0", "0", "0", at, at];
  await runInDurableObject(balanceStub(env.BALANCES, instance, id), (_balance, { storage }) => {
    storage.sql.exec(OLDER);
    const hash = sha256Hex(JSON.stringify(["0".repeat(64), ...row]));
    storage.sql.exec(
      `INSERT INTO entries VALUES (${row.map(() => "?").join(", ")}, ?)`,
      ...row,
      hash,
    );
    storage.sql.exec(
      "INSERT INTO profile VALUES (1, ?, 'general_ledger_id', '', 'USD', '@old', ?, NULL, 0, 'FIFO', 1, ?)",
      id,
      at,
      op,
    );
  });
  await abortAllDurableObjects();

  const { answers } = await balanceStub(env.BALANCES, instance, id).execute({
    operations: [
      changeOf(instance, `${second}.b.source`, {
        side: "source",
        amount: 30n,
        transactionId: second,
        indicator: null,
        seal: "a".repeat(64),
      }),
    ],
  });

  expect(answers).toMatchObject([{ outcome: "applied", version: 3 }]);
  const evidence = await balanceStub(env.BALANCES, instance, id).evidence({ after: 1, limit: 9 });
  expect(evidence?.entries.map(({ seal }) => seal)).toEqual(["", "a".repeat(64)]);
  expect(chainFindings(id, { version: 1, entry: null }, evidence?.entries ?? [])).toEqual([]);
  expect(evidence?.stored).toMatchObject({ credit: 70n, debit: 30n, indicator: "@old" });
  if (evidence === null || evidence.stored === null) throw new Error("it is there");
  expect(evidence.createdBy).toBe(op);
  expect(evidence.seal).toBe(profileSeal(evidence.stored, 1, op));

  // It is sealed once: who takes the seal away does not get another.
  await runInDurableObject(balanceStub(env.BALANCES, instance, id), (_balance, { storage }) => {
    storage.sql.exec("UPDATE profile SET seal = ''");
  });
  await abortAllDurableObjects();
  const later = await balanceStub(env.BALANCES, instance, id).evidence({ after: 1, limit: 0 });
  expect(later?.seal).toBe("");
});
