import {
  answeredItem,
  type BatchOptions,
  type BatchValue,
  type ShownItem,
} from "../../domain/batch";
import { batchItems } from "../../domain/bulk";
import type { LedgerError } from "../../domain/error";
import { type BatchId, uuidOfKey } from "../../domain/ids";
import type { PostingRequest } from "../../domain/posting";
import type { OperationKey, Reply } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf, replyOf } from "../trouble";

/** A batch, and its items as the request that sent it is answered with them. */
export interface RecordedBatch {
  readonly batch: BatchValue;
  readonly items: readonly ShownItem[];
}

/**
 * Records many transactions as one batch (contract/transactions.md section 5). A batch that fails is a value too: it is
 * known by its id, and tells of each item. The id follows from the client's key, so that a repeat finds the batch.
 */
export async function recordBatch(
  ctx: LedgerContext,
  {
    requests,
    options,
    operation,
  }: {
    readonly requests: readonly (PostingRequest | null)[];
    readonly options: BatchOptions;
    readonly operation: OperationKey;
  },
): Promise<Reply<RecordedBatch>> {
  const batchId = batchIdOf(ctx, operation);
  const items = batchItems(ctx.instance, { batchId, options, requests });
  if (!items.ok) return { ...items, replayed: false };
  const request = { batchId, options, items: items.value, operation };
  const reply = await replyOf(ctx.journal.recordBatch(request));
  if (!reply.ok) return { ...reply, error: named(reply.error, batchId) };
  const batch = reply.value;
  const places = { after: 0, upTo: batch.count };
  const results = await outcomeOf(ctx.journal.batchResults(batchId, places));
  if (!results.ok) return { ...results, replayed: false };
  const shown = results.value.map((result) => answeredItem(batch, result));
  return { ok: true, value: { batch, items: shown }, replayed: reply.replayed };
}

function batchIdOf(ctx: LedgerContext, { key, fromClient }: OperationKey): BatchId {
  return `bulk_${fromClient ? uuidOfKey(ctx.instance, key, "batch") : ctx.uuid()}`;
}

/** An outcome that is not known yet can be asked for by the batch's id. */
const named = (error: LedgerError, batchId: BatchId): LedgerError =>
  error.code === "GEN_OUTCOME_UNKNOWN" ? { ...error, details: { batch_id: batchId } } : error;
