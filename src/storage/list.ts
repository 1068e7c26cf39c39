import { and, asc, type Column, desc, type SQL, sql } from "drizzle-orm";
import { cursorOf, type ListQuery, type Page } from "../domain/filter/list-query";
import { conditionsSql, type FilteredTable, fieldSql } from "./filter-sql";

/** A table that lists read: what belongs to the instance, and what makes the order stable. */
export interface ListedTable<Row> extends FilteredTable {
  readonly ofInstance: SQL;
  readonly createdAt: Column;
  readonly id: Column;
  /** Rows of one page, and their number when it is asked for. */
  select(parts: PageParts): Promise<readonly Row[]>;
  count(where: SQL | undefined): Promise<number>;
  positionOf(row: Row): { readonly createdAt: string; readonly id: string };
}

/** What a page is selected by. */
export interface PageParts {
  readonly where: SQL | undefined;
  readonly orderBy: readonly SQL[];
  readonly limit: number;
  readonly offset: number;
}

/** One page of a table. It reads a row more than it answers, to know whether the list goes on. */
export async function selectPage<Row>(
  table: ListedTable<Row>,
  query: ListQuery,
): Promise<Page<Row>> {
  const fits = and(table.ofInstance, conditionsSql(table, query));
  const [rows, total] = await Promise.all([
    table.select({
      where: and(fits, afterSql(table, query)),
      orderBy: orderSql(table, query),
      limit: query.limit + 1,
      offset: query.offset,
    }),
    query.count ? table.count(fits) : null,
  ]);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const goesOn = rows.length > page.length && query.sortBy === "created_at";
  const nextCursor = goesOn && last !== undefined ? cursorOf(table.positionOf(last)) : null;
  return { rows: page, total, nextCursor };
}

/** Equal rows follow each other by their time, and those of one moment by their ids, so no page repeats or misses one. */
function orderSql<Row>(table: ListedTable<Row>, { sortBy, direction }: ListQuery): readonly SQL[] {
  const by = direction === "asc" ? asc : desc;
  const place = [by(table.createdAt), by(table.id)];
  return sortBy === "created_at" ? place : [by(fieldSql(table, sortBy)), ...place];
}

function afterSql<Row>(
  { createdAt, id }: ListedTable<Row>,
  { after, direction }: ListQuery,
): SQL | undefined {
  if (after === null) return undefined;
  const isPast = sql.raw(direction === "asc" ? ">" : "<");
  return sql`(${createdAt}, ${id}) ${isPast} (${after.createdAt}, ${after.id})`;
}
