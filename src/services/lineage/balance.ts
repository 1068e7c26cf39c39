import type { BalanceSnapshot } from "../../domain/balance-record";
import { refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import type { Fund } from "../../domain/lineage";
import { err, ok, type Result } from "../../domain/result";
import { balanceNotFound } from "../balances/read";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/**
 * A balance, and whose money it has, as they stand (contract/transactions.md section 12.3); `GEN_BAD_REQUEST` when it does not
 * track that, `BAL_NOT_FOUND` when there is none.
 */
export async function balanceLineage(
  ctx: LedgerContext,
  id: string,
): Promise<Result<{ readonly balance: BalanceSnapshot; readonly funds: readonly Fund[] }>> {
  if (!isBalanceId(id)) return err(balanceNotFound(id));
  const read = await outcomeOf(ctx.journal.balanceLineage(id));
  if (!read.ok) return read;
  if (read.value === null) return err(balanceNotFound(id));
  const { balance, funds } = read.value;
  return funds === null
    ? err(refusal("GEN_BAD_REQUEST", `balance ${id} does not track its funds`))
    : ok({ balance, funds });
}
