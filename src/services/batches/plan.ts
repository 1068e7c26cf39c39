import type { BatchValue } from "../../domain/batch";
import { refusal } from "../../domain/error";
import type { BatchId, TransactionId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { Plan, RefundQuestion, SettleQuestion } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { madeBy } from "./ended";
import { stopsRefunds } from "./refund";
import { notInflight, stopsBatch } from "./settle";

/** What a commit or void of all holds of a batch would settle now. It writes nothing and carries nothing out. */
export async function planSettleBatch(
  ctx: LedgerContext,
  question: Omit<SettleQuestion, "transactionId"> & { readonly batchId: BatchId },
): Promise<Result<Plan>> {
  const { batchId, ...how } = question;
  const found = await outcomeOf(ctx.journal.batch(batchId));
  if (!found.ok) return found;
  const batch = found.value;
  if (batch === null) return err(refusal("TXN_NOT_FOUND", `there is no batch '${batchId}'`, {}));
  if (!batch.options.inflight) return err(notInflight(how.action));
  const ids = await madeUntilNow(ctx, batch);
  if (!ids.ok) return ids;
  const questions = ids.value.map((transactionId) => ({ ...how, transactionId }));
  const plans = await outcomeOf(ctx.journal.plansToSettle(questions));
  if (!plans.ok) return plans;
  const refused = plans.value.flatMap((plan) => (plan.ok ? [] : [plan.error]));
  const held = refused.filter(({ code }) => code !== "TXN_NOT_INFLIGHT");
  const plan = joined(plans.value);
  const stopping = refused.find(stopsBatch) ?? (plan.moves.length === 0 ? held[0] : undefined);
  if (stopping !== undefined) return err(stopping);
  return plan.moves.length === 0 ? err(notInflight(how.action)) : ok(plan);
}

/** What a refund of all transactions of a batch would give back now. It writes nothing and carries nothing out. */
export async function planRefundBatch(
  ctx: LedgerContext,
  question: Omit<RefundQuestion, "transactionId"> & { readonly batchId: BatchId },
): Promise<Result<Plan>> {
  const { batchId, ...how } = question;
  if (how.amount !== null) {
    return err(refusal("GEN_BAD_REQUEST", "a batch is refunded as a whole, or one by one"));
  }
  const found = await outcomeOf(ctx.journal.batch(batchId));
  if (!found.ok) return found;
  const ids = found.value === null ? ok([]) : await madeUntilNow(ctx, found.value);
  if (!ids.ok) return ids;
  const questions = ids.value.map((transactionId) => ({ ...how, transactionId }));
  const plans = await outcomeOf(ctx.journal.plansToRefund(questions));
  if (!plans.ok) return plans;
  const errors = plans.value.flatMap((each) => (each.ok ? [] : [each.error]));
  const stopping = errors.find(stopsRefunds);
  if (stopping !== undefined) return err(stopping);
  const plan = joined(plans.value);
  if (plan.moves.length > 0) return ok(plan);
  const nothing = refusal("TXN_NOT_FOUND", "there is no transaction to refund");
  return err(errors.find(({ code }) => code === "GEN_CONFLICT") ?? nothing);
}

/** The transactions that it made, newest first. A batch that is still carried out is not waited for: that would drive it. */
async function madeUntilNow(
  ctx: LedgerContext,
  batch: BatchValue,
): Promise<Result<readonly TransactionId[]>> {
  return batch.status === "processing"
    ? err(refusal("GEN_CONFLICT", "the batch is still being carried out"))
    : madeBy(ctx, batch);
}

/** One plan of many: those that are refused add nothing. */
function joined(plans: readonly Result<Plan>[]): Plan {
  const made = plans.flatMap((plan) => (plan.ok ? [plan.value] : []));
  return {
    waiting: made.flatMap(({ waiting }) => waiting),
    moves: made.flatMap(({ moves }) => moves),
  };
}
