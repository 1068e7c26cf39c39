import { z } from "@hono/zod-openapi";
import { type BatchOptions, type BatchValue, batchRefusal, type ShownItem } from "../domain/batch";
import { type LedgerError, refusal } from "../domain/error";
import type { PostingRequest } from "../domain/posting";
import { err, ok, type Result } from "../domain/result";
import { showInstant, ZERO_TIME } from "../domain/time";
import { bodyOf, instantOut } from "./common";
import { TransactionRequest, toPostingRequest } from "./transaction";

/** The body of `POST /transactions/bulk`. Its items are read one by one, so that a long list costs no more than its text. */
export const BulkRequest = bodyOf({
  transactions: z
    .array(z.unknown())
    .optional()
    .openapi({
      type: "array",
      items: { $ref: "#/components/schemas/TransactionRequest" },
      description: "1 to 10,000 transactions, each with one source and one destination.",
    }),
  inflight: z.boolean().optional().openapi({ description: "For all items, whatever they say." }),
  atomic: z.boolean().optional().openapi({ description: "All items or none." }),
  run_async: z.boolean().optional().openapi({
    description: "Answered at once; the end is told by the event `bulk_transaction.*`.",
  }),
  skip_queue: z.boolean().optional().openapi({ description: "For all items." }),
  dry_run: z.boolean().optional(),
}).openapi("BulkRequest");

/** How a batch is to be carried out. */
export const toBatchOptions = (body: z.output<typeof BulkRequest>): BatchOptions => ({
  atomic: body.atomic ?? false,
  inflight: body.inflight ?? false,
  skipQueue: body.skip_queue ?? false,
  runAsync: body.run_async ?? false,
});

/** The items as the domain reads them, null for one that is missing; or what is wrong with the shape of the first that is. */
export function toBatchRequests(items: readonly unknown[]): Result<(PostingRequest | null)[]> {
  const requests: (PostingRequest | null)[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = item === null ? null : TransactionRequest.safeParse(item);
    if (parsed?.success === false) return err(malformed(index, parsed.error.issues));
    requests.push(parsed === null ? null : toPostingRequest(parsed.data));
  }
  return ok(requests);
}

function malformed(index: number, issues: z.ZodError["issues"]): LedgerError {
  const sentences = issues.map(({ path, message }) =>
    [`transactions[${index}]`, ...path.map(String)]
      .join(".")
      .concat(`: ${message.replace(/^Invalid input: /, "")}`),
  );
  return refusal("GEN_MALFORMED_REQUEST", sentences.join("; "));
}

const itemResult = z
  .object({
    reference: z.string(),
    transaction_id: z
      .string()
      .openapi({ description: "It follows from the reference: also where nothing was recorded." }),
    status: z
      .enum([
        "QUEUED",
        "SCHEDULED",
        "APPLIED",
        "INFLIGHT",
        "VOID",
        "REJECTED",
        "SKIPPED",
        "PENDING",
      ])
      .openapi({
        description:
          "Of the transaction; `REJECTED` also for one that left nothing behind, `SKIPPED` after the one that stopped the batch, `PENDING` before its turn.",
      }),
    code: z.string().optional().openapi({ description: "Why it was refused." }),
    message: z.string().optional(),
    details: z.unknown().optional(),
  })
  .openapi("BatchItem");

const results = z.array(itemResult).openapi({ description: "One for each item, in their order." });
const batchId = z.string().openapi({ example: "bulk_…" });

/** The answer to a batch that was carried out or queued. */
export const BulkBody = z
  .object({
    batch_id: batchId,
    status: z.enum(["applied", "inflight"]),
    transaction_count: z.int().nonnegative(),
    results,
  })
  .openapi("BulkAnswer");

/** The answer to a batch that runs in the background. */
export const BulkStartedBody = z
  .object({
    batch_id: batchId,
    message: z.string(),
    status: z.literal("processing"),
    results,
  })
  .openapi("BulkStarted");

/** The answer to a batch that was refused, or stopped by a refusal. */
export const BulkRefusedBody = z
  .object({
    batch_id: batchId,
    error: z.string(),
    error_detail: z.object({ code: z.string(), message: z.string(), details: z.unknown() }),
    results,
  })
  .openapi("BulkRefused");

/** A batch as it stands. */
export const BatchBody = z
  .object({
    batch_id: batchId,
    status: z.enum(["processing", "applied", "inflight", "failed"]),
    transaction_count: z.int().nonnegative(),
    processed: z
      .int()
      .nonnegative()
      .openapi({ description: "How many items have their result: the progress." }),
    atomic: z.boolean(),
    inflight: z.boolean(),
    skip_queue: z.boolean(),
    run_async: z.boolean(),
    created_at: instantOut,
    completed_at: instantOut,
    error: z.string().optional(),
    error_detail: z
      .object({ code: z.string(), message: z.string(), details: z.unknown() })
      .optional(),
    results,
  })
  .openapi("Batch");

type ItemBody = z.output<typeof itemResult>;
export type BulkBody = z.output<typeof BulkBody>;
export type BulkStartedBody = z.output<typeof BulkStartedBody>;
export type BulkRefusedBody = z.output<typeof BulkRefusedBody>;
export type BatchBody = z.output<typeof BatchBody>;

/** The answer to a batch that was carried out or queued; queued ones count as applied, as in Blnk. */
export const toBulkBody = (batch: BatchValue, items: readonly ShownItem[]): BulkBody => ({
  batch_id: batch.batchId,
  status: batch.options.inflight ? "inflight" : "applied",
  transaction_count: batch.count,
  results: items.map(toItemBody),
});

/** The answer to a batch that runs in the background. */
export const toBulkStartedBody = (
  batch: BatchValue,
  items: readonly ShownItem[],
): BulkStartedBody => ({
  batch_id: batch.batchId,
  message: "Bulk transaction processing started",
  status: "processing",
  results: items.map(toItemBody),
});

/** What the answer to a batch that was refused tells beside the error. */
export const toBesideRefusal = (
  { batchId }: BatchValue,
  items: readonly ShownItem[],
): Pick<BulkRefusedBody, "batch_id" | "results"> => ({
  batch_id: batchId,
  results: items.map(toItemBody),
});

/** A batch as it stands. */
export function toBatchBody(batch: BatchValue, items: readonly ShownItem[]): BatchBody {
  const { options } = batch;
  const refused = batchRefusal(batch);
  return {
    batch_id: batch.batchId,
    status: batch.status,
    transaction_count: batch.count,
    processed: batch.done,
    atomic: options.atomic,
    inflight: options.inflight,
    skip_queue: options.skipQueue,
    run_async: options.runAsync,
    created_at: showInstant(batch.createdAt),
    completed_at: batch.endedAt === null ? ZERO_TIME : showInstant(batch.endedAt),
    ...(refused === null ? {} : toError(refused)),
    results: items.map(toItemBody),
  };
}

const toError = ({ code, message, details }: LedgerError) => ({
  error: message,
  error_detail: { code, message, details },
});

function toItemBody({ reference, transactionId, status, error, reason }: ShownItem): ItemBody {
  const base = { reference, transaction_id: transactionId, status };
  if (error === null) return reason === "" ? base : { ...base, message: reason };
  const { code, message, details } = error;
  return { ...base, code, message, ...(details === undefined ? {} : { details }) };
}
