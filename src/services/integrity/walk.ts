import { settled } from "../../domain/balance";
import { refusal } from "../../domain/error";
import type { Finding } from "../../domain/finding";
import { err, type Result } from "../../domain/result";
import { FIRST_VERSION } from "../../domain/seal";
import { millisOf } from "../../domain/time";
import type { Evidence } from "../../durable/balance/evidence";
import type { Checked, CurrencySum, IntegrityStep, ShardBacklog } from "../../schemas/integrity";
import { idOf } from "../../storage/copies";
import type { AuditContext } from "../context";
import { outcomeOf } from "../trouble";
import { entryFindings, profileFindings } from "./balances";
import {
  type Cursor,
  keyOfText,
  nextPlace,
  type Place,
  readCursor,
  START,
  textOfKey,
  writeCursor,
} from "./cursor";
import { noFunds } from "./funds";
import { sideFindings, unlistedFindings } from "./sides";
import { LATE_MS, transactionFindings, unknownCopies } from "./transactions";

/** Money that moved this shortly before the walk may have been under way as it began. */
const UNDER_WAY_MS = 15_000;

interface Moved {
  readonly next: Place | null;
  readonly checked: Partial<Checked>;
  readonly findings: readonly Finding[];
  readonly backlog?: ShardBacklog;
}

/**
 * Looks at the next `limit` rows or entries, fewer when they are large, of a walk over everything that is stored: transactions
 * against entries, entries against each other and against transactions, D1 against both, and what is overdue. It changes
 * nothing, and asks a bounded number of calls. `GEN_VALIDATION_ERROR` when the cursor is none.
 */
export async function checkIntegrity(
  ctx: AuditContext,
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): Promise<Result<IntegrityStep>> {
  const from: Cursor | null =
    cursor === null
      ? { place: START, startedMs: millisOf(ctx.now()), sums: {}, moved: [] }
      : readCursor(cursor);
  if (from === null) return err(refusal("GEN_VALIDATION_ERROR", "the cursor is none of this walk"));
  return outcomeOf(step(ctx, from, limit));
}

async function step(ctx: AuditContext, from: Cursor, limit: number): Promise<IntegrityStep> {
  const cursor: Cursor = { ...from, sums: { ...from.sums }, moved: [...from.moved] };
  const { next, checked, findings, backlog } = await take(ctx, cursor, limit);
  const sums = next === null ? sumsOf(cursor) : null;
  return {
    part: from.place.part,
    checked: { transactions: 0, balances: 0, entries: 0, ...checked },
    findings: [...findings, ...(sums ?? []).flatMap(sumFinding)],
    backlog: backlog ?? null,
    sums,
    nextCursor: next === null ? null : writeCursor({ ...cursor, place: next }),
  };
}

function take(ctx: AuditContext, cursor: Cursor, limit: number): Promise<Moved> {
  const { place } = cursor;
  switch (place.part) {
    case "transactions":
      return takeTransactions(ctx, place, limit);
    case "balances":
      return takeBalances(ctx, place, limit);
    case "batches":
      return takeBatches(ctx, place, limit);
    case "transaction-copies":
      return takeTransactionCopies(ctx, place, limit);
    case "balance-copies":
      return takeBalanceCopies(ctx, { cursor, place, limit });
  }
}

async function takeTransactions(
  ctx: AuditContext,
  place: Extract<Place, { part: "transactions" }>,
  limit: number,
): Promise<Moved> {
  const { shard, after } = place;
  const { shards } = ctx.inspector;
  const { rows, hasMore } = await ctx.inspector.page(shard, { after, limit });
  const ids = rows.map(({ transactionId }) => transactionId);
  const moved: Moved = {
    next: nextPlace(place, ids, { hasMore, shards }),
    checked: { transactions: rows.length },
    findings: [...(await transactionFindings(ctx, rows)), ...(await sideFindings(ctx, rows))],
  };
  if (after !== "") return moved;
  const { overdue, isMarkSound = true, ...backlog } = await ctx.inspector.backlog(shard, LATE_MS);
  const late = overdue.map(
    ({ id, what }): Finding => ({
      code: "overdue",
      id,
      store: "journal",
      version: null,
      message: `${what} is long past its time`,
    }),
  );
  if (!isMarkSound) {
    const message = "the mark from which it looks for its work was moved";
    const id = `shard ${shard}`;
    late.push({ code: "shard_altered", id, store: "journal", version: null, message });
  }
  return { ...moved, backlog, findings: [...moved.findings, ...late] };
}

