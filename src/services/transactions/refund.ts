import { refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import { brokenMetaData, type MetaDataText } from "../../domain/metadata";
import { tooLongDescription } from "../../domain/posting";
import { withoutReservedKeys } from "../../domain/shown-metadata";
import type { Transaction } from "../../domain/transaction";
import type { OperationKey, Reply } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";

/** A refund as a client asks for it. */
export interface Refund {
  readonly id: string;
  readonly skipQueue: boolean;
  /** Replaces the original's when not empty. */
  readonly description: string;
  readonly metaData: MetaDataText | null;
  readonly dryRun: boolean;
  readonly operation: OperationKey;
}

/** Gives back what a transaction moved, once, by a record of its own (contract/transactions.md section 8). */
export async function refundTransaction(
  ctx: LedgerContext,
  refund: Refund,
): Promise<Reply<Transaction>> {
  const { id, skipQueue, description, metaData, operation } = refund;
  if (!isTransactionId(id)) {
    return { ok: false, error: refusal("TXN_NOT_FOUND", "nothing to refund"), replayed: false };
  }
  const broken = tooLongDescription(description) ?? brokenMetaData(metaData);
  if (broken !== null || refund.dryRun) {
    const message = broken ?? "dry_run is not available yet";
    return { ok: false, error: refusal("TXN_VALIDATION_ERROR", message), replayed: false };
  }
  return replyOf(
    ctx.journal.refund({
      transactionId: id,
      amount: null,
      skipQueue,
      description,
      metaData: metaData === null ? null : withoutReservedKeys(metaData),
      operation,
    }),
  );
}
