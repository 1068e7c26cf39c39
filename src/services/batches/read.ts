import {
  type BatchValue,
  type ItemResult,
  isQueued,
  type ShownItem,
  shownItem,
} from "../../domain/batch";
import { refusal } from "../../domain/error";
import { isBatchId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** A batch and all of its items, as they stand. */
export interface ReadBatch {
  readonly batch: BatchValue;
  readonly items: readonly ShownItem[];
}

/** The batch with this id and what became of its items, never stale; `TXN_NOT_FOUND` when there is none. */
export async function readBatch(ctx: LedgerContext, id: string): Promise<Result<ReadBatch>> {
  const found = isBatchId(id) ? await outcomeOf(ctx.journal.batch(id)) : ok(null);
  if (!found.ok) return found;
  const batch = found.value;
  if (batch === null) {
    return err(refusal("TXN_NOT_FOUND", `there is no batch with the id '${id}'`, {}));
  }
  const items = await outcomeOf(itemsOf(ctx, batch));
  return items.ok ? ok({ batch, items: items.value }) : items;
}

async function itemsOf(ctx: LedgerContext, batch: BatchValue): Promise<ShownItem[]> {
  const { batchId, options, count } = batch;
  const results = await ctx.journal.batchResults(batchId, { after: 0, upTo: count });
  return isQueued(options)
    ? followed(ctx, batch, results)
    : results.map((result) => shownItem(options, result));
}

/** Items that went through the queue have moved on since: their transactions tell. */
async function followed(
  ctx: LedgerContext,
  { options }: BatchValue,
  results: readonly ItemResult[],
): Promise<ShownItem[]> {
  const recorded = results.filter(({ outcome }) => outcome === "succeeded");
  const ids = recorded.map(({ transactionId }) => transactionId);
  const states = await ctx.journal.statesOf(ids);
  const stateById = new Map(ids.map((id, index) => [id, states[index] ?? null]));
  return results.map((result): ShownItem => {
    const shown = shownItem(options, result);
    const state = result.outcome === "succeeded" ? stateById.get(result.transactionId) : null;
    if (state === undefined || state === null) return shown;
    return { ...shown, status: state.status, reason: state.rejectionReason };
  });
}