async function takeBalances(
  ctx: AuditContext,
  place: Extract<Place, { part: "balances" }>,
  limit: number,
): Promise<Moved> {
  const { shards } = ctx.inspector;
  const ids = await ctx.inspector.balances(place.shard, { after: place.after, limit });
  return {
    next: nextPlace(place, ids, { hasMore: ids.length === limit, shards }),
    checked: { balances: ids.length },
    findings: await profileFindings(ctx, ids),
  };
}

async function takeBatches(
  ctx: AuditContext,
  place: Extract<Place, { part: "batches" }>,
  limit: number,
): Promise<Moved> {
  const { inspector } = ctx;
  const { faults, next } = await inspector.batches(place.shard, { after: place.after, limit });
  const at = next === null ? [] : [next];
  return {
    next: nextPlace(place, at, { hasMore: next !== null, shards: inspector.shards }),
    checked: {},
    findings: faults.map(({ batchId, message }) => ({
      code: "batch_altered",
      id: batchId,
      store: "journal",
      version: null,
      message,
    })),
  };
}

/** What D1 has that the journal does not know; what both have was compared before. */
async function takeTransactionCopies(
  ctx: AuditContext,
  place: Extract<Place, { part: "transaction-copies" }>,
  limit: number,
): Promise<Moved> {
  const { shards } = ctx.inspector;
  const keys = await ctx.copies.keysAfter("transactions", keyOfText(place.after), limit);
  const unknown = await unknownCopies(ctx, keys);
  return {
    next: nextPlace(place, keys.map(textOfKey), { hasMore: keys.length === limit, shards }),
    checked: { transactions: keys.length },
    findings: unknown.map((key) => ({
      code: "copy_unknown",
      id: idOf(key),
      store: "d1",
      version: null,
      message: "the journal does not know it",
    })),
  };
}

/** Balances with their entries, as many as the limit allows: it may stop within one. */
async function takeBalanceCopies(
  ctx: AuditContext,
  {
    cursor,
    place,
    limit,
  }: {
    readonly cursor: Cursor;
    readonly place: Extract<Place, { part: "balance-copies" }>;
    readonly limit: number;
  },
): Promise<Moved> {
  let { after, within } = place;
  let left = limit;
  let [balances, entries] = [0, 0];
  const findings: Finding[] = [];
  const looks: Evidence[] = [];
  const keys = await ctx.copies.keysAfter("balances", after === "" ? null : [after], limit);
  const ids = keys.map(idOf);
  const asked = within === null ? ids : [within.id, ...ids];
  for (const id of asked) {
    if (left <= 0) return await moved({ part: "balance-copies", after, within: null });
    const from: number = within?.version ?? FIRST_VERSION;
    const funds = within === null ? noFunds(ctx) : within.funds;
    const looked = await entryFindings(ctx, id, { after: from, limit: left, funds });
    findings.push(...looked.findings);
    const seen = looked.evidence?.entries ?? [];
    entries += seen.length;
    const last = seen.at(-1);
    const goesOn = last !== undefined && seen.length === left;
    left -= seen.length + 1;
    after = id;
    within = null;
    if (goesOn && last.version < (looked.evidence?.newest.version ?? 0)) {
      const stopped = { id, version: last.version, funds: looked.funds };
      return await moved({ part: "balance-copies", after, within: stopped });
    }
    balances += 1;
    if (looked.evidence === null) continue;
    looks.push(looked.evidence);
    addUp(cursor, looked.evidence);
  }
  return moved(ids.length === limit ? { part: "balance-copies", after, within: null } : null);

  async function moved(next: Place | null): Promise<Moved> {
    findings.push(...(await unlistedFindings(ctx, looks)));
    return { next, checked: { balances, entries }, findings };
  }
}

function addUp(cursor: Cursor, { used, newest }: Evidence): void {
  const { currency } = used;
  cursor.sums[currency] = (BigInt(cursor.sums[currency] ?? "0") + settled(used)).toString();
  const isNew = newest.at !== "" && millisOf(newest.at) > cursor.startedMs - UNDER_WAY_MS;
  if (isNew && !cursor.moved.includes(currency)) cursor.moved.push(currency);
}

const sumsOf = ({ sums, moved }: Cursor): CurrencySum[] =>
  Object.entries(sums).map(([currency, sum]) => ({
    currency,
    sum: BigInt(sum),
    moved: moved.includes(currency),
  }));

const sumFinding = ({ currency, sum, moved }: CurrencySum): Finding[] =>
  sum === 0n || moved
    ? []
    : [
        {
          code: "sum_not_zero",
          id: currency,
          store: "balance",
          version: null,
          message: `all balances in ${currency} add up to ${sum}`,
        },
      ];
