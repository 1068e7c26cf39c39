import { type FilterRequest, parseFilterBody } from "../../domain/filter/parse-body";
import { identityList } from "../../domain/filter/resources";
import type { Identity } from "../../domain/identity";
import { ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { type Listed, type ListQuery, listStored } from "../list";

/** A page of identities. */
export const listIdentities = (ctx: LedgerContext, query: ListQuery): Promise<Listed<Identity>> =>
  listStored(query, ctx.identities);

/** The identities that a filter's body asks for, or what is wrong with it (contract/core.md section 10.4). */
export async function filterIdentities(
  ctx: LedgerContext,
  request: FilterRequest,
): Promise<Result<Listed<Identity>>> {
  const query = parseFilterBody(identityList, request);
  return query.ok ? ok(await listIdentities(ctx, query.value)) : query;
}
