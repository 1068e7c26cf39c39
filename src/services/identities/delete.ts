import { refusal } from "../../domain/error";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { identityNotFound } from "./read";

/**
 * Deletes an identity that no balance refers to; `GEN_CONFLICT` when one does (contract/core.md section 5.4). Balances
 * are looked for in D1, so nothing is deleted while D1 is behind.
 */
export async function deleteIdentity(
  ctx: LedgerContext,
  identityId: string,
): Promise<Result<null>> {
  if (!(await ctx.identities.has(identityId))) return err(identityNotFound(identityId));
  if (!(await ctx.journal.barrier())) {
    return err(refusal("GEN_OVERLOADED", "the records are behind: send the same request again"));
  }
  if (await ctx.identities.delete(identityId)) return ok(null);
  const isGone = !(await ctx.identities.has(identityId));
  return err(
    isGone ? identityNotFound(identityId) : refusal("GEN_CONFLICT", "Failed to delete identity"),
  );
}
