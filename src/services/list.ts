import type { ListQuery, Page } from "../domain/filter/list-query";
import type { LedgerContext } from "./context";

export type { ListQuery, Page } from "../domain/filter/list-query";

/** A page, and whether it may lack what was answered just before. */
export interface Listed<Row> {
  readonly page: Page<Row>;
  readonly isBehind: boolean;
}

/** A page of records that live in objects: D1 first gets what was answered before the question, unless nobody minds. */
export async function listProjected<Row>(
  ctx: LedgerContext,
  query: ListQuery,
  table: { list(query: ListQuery): Promise<Page<Row>> },
): Promise<Listed<Row>> {
  const isBehind = query.eventual ? false : !(await ctx.journal.barrier());
  return { page: await table.list(query), isBehind };
}

/** A page of records whose truth is in D1: never behind. */
export async function listStored<Row>(
  query: ListQuery,
  table: { list(query: ListQuery): Promise<Page<Row>> },
): Promise<Listed<Row>> {
  return { page: await table.list(query), isBehind: false };
}
