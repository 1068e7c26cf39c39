import { refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { balanceNotFound } from "./read";

/** Gives a balance to an identity. The identity is looked for first (contract/core.md section 3.7). */
export async function changeOwner(
  ctx: LedgerContext,
  { balanceId, identityId }: { readonly balanceId: string; readonly identityId: string },
): Promise<Result<null>> {
  if (!(await ctx.identities.has(identityId))) {
    return err(refusal("BAL_NOT_FOUND", `Identity with ID '${identityId}' not found`, {}));
  }
  if (!isBalanceId(balanceId)) return err(balanceNotFound(balanceId));
  const changed = await outcomeOf(ctx.journal.updateBalance(balanceId, { identityId }));
  if (!changed.ok) return changed;
  return changed.value === null ? err(balanceNotFound(balanceId)) : ok(null);
}
