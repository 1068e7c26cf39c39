import { type FilterRequest, parseFilterBody } from "../../domain/filter/parse-body";
import { transactionList } from "../../domain/filter/resources";
import type { Result } from "../../domain/result";
import { ok } from "../../domain/result";
import type { Transaction } from "../../domain/transaction";
import type { LedgerContext } from "../context";
import { type Listed, type ListQuery, listProjected } from "../list";

/** A page of transactions, with the caller's own writes unless the question does without them. */
export const listTransactions = (
  ctx: LedgerContext,
  query: ListQuery,
): Promise<Listed<Transaction>> => listProjected(ctx, query, ctx.transactions);

/** The transactions that a filter's body asks for, or what is wrong with it (contract/transactions.md section 11.3). */
export async function filterTransactions(
  ctx: LedgerContext,
  request: FilterRequest,
): Promise<Result<Listed<Transaction>>> {
  const query = parseFilterBody(transactionList, request);
  return query.ok ? ok(await listTransactions(ctx, query.value)) : query;
}
