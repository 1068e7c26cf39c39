import type { Context } from "hono";
import { parseListQuery } from "../domain/filter/parse-query";
import type { ListedResource } from "../domain/filter/resources";
import type { Listed, ListQuery } from "../services/list";
import type { AppEnv } from "./env";
import { unwrap } from "./errors";

/** The checked question of a `GET` list. */
export const listQueryOf = (c: Context<AppEnv>, resource: ListedResource): ListQuery =>
  unwrap(parseListQuery(resource, new URL(c.req.url).searchParams));

/** The rows of a `GET` list for the wire; what else there is to say about the page stands in headers. */
export function rowsOf<Row, Body>(
  c: Context<AppEnv>,
  { page, isBehind }: Listed<Row>,
  toBody: (row: Row) => Body,
): Body[] {
  if (page.nextCursor !== null) c.header("X-Next-Cursor", page.nextCursor);
  if (page.total !== null) c.header("X-Total-Count", String(page.total));
  if (isBehind) c.header("X-Purser-Behind", "true");
  return page.rows.map(toBody);
}

/** The answer to a filter: a bare list, or with `include_count` an envelope. */
export function filteredOf<Row, Body>(
  c: Context<AppEnv>,
  listed: Listed<Row>,
  toBody: (row: Row) => Body,
): Body[] | { data: Body[]; total_count: number } {
  const data = rowsOf(c, listed, toBody);
  const { total } = listed.page;
  return total === null ? data : { data, total_count: total };
}
