import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { BalanceSnapshot } from "../../src/domain/balance-record";
import { type BalanceId, isBalanceId, type TransactionId } from "../../src/domain/ids";
import type { Posting, Transaction } from "../../src/domain/transaction";
import { balanceStub } from "../../src/durable/balance/client";
import { postingOf } from "../../src/durable/journal/codec";
import { balances, transactions } from "../../src/storage/tables";
import { transactionOf } from "../../src/storage/transaction-row";
import type { World } from "./world";

/** A row of a shard as it is on disk. */
export interface StoredRow {
  readonly id: TransactionId;
  readonly posting: Posting;
  readonly status: string;
  readonly operationKey: string;
  readonly work: number;
  readonly revision: number;
}

/** An entry of a balance as it is on disk. */
export interface StoredEntry {
  readonly version: number;
  readonly op: string;
  readonly transactionId: string;
  readonly side: string;
  readonly action: string;
  readonly amount: bigint;
  readonly credit: bigint;
  readonly debit: bigint;
  readonly inflightCredit: bigint;
  readonly inflightDebit: bigint;
  readonly at: string;
}

export interface AuditedBalance {
  readonly snapshot: BalanceSnapshot;
  readonly entries: readonly StoredEntry[];
  /** Minor units that each reservation keeps back; at rest there is none. */
  readonly reserved: readonly bigint[];
}

/** Everything that a world's objects and D1 hold, read past the product's own reads. */
export interface Audit {
  readonly rows: readonly StoredRow[];
  /** What clients are shown, by id. */
  readonly shown: ReadonlyMap<TransactionId, Transaction>;
  readonly balances: ReadonlyMap<BalanceId, AuditedBalance>;
  /** What D1 has of them. */
  readonly projected: ReadonlyMap<string, Transaction>;
  readonly projectedBalances: ReadonlyMap<string, BalanceSnapshot>;
}

/** The rows on the disks of all shards. */
export async function storedRows(world: World): Promise<StoredRow[]> {
  const byShard = await Promise.all(
    world
      .shards()
      .map((stub) => runInDurableObject(stub, (_shard, { storage }) => rowsOf(storage))),
  );
  return byShard.flat();
}

/** How many rows, balances and batches of all shards have work left: a timer that is running is none. */
export async function workLeft(world: World): Promise<number> {
  const byShard = await Promise.all(
    world.shards().map((stub) =>
      runInDurableObject(stub, (_shard, { storage }) =>
        isUsed(storage)
          ? storage.sql
              .exec<{ left: number }>(
                `SELECT (SELECT count(*) FROM transactions WHERE work & 23 <> 0 AND status <> 'SCHEDULED')
                   + (SELECT count(*) FROM balances WHERE work <> 0)
                   + (SELECT count(*) FROM batches WHERE work <> 0) AS left`,
              )
              .one().left
          : 0,
      ),
    ),
  );
  return byShard.reduce((sum, left) => sum + left, 0);
}

export async function audit(world: World): Promise<Audit> {
  const rows = await storedRows(world);
  const sides = rows.flatMap(({ posting }) => [
    posting.source.balanceId,
    posting.destination.balanceId,
  ]);
  const read = await Promise.all(
    [...new Set(sides)].filter(isBalanceId).map((id) => auditedBalance(world, id)),
  );
  const shown = await Promise.all(rows.map(({ id }) => world.journal.byId(id)));
  const db = drizzle(env.DB);
  const ofInstance = {
    transactions: eq(transactions.instanceId, world.instance),
    balances: eq(balances.instanceId, world.instance),
  };
  const projected = await db.select().from(transactions).where(ofInstance.transactions);
  const projectedBalances = await db.select().from(balances).where(ofInstance.balances);
  return {
    rows,
    shown: new Map(shown.flatMap((each) => (each === null ? [] : [[each.transactionId, each]]))),
    balances: new Map(read.flat()),
    projected: new Map(projected.map((row) => [row.transactionId, transactionOf(row)])),
    projectedBalances: new Map(projectedBalances.map((row) => [row.balanceId, snapshotOf(row)])),
  };
}

/** Transactions without the groups that they move with: D1 knows those of the legs of splits alone. */
export const ungrouped = <Id>(records: ReadonlyMap<Id, Transaction>): Map<Id, Transaction> =>
  new Map([...records].map(([id, record]) => [id, { ...record, group: null }]));

async function auditedBalance(world: World, id: BalanceId): Promise<[BalanceId, AuditedBalance][]> {
  const stub = balanceStub(env.BALANCES, world.instance, id);
  const snapshot = await stub.read();
  if (snapshot === null) return [];
  const { entries, reservations } = await runInDurableObject(stub, (_balance, { storage }) => ({
    entries: storage.sql
      .exec<Record<string, string | number>>("SELECT * FROM entries ORDER BY version")
      .toArray(),
    reservations: storage.sql
      .exec<{ deficit: string }>("SELECT deficit FROM reservations")
      .toArray(),
  }));
  const reserved = reservations.map(({ deficit }) => BigInt(deficit));
  return [[id, { snapshot, entries: entries.map(entryOf), reserved }]];
}

const isUsed = ({ sql }: DurableObjectStorage): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'transactions'").toArray().length > 0;

function rowsOf(storage: DurableObjectStorage): StoredRow[] {
  if (!isUsed(storage)) return [];
  return storage.sql
    .exec<{
      posting: string;
      status: string;
      operation_key: string;
      work: number;
      revision: number;
    }>("SELECT posting, status, operation_key, work, revision FROM transactions")
    .toArray()
    .map(({ posting, status, operation_key, work, revision }) => {
      const parsed = postingOf(posting);
      return {
        id: parsed.transactionId,
        posting: parsed,
        status,
        operationKey: operation_key,
        work,
        revision,
      };
    });
}

function entryOf(row: Record<string, string | number>): StoredEntry {
  const text = (column: string): string => String(row[column]);
  const amount = (column: string): bigint => BigInt(text(column));
  return {
    version: Number(row.version),
    op: text("op"),
    transactionId: text("transaction_id"),
    side: text("side"),
    action: text("action"),
    amount: amount("amount"),
    credit: amount("credit"),
    debit: amount("debit"),
    inflightCredit: amount("inflight_credit"),
    inflightDebit: amount("inflight_debit"),
    at: text("at"),
  };
}

function snapshotOf(row: typeof balances.$inferSelect): BalanceSnapshot {
  const { instanceId: _instance, balance: _settled, inflightBalance: _held, ...rest } = row;
  const { balanceId, identityId, indicator } = rest;
  if (!isBalanceId(balanceId)) throw new Error("D1 has a balance without a balance id");
  return { ...rest, balanceId, identityId: identityId ?? "", indicator: indicator ?? "" };
}
