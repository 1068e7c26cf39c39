import { signOf } from "../../domain/amount";
import { refusal } from "../../domain/error";
import { isBatchId, isTransactionId } from "../../domain/ids";
import type { Preview } from "../../domain/preview";
import { err, ok, type Result } from "../../domain/result";
import type { CommitAmount } from "../../domain/settlement";
import type {
  OperationKey,
  Reply,
  SettleQuestion,
  SettleValue,
} from "../../durable/journal/protocol";
import { planSettleBatch } from "../batches/plan";
import { settleBatch } from "../batches/settle";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";
import { previewSettle, previewSettlePlan } from "./preview-follow-up";

/** A commit or void as a client asks for it. */
export interface Settlement {
  readonly id: string;
  readonly status: string;
  /** Decimal text in major units; null when absent. */
  readonly amount: string | null;
  readonly preciseAmount: bigint | null;
  readonly skipQueue: boolean;
}

/** Commits or voids a hold, in whole or in part (contract/transactions.md sections 7.2 to 7.4). */
export async function settleTransaction(
  ctx: LedgerContext,
  settlement: Settlement & { readonly operation: OperationKey },
): Promise<Reply<SettleValue>> {
  const { id, operation } = settlement;
  if (isBatchId(id)) {
    const how = howOf(settlement);
    if (!how.ok) return { ...how, replayed: false };
    return settleBatch(ctx, { batchId: id, ...how.value, operation });
  }
  const question = questionOf(settlement);
  if (!question.ok) return { ...question, replayed: false };
  return replyOf(ctx.journal.settle({ ...question.value, operation }));
}

/** What a commit or void would do. It writes nothing; an unknown transaction is `TXN_NOT_FOUND` with `skipQueue` too. */
export async function previewSettlement(
  ctx: LedgerContext,
  settlement: Settlement,
): Promise<Result<Preview>> {
  const { id, skipQueue, amount, preciseAmount, status } = settlement;
  const amountIgnored = status === "void" && (amount !== null || preciseAmount !== null);
  if (isBatchId(id)) {
    const how = howOf(settlement);
    if (!how.ok) return how;
    const terms = { ...how.value, amountIgnored };
    return previewSettlePlan(ctx, terms, () => planSettleBatch(ctx, { batchId: id, ...how.value }));
  }
  const question = questionOf({ ...settlement, skipQueue: false });
  if (!question.ok) return question;
  return previewSettle(ctx, { ...question.value, skipQueue, amountIgnored });
}

/** A commit or void of one transaction, as the journal is asked for it. */
function questionOf(settlement: Settlement): Result<SettleQuestion> {
  const { id, status } = settlement;
  const how = howOf(settlement);
  if (!how.ok) return how;
  if (isTransactionId(id)) return ok({ transactionId: id, ...how.value });
  return err(
    how.value.skipQueue
      ? refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${status}`)
      : refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`, {}),
  );
}

/** What is to be done, whatever it is done to. */
function howOf(settlement: Settlement): Result<Omit<SettleQuestion, "transactionId">> {
  const { status, preciseAmount, skipQueue } = settlement;
  if (status !== "commit" && status !== "void") {
    return err(refusal("TXN_INVALID_STATUS_ACTION", "status must be commit or void"));
  }
  const isCommit = status === "commit";
  if (isCommit && preciseAmount !== null && preciseAmount <= 0n) {
    return err(refusal("TXN_INVALID_AMOUNT", "precise_amount must be positive"));
  }
  return ok({ action: status, amount: isCommit ? amountOf(settlement) : null, skipQueue });
}

/** `precise_amount` wins; zero and absent are all that remains. */
function amountOf({ amount, preciseAmount }: Settlement): CommitAmount {
  if (preciseAmount !== null) return { unit: "minor", value: preciseAmount };
  return amount === null || signOf(amount) === 0 ? null : { unit: "major", value: amount };
}
