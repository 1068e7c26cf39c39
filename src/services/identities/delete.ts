import { type LedgerError, refusal } from "../../domain/error";
import { err, ok, type Result } from "../../domain/result";
import type { StoredIdentity } from "../../storage/identities";
import type { LedgerContext } from "../context";
import { identityNotFound } from "./read";

const OWNED = refusal("GEN_CONFLICT", "Failed to delete identity");
const BEHIND = refusal("GEN_OVERLOADED", "the records are behind: send the same request again");

/**
 * Deletes an identity that no balance refers to; `GEN_CONFLICT` when one does (contract/core.md section 5.4). Balances
 * are looked for in D1, so nothing is deleted while D1 is behind.
 */
export async function deleteIdentity(
  ctx: LedgerContext,
  identityId: string,
): Promise<Result<null>> {
  const stored = await ctx.identities.byId(identityId);
  if (stored === null) return err(identityNotFound(identityId));
  if (!(await ctx.journal.barrier())) return err(BEHIND);
  if (!(await ctx.identities.delete(identityId))) {
    const isGone = !(await ctx.identities.has(identityId));
    return err(isGone ? identityNotFound(identityId) : OWNED);
  }
  const taken = await takenMeanwhile(ctx, stored);
  return taken === null ? ok(null) : err(taken);
}

/**
 * A balance may have been made for it, or given to it, by somebody who found it just before it was deleted: then it is put
 * back as it was.
 */
async function takenMeanwhile(
  ctx: LedgerContext,
  { identity }: StoredIdentity,
): Promise<LedgerError | null> {
  const isCurrent = await ctx.journal.barrier();
  if (isCurrent && !(await ctx.identities.isOwner(identity.identityId))) return null;
  await ctx.identities.insert(identity, null);
  return isCurrent ? OWNED : BEHIND;
}
