import { refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import type { BalanceLineage } from "../../domain/lineage";
import { err, ok, type Result } from "../../domain/result";
import { balanceNotFound } from "../balances/read";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/**
 * Whose money a balance has, as it stands (contract/transactions.md section 12.3); `GEN_BAD_REQUEST` when it does not track
 * that, `BAL_NOT_FOUND` when there is none.
 */
export async function balanceLineage(
  ctx: LedgerContext,
  id: string,
): Promise<Result<BalanceLineage>> {
  if (!isBalanceId(id)) return err(balanceNotFound(id));
  const read = await outcomeOf(Promise.all([ctx.journal.balance(id), ctx.journal.fundsOf(id)]));
  if (!read.ok) return read;
  const [balance, funds] = read.value;
  if (balance === null) return err(balanceNotFound(id));
  if (funds === null) {
    return err(refusal("GEN_BAD_REQUEST", `balance ${id} does not track its funds`));
  }
  return ok({ ...funds, balance });
}
