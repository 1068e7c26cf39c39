import { type BatchValue, type ItemResult, isQueued } from "../../domain/batch";
import { refusal } from "../../domain/error";
import type { Batch, ItemRow } from "./batch-store";

/** A batch as callers see it. */
export function shownBatch(batch: Batch): BatchValue {
  const { batchId, status, options, count, done, createdAt, endedAt, failure } = batch;
  return {
    batchId,
    status,
    options,
    count,
    done: status === "processing" ? done : count,
    createdAt,
    endedAt,
    failure,
  };
}

/** What became of an item. Only what cannot be told from its batch is stored with it. */
export function resultOf(batch: Batch, item: ItemRow): ItemResult {
  const { sequence, reference, transactionId, isScheduled } = item;
  const base = { reference, transactionId, status: null, error: null } as const;
  const { options, done, failure } = batch;
  if (item.error !== null) return { ...base, outcome: "failed", error: item.error };
  if (sequence <= done) {
    const settled = options.inflight ? "INFLIGHT" : "APPLIED";
    const waiting = isScheduled ? "SCHEDULED" : "QUEUED";
    return { ...base, outcome: "succeeded", status: isQueued(options) ? waiting : settled };
  }
  if (failure === null) return { ...base, outcome: "pending" };
  if (sequence === failure.index + 1) return { ...base, outcome: "failed", error: failure.error };
  if (!options.atomic) return { ...base, outcome: "skipped" };
  const message = `the batch was refused: ${failure.error.message}`;
  return { ...base, outcome: "failed", error: refusal("GEN_CONFLICT", message) };
}
