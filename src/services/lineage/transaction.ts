import { refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import type { TransactionLineage } from "../../domain/lineage";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** Whose money a transaction moved (contract/transactions.md section 11.5); `TXN_NOT_FOUND` when there is none. */
export async function transactionLineage(
  ctx: LedgerContext,
  id: string,
): Promise<Result<TransactionLineage>> {
  const missing = refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`, {});
  if (!isTransactionId(id)) return err(missing);
  const { journal } = ctx;
  const found = await outcomeOf(journal.lineageOf(id));
  if (!found.ok) return found;
  if (found.value === null) return err(missing);
  const { allocation, shadows } = found.value;
  const told = await outcomeOf(Promise.all(shadows.map((shadow) => journal.byId(shadow))));
  if (!told.ok) return told;
  return ok({
    transactionId: id,
    allocation,
    shadows: told.value.filter((shadow) => shadow !== null),
  });
}
