import { refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import { err, type Result } from "../../domain/result";
import { atOnce } from "../../durable/at-once";
import type { RowPage } from "../../durable/journal/inspector";
import { parcels } from "../../durable/journal/parcels";
import type { RebuildStep } from "../../schemas/rebuild";
import {
  type CopiedTable,
  differences,
  idOf,
  isAhead,
  type Key,
  keyOf,
} from "../../storage/copies";
import type { Values } from "../../storage/projection";
import type { AuditContext } from "../context";
import {
  keyOfText,
  nextPlace,
  type Place,
  readPlace,
  START,
  textOfKey,
  writePlace,
} from "../integrity/cursor";
import { sidesOf } from "../integrity/sides";
import { unknownCopies } from "../integrity/transactions";
import { outcomeOf } from "../trouble";

/** So many balances are read together: their metadata must fit in memory. */
const BALANCES_AT_ONCE = 50;

interface Done extends Partial<Pick<RebuildStep, "written" | "removed" | "unreadable">> {
  /** The rows that were compared; D1's transactions by the texts of their keys. */
  readonly ids: readonly string[];
  /** Whether the part has more of them. */
  readonly hasMore: boolean;
}

/**
 * Makes D1's copies of transactions and balances equal to the objects, the next `limit` rows of them, fewer when they are large:
 * through every shard, its transactions and the balances that it met, and then through D1, for what no object knows. Rows
 * that are right are not written, so it can be stopped, repeated, and run beside traffic. `GEN_VALIDATION_ERROR` when the cursor is none.
 */
export async function rebuildCopies(
  ctx: AuditContext,
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<Result<RebuildStep>> {
  const place = cursor === null ? START : readPlace(cursor);
  if (place === null)
    return err(refusal("GEN_VALIDATION_ERROR", "the cursor is none of a rebuild"));
  return outcomeOf(step(ctx, place, limit));
}

async function step(ctx: AuditContext, place: Place, limit: number): Promise<RebuildStep> {
  const done = await take(ctx, place, limit);
  const { ids, hasMore, written = 0, removed = 0, unreadable = [] } = done;
  const { shards } = ctx.inspector;
  const next = nextPlace(place, ids, { hasMore, shards });
  return {
    part: place.part,
    shard: "shard" in place ? place.shard : null,
    shards,
    checked: ids.length,
    written,
    removed,
    unreadable,
    nextCursor: next === null ? null : writePlace(next),
  };
}

function take(ctx: AuditContext, place: Place, limit: number): Promise<Done> {
  switch (place.part) {
    case "transactions":
      return takeTransactions(ctx, place, limit);
    case "balances":
      return takeBalances(ctx, place, limit);
    case "batches":
      // D1 has nothing of them.
      return Promise.resolve({ ids: [], hasMore: false });
    case "transaction-copies":
      return takeTransactionCopies(ctx, place.after, limit);
    case "balance-copies":
      return takeBalanceCopies(ctx, place.after, limit);
  }
}

async function takeTransactions(
  ctx: AuditContext,
  { shard, after }: Extract<Place, { part: "transactions" }>,
  limit: number,
): Promise<Done> {
  // What an earlier life of the shard left half done is brought to its end, or follows when it is.
  if (after === "") await ctx.inspector.flushed(shard);
  const { rows, hasMore } = await ctx.inspector.page(shard, { after, limit });
  const ids = rows.map(({ transactionId }) => transactionId);
  const transactions = await makeEqual(ctx, "transactions", {
    wanted: wantedOf(ctx, rows),
    wantedAgain: async (some) => wantedOf(ctx, await ctx.inspector.rows(some)),
  });
  // What moved is there, also where no list names it.
  const balances = await makeBalancesEqual(ctx, await ctx.copies.lacking(sidesOf(rows)));
  return {
    ids,
    hasMore,
    written: transactions + balances,
    unreadable: rows.flatMap(({ transactionId, record }) =>
      record === null ? [transactionId] : [],
    ),
  };
}

const wantedOf = ({ copies }: AuditContext, rows: RowPage["rows"]): Wanted =>
  new Map(
    rows.flatMap(({ transactionId, record }) =>
      record === null || record.shown === null
        ? []
        : [[transactionId, copies.ofTransaction(record.shown)]],
    ),
  );

async function takeBalances(
  ctx: AuditContext,
  { shard, after }: Extract<Place, { part: "balances" }>,
  limit: number,
): Promise<Done> {
  const ids = await ctx.inspector.balances(shard, { after, limit });
  return { ids, hasMore: ids.length === limit, written: await makeBalancesEqual(ctx, ids) };
}

async function makeBalancesEqual(ctx: AuditContext, ids: readonly string[]): Promise<number> {
  const wanted = async (some: readonly string[]): Promise<Wanted> => {
    const found = await Promise.all(some.map((id) => ctx.inspector.balance(id)));
    return new Map(
      found.flatMap((balance) =>
        balance === null ? [] : [[balance.balanceId, ctx.copies.ofBalance(balance)]],
      ),
    );
  };
  let written = 0;
  for (let at = 0; at < ids.length; at += BALANCES_AT_ONCE) {
    written += await makeEqual(ctx, "balances", {
      wanted: await wanted(ids.slice(at, at + BALANCES_AT_ONCE)),
      wantedAgain: wanted,
    });
  }
  return written;
}

/** The rows that D1 is to have, by id. */
type Wanted = ReadonlyMap<string, Values>;

interface Equalizing {
  readonly wanted: Wanted;
  wantedAgain(ids: readonly string[]): Promise<Wanted>;
}

/** Makes D1's rows equal to those wanted, as many at a time as D1 can read and write together. Answers how many were written. */
async function makeEqual(
  ctx: AuditContext,
  table: CopiedTable,
  { wanted, wantedAgain }: Equalizing,
): Promise<number> {
  let written = 0;
  for (const some of parcels(wanted, ([, row]) => charactersOf(row))) {
    written += await makeSomeEqual(ctx, table, { wanted: new Map(some), wantedAgain });
  }
  return written;
}

const charactersOf = (row: Values): number =>
  Object.values(row).reduce<number>((sum, value) => sum + String(value).length, 0);

/**
 * Writes the rows that are missing or different. A row in D1 that is ahead of its object was taken there after the object was
 * asked; unless it still is when the object is asked again: then it never was the object's, and goes.
 */
async function makeSomeEqual(
  { copies }: AuditContext,
  table: CopiedTable,
  { wanted, wantedAgain }: Equalizing,
): Promise<number> {
  const keys = [...wanted.values()].map((row) => keyOf(table, row));
  const there = await copies.byKeys(table, keys);
  const rows = [...wanted].filter(([id, row]) => {
    const copy = there.get(id);
    return copy === undefined || differences(row, copy).length > 0;
  });
  const ahead = rows.filter(([id, row]) => isAhead(table, there.get(id), row)).map(([id]) => id);
  const fresh = ahead.length === 0 ? new Map<string, Values>() : await wantedAgain(ahead);
  const stillAhead = [...fresh].filter(([id, row]) => isAhead(table, there.get(id), row));
  await copies.remove(
    table,
    stillAhead.map(([, row]) => keyOf(table, row)),
  );
  const written = rows.map(([id, row]) => fresh.get(id) ?? row);
  await copies.write(table, written);
  return written.length;
}

async function takeTransactionCopies(
  ctx: AuditContext,
  after: string,
  limit: number,
): Promise<Done> {
  const keys = await ctx.copies.keysAfter("transactions", keyOfText(after), limit);
  const unknown = await unknownCopies(ctx, keys);
  await ctx.copies.remove("transactions", unknown);
  return {
    ids: keys.map(textOfKey),
    hasMore: keys.length === limit,
    removed: unknown.length,
  };
}

async function takeBalanceCopies(
  { copies, inspector }: AuditContext,
  after: string,
  limit: number,
): Promise<Done> {
  const keys = await copies.keysAfter("balances", after === "" ? null : [after], limit);
  const isThere = async (key: Key) => (await inspector.balance(idOf(key))) !== null;
  const found = await atOnce(BALANCES_AT_ONCE, keys, isThere);
  const unknown = keys.filter((_key, index) => found[index] === false);
  await copies.remove("balances", unknown);
  const there = keys.map(idOf).filter((_id, index) => found[index] === true);
  await inspector.list(await inspector.unlisted(there.filter(isBalanceId)));
  return { ids: keys.map(idOf), hasMore: keys.length === limit, removed: unknown.length };
}
