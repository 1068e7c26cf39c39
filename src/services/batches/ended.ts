import type { BatchValue } from "../../domain/batch";
import { refusal } from "../../domain/error";
import type { BatchId, TransactionId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** A batch at its end, and the transactions that it made, newest first. */
export interface EndedBatch {
  readonly batch: BatchValue;
  readonly transactionIds: readonly TransactionId[];
}

/** The batch once it is carried out; null when there is none. `GEN_CONFLICT` when that takes too long. */
export async function endedBatch(
  ctx: LedgerContext,
  batchId: BatchId,
): Promise<Result<EndedBatch | null>> {
  const found = await outcomeOf(ctx.journal.endedBatch(batchId));
  if (!found.ok) return found;
  const batch = found.value;
  if (batch === null) return ok(null);
  if (batch.status === "processing") {
    return err(refusal("GEN_CONFLICT", "the batch is still being carried out"));
  }
  const ids = await madeBy(ctx, batch);
  return ids.ok ? ok({ batch, transactionIds: ids.value }) : ids;
}

/** The transactions that a batch made, newest first. */
export async function madeBy(
  ctx: LedgerContext,
  { batchId, count }: BatchValue,
): Promise<Result<readonly TransactionId[]>> {
  const results = await outcomeOf(ctx.journal.batchResults(batchId, { after: 0, upTo: count }));
  if (!results.ok) return results;
  const made = results.value.filter(({ outcome }) => outcome === "succeeded");
  return ok(made.map(({ transactionId }) => transactionId).reverse());
}
