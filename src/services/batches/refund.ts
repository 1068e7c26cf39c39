import { type LedgerError, refusal } from "../../domain/error";
import type { BatchId } from "../../domain/ids";
import type { Transaction } from "../../domain/transaction";
import type { RefundRequest, Reply } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { endedBatch } from "./ended";
import { newestOf } from "./newest";

/**
 * Gives back what every transaction of a batch moved and was not given back before; answers the newest one's refund
 * (contract/transactions.md section 8.2). With metadata all of them are asked first whether they can take it, so that one
 * that cannot stops the others before any money moves. `TXN_NOT_FOUND` when there is nothing to refund, `GEN_CONFLICT` when all was.
 */
export async function refundBatch(
  ctx: LedgerContext,
  refund: Omit<RefundRequest, "transactionId"> & { readonly batchId: BatchId },
): Promise<Reply<Transaction>> {
  const { batchId, ...how } = refund;
  if (how.amount !== null) {
    const error = refusal("GEN_BAD_REQUEST", "a batch is refunded as a whole, or one by one");
    return { ok: false, error, replayed: false };
  }
  const found = await endedBatch(ctx, batchId);
  if (!found.ok) return { ...found, replayed: false };
  const ids = found.value?.transactionIds ?? [];
  if (how.metaData !== null) {
    const { amount, metaData } = how;
    const questions = ids.map((transactionId) => ({ transactionId, amount, metaData }));
    const plans = await outcomeOf(ctx.journal.plansToRefund(questions));
    if (!plans.ok) return { ...plans, replayed: false };
    const refused = plans.value.flatMap((plan) => (plan.ok ? [] : [plan.error])).find(stopsRefunds);
    if (refused !== undefined) return { ok: false, error: refused, replayed: false };
  }
  const { key, fingerprint } = how.operation;
  const operation = { key: `${batchId}/refund/${key}`, fingerprint, fromClient: false };
  const requests = ids.map((transactionId) => ({ ...how, transactionId, operation }));
  const replies = await outcomeOf(ctx.journal.refundEach(requests));
  if (!replies.ok) return { ...replies, replayed: false };
  // What moved nothing is not asked to give back; what was given back before is left alone.
  const moved = replies.value.filter((reply) => reply.ok || reply.error.code !== "TXN_NOT_FOUND");
  const nothing = refusal("TXN_NOT_FOUND", "there is no transaction to refund");
  return (
    newestOf(moved, (code) => code === "GEN_CONFLICT") ?? {
      ok: false,
      error: nothing,
      replayed: false,
    }
  );
}

/** Whether a refusal to refund one transaction stands in the way of the others: the request itself is broken. */
export const stopsRefunds = ({ code }: LedgerError): boolean => code === "TXN_VALIDATION_ERROR";
