import { refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import { err, type Result } from "../../domain/result";
import type { Transaction } from "../../domain/transaction";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";

/**
 * Cancels a transaction that has not moved yet: it becomes REJECTED. `TXN_NOT_FOUND` when there is none, `GEN_CONFLICT`
 * when it is too late.
 */
export async function cancelTransaction(
  ctx: LedgerContext,
  id: string,
): Promise<Result<Transaction>> {
  if (isTransactionId(id)) return replyOf(ctx.journal.cancel(id));
  return err(refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`, {}));
}
