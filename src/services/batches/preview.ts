import type { BatchOptions } from "../../domain/batch";
import { batchItems } from "../../domain/bulk";
import type { PostingRequest } from "../../domain/posting";
import type { BatchPreview } from "../../domain/preview-batch";
import type { Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { type Explained, previewTransactions } from "../transactions/preview";

/** What recording a batch would do. It writes nothing (contract/transactions.md section 9.2). */
export async function previewBatch(
  ctx: LedgerContext,
  batch: {
    readonly requests: readonly (PostingRequest | null)[];
    readonly options: BatchOptions;
  },
): Promise<Result<Explained<BatchPreview>>> {
  const { options } = batch;
  const items = batchItems(ctx.instance, { ...batch, batchId: `bulk_${ctx.uuid()}` });
  if (!items.ok) return items;
  const splits = items.value.map((posting) => ({ posting, legs: [] }));
  return previewTransactions(ctx, splits, options);
}
