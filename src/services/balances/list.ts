import type { BalanceSnapshot } from "../../domain/balance-record";
import { type FilterRequest, parseFilterBody } from "../../domain/filter/parse-body";
import { balanceList } from "../../domain/filter/resources";
import { ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { type Listed, type ListQuery, listProjected } from "../list";

/** A page of balances, with the caller's own writes unless the question does without them. */
export const listBalances = (
  ctx: LedgerContext,
  query: ListQuery,
): Promise<Listed<BalanceSnapshot>> => listProjected(ctx, query, ctx.balances);

/** The balances that a filter's body asks for, or what is wrong with it (contract/core.md section 10.4). */
export async function filterBalances(
  ctx: LedgerContext,
  request: FilterRequest,
): Promise<Result<Listed<BalanceSnapshot>>> {
  const query = parseFilterBody(balanceList, request);
  return query.ok ? ok(await listBalances(ctx, query.value)) : query;
}
