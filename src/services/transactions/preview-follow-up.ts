import { type LedgerError, type LedgerErrorCode, refusal } from "../../domain/error";
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

/** How holds are to be settled, as far as the preview depends on it. */
export interface SettleTerms {
  readonly action: "commit" | "void";
  readonly skipQueue: boolean;
  /** An amount was sent with a void. */
  readonly amountIgnored: boolean;
}

/** What a commit or void would do. It writes nothing; `TXN_NOT_FOUND` when there is no such transaction. */
export const previewSettle = (
  ctx: LedgerContext,
  question: SettleQuestion & SettleTerms,
): Promise<Result<Preview>> =>
  previewSettlePlan(ctx, question, () => ctx.journal.planSettle(question));

/** What a refund would do. It writes nothing; `TXN_NOT_FOUND` when there is nothing to refund. */
export const previewRefund = (
  ctx: LedgerContext,
  question: RefundQuestion & { readonly skipQueue: boolean },
): Promise<Result<Preview>> => {
  const { transactionId, skipQueue } = question;
  return previewRefundPlan(ctx, { id: transactionId, skipQueue }, () =>
    ctx.journal.planRefund(question),
  );
};

/** What commits or voids would do, by the plan that is made of them. */
export function previewSettlePlan(
  ctx: LedgerContext,
  { action, skipQueue, amountIgnored }: SettleTerms,
  ask: () => Promise<Result<Plan>>,
): Promise<Result<Preview>> {
  const how = { instance: ctx.instance, operationKey: "", skipQueue };
  const followUpsOf = ({ waiting, moves }: Plan): FollowUps => ({
    operation: action,
    waiting,
    moves: moves.map(({ transaction, amount }) => ({
      from: transaction,
      posting: settlementOf(transaction, action, amount, how),
    })),
    reference: "",
    notes: amountIgnored ? [AMOUNT_IGNORED] : [],
  });
  return previewPlan(ctx, action, ask, followUpsOf);
}

/** What refunds of a transaction or batch would do, by the plan that is made of them. */
export function previewRefundPlan(
  ctx: LedgerContext,
  { id, skipQueue }: { readonly id: string; readonly skipQueue: boolean },
  ask: () => Promise<Result<Plan>>,
): Promise<Result<Preview>> {
  const { instance } = ctx;
  const how = { instance, operationKey: "", skipQueue, description: "", metaData: null };
  const followUpsOf = ({ waiting, moves }: Plan): FollowUps => {
    const refunds = moves.map(({ transaction, amount }) => ({
      from: transaction,
      posting: refundOf(transaction, amount, how),
    }));
    const [only] = refunds.length === 1 ? refunds : [];
    const isWhole = only?.posting.preciseAmount === only?.from.preciseAmount;
    return {
      operation: null,
      waiting,
      moves: refunds,
      // That of a part is made with the refund.
      reference: isWhole ? (only?.posting.reference ?? "") : "",
      notes: [
        only === undefined
          ? `this refunds ${refunds.length} transactions under ${id}`
          : `this refunds transaction ${only.from.transactionId}`,
      ],
    };
  };
  return previewPlan(ctx, null, ask, followUpsOf);
}

/** The refusals of a plan that stay errors: there is nothing to preview, or the request itself is broken. */
const ERRORS = new Set<LedgerErrorCode>(["TXN_NOT_FOUND", "TXN_VALIDATION_ERROR"]);

/** An error, or a preview that says that it would be refused. */
const refusedAs = (error: LedgerError, operation: FollowUps["operation"]): Result<Preview> =>
  ERRORS.has(error.code) ? err(error) : ok(refusedFollowUp(operation, error));

/** What a plan would do. Any other refusal of it is a preview that says so. */
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
      return refusedAs(plan.error, operation);
    }
    const followUps = followUpsOf(plan.value);
    const postings = followUps.moves.map(({ posting }) => posting);
    const books = await readBooks(ctx, [...followUps.waiting, ...postings]);
    if (!books.ok) return books;
    // What was on its way when the plan was made may be in the balances by now.
    const after = await outcomeOf(ask());
    if (!after.ok) return after;
    if (!after.value.ok || !isSamePlan(plan.value, after.value.value)) continue;
    const preview = previewFollowUps(followUps, books.value);
    if (preview === OUT_OF_STEP) continue;
    return preview.ok ? preview : refusedAs(preview.error, operation);
  }
  return err(
    refusal("GEN_OVERLOADED", "the transaction changes too fast to be previewed: ask again"),
  );
}

/** Whether both speak of the same records in the same states. */
const isSamePlan = (one: Plan, other: Plan): boolean => stateOf(one) === stateOf(other);

const stateOf = ({ waiting, moves }: Plan): string =>
  JSON.stringify([
    waiting.map(({ transactionId }) => transactionId),
    moves.map(({ transaction: { transactionId, status }, amount }) => [
      transactionId,
      status,
      amount.toString(),
    ]),
  ]);
