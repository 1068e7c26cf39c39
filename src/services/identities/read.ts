import { type LedgerError, refusal } from "../../domain/error";
import type { Identity } from "../../domain/identity";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";

/** There is no identity with this id. */
export const identityNotFound = (identityId: string): LedgerError =>
  refusal("IDT_NOT_FOUND", `Identity with ID '${identityId}' not found`);

/** The identity with this id; `IDT_NOT_FOUND` when there is none. */
export async function readIdentity(
  ctx: LedgerContext,
  identityId: string,
): Promise<Result<Identity>> {
  const stored = await ctx.identities.byId(identityId);
  return stored === null ? err(identityNotFound(identityId)) : ok(stored.identity);
}
