import { type FilterRequest, parseFilterBody } from "../../domain/filter/parse-body";
import { ledgerList } from "../../domain/filter/resources";
import type { Ledger } from "../../domain/ledger";
import { ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { type Listed, type ListQuery, listStored } from "../list";

/** A page of ledgers. */
export const listLedgers = (ctx: LedgerContext, query: ListQuery): Promise<Listed<Ledger>> =>
  listStored(query, ctx.ledgers);

/** The ledgers that a filter's body asks for, or what is wrong with it (contract/core.md section 10.4). */
export async function filterLedgers(
  ctx: LedgerContext,
  request: FilterRequest,
): Promise<Result<Listed<Ledger>>> {
  const query = parseFilterBody(ledgerList, request);
  return query.ok ? ok(await listLedgers(ctx, query.value)) : query;
}
