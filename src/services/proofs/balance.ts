import { isBalanceId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { Evidence } from "../../durable/balance/evidence";
import { balanceNotFound } from "../balances/read";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/**
 * Entries of a balance after a version, `limit` at most, with all that their hashes are made of, and the balance that they
 * lead to; all as stored. `BAL_NOT_FOUND` when there is none.
 */
export async function proveBalance(
  ctx: LedgerContext,
  { id, after, limit }: { readonly id: string; readonly after: number; readonly limit: number },
): Promise<Result<Evidence>> {
  if (!isBalanceId(id)) return err(balanceNotFound(id));
  const found = await outcomeOf(ctx.inspector.evidence(id, { after, limit }));
  if (!found.ok) return found;
  return found.value === null ? err(balanceNotFound(id)) : ok(found.value);
}
