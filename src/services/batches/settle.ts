import { type LedgerError, type LedgerErrorCode, refusal } from "../../domain/error";
import type { BatchId, TransactionId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import type { CommitAmount } from "../../domain/settlement";
import type { OperationKey, Reply, SettleValue } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { endedBatch } from "./ended";
import { newestOf } from "./newest";

/** A commit or void of all holds of a batch. */
export interface BatchSettlement {
  readonly batchId: BatchId;
  readonly action: "commit" | "void";
  /** What to commit of each hold: null is all that remains. */
  readonly amount: CommitAmount;
  readonly skipQueue: boolean;
  readonly operation: OperationKey;
}

/** Those holds are left alone: they are settled, or on their way. */
const SETTLED = new Set<LedgerErrorCode>([
  "TXN_ALREADY_COMMITTED",
  "TXN_ALREADY_VOIDED",
  "GEN_CONFLICT",
]);

/**
 * Commits or voids every hold of a batch that is open, newest first, and answers the newest one's record
 * (contract/transactions.md section 7.2). With an amount all of them are asked first whether they can take it, so that one
 * that cannot stops the others before any money moves; those that this very operation settled before stop nobody.
 */
export async function settleBatch(
  ctx: LedgerContext,
  settlement: BatchSettlement,
): Promise<Reply<SettleValue>> {
  const holds = await holdsOf(ctx, settlement);
  if (!holds.ok) return { ...holds, replayed: false };
  const { action, amount, skipQueue } = settlement;
  const operation = operationOf(settlement);
  const requests = holds.value.map((transactionId) => ({
    transactionId,
    action,
    amount,
    skipQueue,
    operation,
  }));
  if (amount !== null) {
    const plans = await outcomeOf(ctx.journal.plansToSettle(requests));
    if (!plans.ok) return { ...plans, replayed: false };
    const refused = plans.value.flatMap((plan) => (plan.ok ? [] : [plan.error])).find(stopsBatch);
    if (refused !== undefined) return { ok: false, error: refused, replayed: false };
  }
  const replies = await outcomeOf(ctx.journal.settleEach(requests));
  if (!replies.ok) return { ...replies, replayed: false };
  // What holds no money was rejected.
  const held = replies.value.filter((reply) => reply.ok || reply.error.code !== "TXN_NOT_INFLIGHT");
  const answer = newestOf(held, (code) => SETTLED.has(code));
  return answer ?? { ok: false, error: notInflight(action), replayed: false };
}

/** Whether a refusal to settle one hold stands in the way of the others: not when it holds no money, or none any more. */
export const stopsBatch = ({ code }: LedgerError): boolean =>
  code !== "TXN_NOT_INFLIGHT" && !SETTLED.has(code);

/** The transactions of the batch that may be holds, newest first. */
async function holdsOf(
  ctx: LedgerContext,
  { batchId, action, skipQueue }: BatchSettlement,
): Promise<Result<readonly TransactionId[]>> {
  const found = await endedBatch(ctx, batchId);
  if (!found.ok) return found;
  if (found.value === null && !skipQueue) {
    return err(refusal("TXN_NOT_FOUND", `there is no batch with the id '${batchId}'`, {}));
  }
  const isHeld = found.value?.batch.options.inflight === true;
  return isHeld ? ok(found.value.transactionIds) : err(notInflight(action));
}

/** The same for every hold: a child follows from its hold and this. */
const operationOf = ({ batchId, action, operation }: BatchSettlement): OperationKey => ({
  key: `${batchId}/${action}/${operation.key}`,
  fingerprint: operation.fingerprint,
  fromClient: false,
});

/** The refusal to commit or void where nothing is held. */
export const notInflight = (action: string): LedgerError =>
  refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${action}`);
