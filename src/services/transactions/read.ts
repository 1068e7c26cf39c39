import { refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { Transaction } from "../../domain/transaction";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** The transaction with this id as it stands, never stale; `TXN_NOT_FOUND` when there is none. */
export async function readTransaction(
  ctx: LedgerContext,
  id: string,
): Promise<Result<Transaction>> {
  const found = isTransactionId(id) ? await outcomeOf(ctx.journal.byId(id)) : ok(null);
  return orNotFound(found, `there is no transaction with the id '${id}'`);
}

/** The transaction with this reference. `<ref>_q` finds that of `<ref>` unless it was posted itself (P1). */
export async function readByReference(
  ctx: LedgerContext,
  reference: string,
): Promise<Result<Transaction>> {
  const found = await outcomeOf(ctx.journal.byReference(reference));
  return orNotFound(found, `there is no transaction with the reference '${reference}'`);
}

function orNotFound(found: Result<Transaction | null>, message: string): Result<Transaction> {
  if (!found.ok) return found;
  return found.value === null ? err(refusal("TXN_NOT_FOUND", message, {})) : ok(found.value);
}
