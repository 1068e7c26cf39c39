import { invariant } from "../../domain/invariant";
import { type PostingRequest, postingOf } from "../../domain/posting";
import type { Transaction } from "../../domain/transaction";
import type { OperationKey, Reply } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";

/**
 * Records a transaction: QUEUED or SCHEDULED, or with `skipQueue` carried out before the answer. The same reference moves
 * money once; a second use is refused (contract/transactions.md sections 3.4 and 4, as changed by P2).
 */
export async function recordTransaction(
  ctx: LedgerContext,
  { request, operation }: { readonly request: PostingRequest; readonly operation: OperationKey },
): Promise<Reply<Transaction>> {
  const split = postingOf(ctx.instance, request);
  if (!split.ok) return { ...split, replayed: false };
  invariant(!request.dryRun, "a question about money never moves it");
  return await replyOf(ctx.journal.record({ ...split.value, operation }));
}
