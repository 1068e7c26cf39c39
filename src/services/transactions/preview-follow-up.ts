import { refusal } from "../../domain/error";
import type { Preview } from "../../domain/preview";
import {
  type FollowUps,
  OUT_OF_STEP,
  previewFollowUps,
  refusedFollowUp,
} from "../../domain/preview-follow-up";
import { err, ok, type Result } from "../../domain/result";
import { refundOf, settlementOf } from "../../domain/settlement";
import type { Plan, RefundQuestion, SettleQuestion } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { readBooks } from "./preview";

/** Balances and holds are read apart; if they do not fit together, they are read again this often. */
const READINGS_MAX = 5;

const AMOUNT_IGNORED = "the amount is left out of account: a void releases all that remains";

/** What a commit or void would do. It writes nothing; `TXN_NOT_FOUND` when there is no such transaction. */
export async function previewSettle(
  ctx: LedgerContext,
  question: SettleQuestion & { readonly amountIgnored: boolean },
): Promise<Result<Preview>> {
  const { action } = question;
  const followUpsOf = ({ waiting, moves }: Plan): FollowUps => ({
    operation: action,
    waiting,
    moves: moves.map(({ transaction, amount }) => ({
      from: transaction,
      posting: settlementOf(transaction, action, amount, {
        instance: ctx.instance,
        operationKey: "",
        skipQueue: question.skipQueue,
      }),
    })),
    reference: "",
    notes: question.amountIgnored ? [AMOUNT_IGNORED] : [],
  });
  return previewPlan(ctx, action, () => ctx.journal.planSettle(question), followUpsOf);
}

/** What a refund would do. It writes nothing; `TXN_NOT_FOUND` when there is nothing to refund. */
export async function previewRefund(
  ctx: LedgerContext,
  question: RefundQuestion & { readonly skipQueue: boolean },
): Promise<Result<Preview>> {
  const { transactionId, skipQueue } = question;
  const followUpsOf = ({ waiting, moves }: Plan): FollowUps => {
    const refunds = moves.map(({ transaction, amount }) => ({
      from: transaction,
      posting: refundOf(transaction, amount, {
        instance: ctx.instance,
        operationKey: "",
        skipQueue,
        description: "",
        metaData: null,
      }),
    }));
    const [only] = refunds;
    const isWhole = only?.posting.preciseAmount === only?.from.preciseAmount;
    return {
      operation: null,
      waiting,
      moves: refunds,
      reference: refunds.length === 1 && isWhole ? (only?.posting.reference ?? "") : "",
      notes: [
        refunds.length === 1
          ? `this refunds transaction ${only?.from.transactionId}`
          : `this refunds ${refunds.length} transactions under ${transactionId}`,
      ],
    };
  };
  return previewPlan(ctx, null, () => ctx.journal.planRefund(question), followUpsOf);
}

async function previewPlan(
  ctx: LedgerContext,
  operation: FollowUps["operation"],
  ask: () => Promise<Result<Plan>>,
  followUpsOf: (plan: Plan) => FollowUps,
): Promise<Result<Preview>> {
  for (let reading = 1; reading <= READINGS_MAX; reading += 1) {
    const answer = await outcomeOf(ask());
    if (!answer.ok) return answer;
    const plan = answer.value;
    if (!plan.ok) {
      return plan.error.code === "TXN_NOT_FOUND"
        ? plan
        : ok(refusedFollowUp(operation, plan.error));
    }
    const followUps = followUpsOf(plan.value);
    const postings = followUps.moves.map(({ posting }) => posting);
    const books = await readBooks(ctx, [...followUps.waiting, ...postings]);
    if (!books.ok) return books;
    const preview = previewFollowUps(followUps, books.value);
    if (preview === OUT_OF_STEP) continue;
    return preview.ok ? preview : ok(refusedFollowUp(operation, preview.error));
  }
  return err(
    refusal("GEN_OVERLOADED", "the transaction changes too fast to be previewed: ask again"),
  );
}
