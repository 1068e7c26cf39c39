import { type LedgerError, refusal } from "./error";
import type { BatchId, TransactionId } from "./ids";
import type { Instant } from "./time";
import type { TransactionStatus } from "./transaction";

/** How a batch is carried out (contract/transactions.md section 5.1). */
export interface BatchOptions {
  /** All items or none. */
  readonly atomic: boolean;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  /** Answered at once, carried out later; its end is announced by an event. */
  readonly runAsync: boolean;
}

export type BatchStatus = "processing" | "applied" | "inflight" | "failed";

/** A batch as it stands. */
export interface BatchValue {
  readonly batchId: BatchId;
  readonly status: BatchStatus;
  readonly options: BatchOptions;
  readonly count: number;
  /** How many items have their result. */
  readonly done: number;
  readonly createdAt: Instant;
  /** Null while it is carried out. */
  readonly endedAt: Instant | null;
  /** Why it failed. */
  readonly failure: {
    readonly error: LedgerError;
    /** The place of the item that is the reason, from 0; -1 when none is. */
    readonly index: number;
    /** Its items left nothing behind, and nobody was told of them. */
    readonly untold: boolean;
  } | null;
}

/** What became of one item of a batch. */
export interface ItemResult {
  readonly reference: string;
  readonly transactionId: TransactionId;
  /** `skipped`: an earlier item stopped the batch. `pending`: not carried out yet. */
  readonly outcome: "succeeded" | "failed" | "skipped" | "pending";
  /** The status of the transaction when it was recorded; null unless it succeeded. */
  readonly status: TransactionStatus | null;
  readonly error: LedgerError | null;
}

/** An item as it is shown: its transaction's status, or why there is none. */
export interface ShownItem {
  readonly reference: string;
  readonly transactionId: TransactionId;
  readonly status: TransactionStatus | "SKIPPED" | "PENDING";
  readonly error: LedgerError | null;
  /** Why it was rejected later, in words; "" otherwise. */
  readonly reason: string;
}

/** Whether its items go through the queue, each on its own, so that one's failure does not stop the others. */
export const isQueued = ({ atomic, skipQueue }: BatchOptions): boolean => !atomic && !skipQueue;

/** Whether it is answered before it is carried out: in the background, or all or nothing through the queue. */
export const isAnsweredFirst = ({ runAsync, atomic, skipQueue }: BatchOptions): boolean =>
  runAsync || (atomic && !skipQueue);

/**
 * How the request that sent a batch is answered, first and again: what happened after the answer does not change it.
 * `refused` has nothing left to tell but why.
 */
export function answerOf({ options, failure }: BatchValue): "started" | "recorded" | "refused" {
  if (options.runAsync) return "started";
  if (failure === null) return "recorded";
  // Through the queue it was answered before its end, unless it was refused at once.
  return options.skipQueue || failure.untold ? "refused" : "recorded";
}

/** An item as it is shown in that answer. */
export function answeredItem(batch: BatchValue, result: ItemResult): ShownItem {
  const { options } = batch;
  const isWaiting = isAnsweredFirst(options) && answerOf(batch) !== "refused";
  return shownItem(options, isWaiting ? { ...result, outcome: "pending", error: null } : result);
}

/** An item as it is shown to those who ask for the batch. */
export function shownItem(options: BatchOptions, result: ItemResult): ShownItem {
  const { reference, transactionId, error } = result;
  return { reference, transactionId, error, status: statusOf(options, result), reason: "" };
}

function statusOf({ runAsync, skipQueue }: BatchOptions, result: ItemResult): ShownItem["status"] {
  switch (result.outcome) {
    case "succeeded":
      return result.status ?? "QUEUED";
    case "failed":
      return "REJECTED";
    case "skipped":
      return "SKIPPED";
    case "pending":
      // Its reference is taken already, and whoever asks for it waits for its outcome.
      return runAsync || skipQueue ? "PENDING" : "QUEUED";
  }
}

/** Why a batch failed, in a sentence of its own; details name the batch and the item that is the reason. */
export function batchRefusal({ batchId, options, failure }: BatchValue): LedgerError | null {
  if (failure === null) return null;
  const { error, index } = failure;
  const item = index < 0 ? "" : `transaction ${index + 1}: `;
  const rest = options.atomic
    ? "nothing of the batch was carried out"
    : `the ${index} before it are carried out, those after it are not`;
  return refusal(error.code, `${item}${error.message}; ${rest}`, {
    ...(Array.isArray(error.details) ? {} : error.details),
    batch_id: batchId,
    ...(index < 0 ? {} : { index }),
  });
}
