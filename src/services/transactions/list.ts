import { onlyIdsOf } from "../../domain/filter/only-ids";
import { type FilterRequest, parseFilterBody } from "../../domain/filter/parse-body";
import { transactionList } from "../../domain/filter/resources";
import type { Result } from "../../domain/result";
import { ok } from "../../domain/result";
import type { Transaction } from "../../domain/transaction";
import type { LedgerContext } from "../context";
import { type Listed, type ListQuery, listProjected, type Page } from "../list";

/** A page of transactions, with the caller's own writes unless the question does without them. */
export const listTransactions = (
  ctx: LedgerContext,
  query: ListQuery,
): Promise<Listed<Transaction>> =>
  listProjected(ctx, query, { list: (asked) => pageOf(ctx, asked) });

/** D1 keeps them in the order of time: those that are asked for by id or reference are found by when they were made. */
async function pageOf(ctx: LedgerContext, query: ListQuery): Promise<Page<Transaction>> {
  const ids = onlyIdsOf(ctx.instance, query);
  if (ids === null) return ctx.transactions.list(query);
  const states = await ctx.journal.statesOf(ids);
  const moments = states.flatMap((state) => (state === null ? [] : [state.createdAt]));
  return ctx.transactions.list(query, moments);
}

/** The transactions that a filter's body asks for, or what is wrong with it (contract/transactions.md section 11.3). */
export async function filterTransactions(
  ctx: LedgerContext,
  request: FilterRequest,
): Promise<Result<Listed<Transaction>>> {
  const query = parseFilterBody(transactionList, request);
  return query.ok ? ok(await listTransactions(ctx, query.value)) : query;
}
