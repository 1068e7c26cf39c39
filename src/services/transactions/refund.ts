import { type LedgerError, refusal } from "../../domain/error";
import { isBatchId, isTransactionId } from "../../domain/ids";
import { brokenMetaData, type MetaDataText } from "../../domain/metadata";
import { tooLongDescription } from "../../domain/posting";
import type { Preview } from "../../domain/preview";
import { err, ok, type Result } from "../../domain/result";
import type { CommitAmount } from "../../domain/settlement";
import { withoutReservedKeys } from "../../domain/shown-metadata";
import type { Transaction } from "../../domain/transaction";
import type { OperationKey, RefundQuestion, Reply } from "../../durable/journal/protocol";
import { planRefundBatch } from "../batches/plan";
import { refundBatch } from "../batches/refund";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";
import { previewRefund, previewRefundPlan } from "./preview-follow-up";

/** A refund as a client asks for it. */
export interface Refund {
  readonly id: string;
  /** Decimal text in major units; null when absent. */
  readonly amount: string | null;
  /** Minor units, which win; null when absent. Neither is all that was not given back before. */
  readonly preciseAmount: bigint | null;
  readonly skipQueue: boolean;
  /** Replaces the original's when not empty. */
  readonly description: string;
  readonly metaData: MetaDataText | null;
}

/** Gives back what a transaction moved, or a part of it, by a record of its own (contract/transactions.md section 8). */
export async function refundTransaction(
  ctx: LedgerContext,
  refund: Refund & { readonly operation: OperationKey },
): Promise<Reply<Transaction>> {
  const { id, skipQueue, description, operation } = refund;
  const broken = brokenTexts(refund);
  if (broken !== null) return { ok: false, error: broken, replayed: false };
  const how = { skipQueue, description, metaData: keptMetaData(refund), operation };
  if (isBatchId(id)) {
    return refundBatch(ctx, { batchId: id, amount: amountOf(refund), ...how });
  }
  const question = questionOf(refund);
  if (!question.ok) return { ...question, replayed: false };
  return replyOf(ctx.journal.refund({ ...question.value, ...how }));
}

/** What a refund would do. It writes nothing. */
export async function previewOfRefund(
  ctx: LedgerContext,
  refund: Refund,
): Promise<Result<Preview>> {
  const { id, skipQueue } = refund;
  if (isBatchId(id)) {
    const broken = brokenTexts(refund);
    if (broken !== null) return err(broken);
    const question = { batchId: id, amount: amountOf(refund), metaData: keptMetaData(refund) };
    return previewRefundPlan(ctx, { id, skipQueue }, () => planRefundBatch(ctx, question));
  }
  const question = questionOf(refund);
  if (!question.ok) return question;
  return previewRefund(ctx, { ...question.value, skipQueue });
}

/** A refund of one transaction, as the journal is asked for it. */
function questionOf(refund: Refund): Result<RefundQuestion> {
  const { id } = refund;
  if (!isTransactionId(id)) return err(refusal("TXN_NOT_FOUND", "nothing to refund"));
  const broken = brokenTexts(refund);
  if (broken !== null) return err(broken);
  return ok({ transactionId: id, amount: amountOf(refund), metaData: keptMetaData(refund) });
}

const keptMetaData = ({ metaData }: Refund): MetaDataText | null =>
  metaData === null ? null : withoutReservedKeys(metaData);

function brokenTexts({ description, metaData }: Refund): LedgerError | null {
  const broken = tooLongDescription(description) ?? brokenMetaData(metaData);
  return broken === null ? null : refusal("TXN_VALIDATION_ERROR", broken);
}

function amountOf({ amount, preciseAmount }: Refund): CommitAmount {
  if (preciseAmount !== null) return { unit: "minor", value: preciseAmount };
  return amount === null ? null : { unit: "major", value: amount };
}
