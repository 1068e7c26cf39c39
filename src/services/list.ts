import type { ListQuery, Page } from "../domain/filter/list-query";
import type { LedgerContext } from "./context";

export type { ListQuery, Page } from "../domain/filter/list-query";

/** A page, and whether it may lack what was answered just before. */
export interface Listed<Row> {
  readonly page: Page<Row>;
  readonly isBehind: boolean;
}

/** With more shards than this a list does not ask them all, unless the caller wants that. */
const ASKED_SHARDS_MAX = 16;

/**
 * A page of records that live in objects: D1 first gets what was answered before the question, unless the caller, or in a
 * large instance nobody, has said otherwise.
 */
export async function listProjected<Row>(
  ctx: LedgerContext,
  query: ListQuery,
  table: { list(query: ListQuery): Promise<Page<Row>> },
): Promise<Listed<Row>> {
  const isEventual = query.eventual ?? ctx.inspector.shards > ASKED_SHARDS_MAX;
  const isBehind = isEventual ? false : !(await ctx.journal.barrier());
  return { page: await table.list(query), isBehind };
}

/** A page of records whose truth is in D1: never behind. */
export async function listStored<Row>(
  query: ListQuery,
  table: { list(query: ListQuery): Promise<Page<Row>> },
): Promise<Listed<Row>> {
  return { page: await table.list(query), isBehind: false };
}
