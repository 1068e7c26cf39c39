import type { TransactionId } from "../domain/ids";
import { reasonOf } from "../domain/thrown";
import { applyMessage } from "../queues/apply";
import { log } from "./log";
import { retryDelaySeconds } from "./retry-delay";

/** What the consumer of the queue `apply` needs. */
export interface ApplyContext {
  /** Brings QUEUED transactions of one shard to their end. Repeatable; throws when the shard could not be asked. */
  applyMany(instance: string, shard: number, ids: readonly TransactionId[]): Promise<void>;
}

/** The messages of a batch that concern one shard. */
interface ShardWork {
  readonly instance: string;
  readonly shard: number;
  readonly ids: Set<TransactionId>;
  readonly messages: Message[];
}

/**
 * Takes QUEUED transactions to their shards: one call a shard for the whole batch. A message is done when its shard
 * has answered; otherwise it comes again, and the shard knows what it has done already.
 */
export async function consumeApply(batch: MessageBatch, context: ApplyContext): Promise<void> {
  await Promise.all(byShard(batch.messages).map((work) => applyShard(work, context)));
}

async function applyShard(work: ShardWork, context: ApplyContext): Promise<void> {
  const { instance, shard, messages } = work;
  try {
    await context.applyMany(instance, shard, [...work.ids]);
    for (const message of messages) message.ack();
  } catch (error) {
    log("apply.failed", { instance, shard, transactions: work.ids.size, reason: reasonOf(error) });
    for (const message of messages) retry(message);
  }
}

function byShard(messages: readonly Message[]): ShardWork[] {
  const works = new Map<string, ShardWork>();
  for (const message of messages) {
    const parsed = applyMessage.safeParse(message.body);
    if (!parsed.success) {
      // A newer deploy may know this form; the dead-letter queue keeps what nobody ever understands.
      log("apply.not_understood", { message_id: message.id });
      retry(message);
      continue;
    }
    const { instance, shard, ids } = parsed.data;
    const name = JSON.stringify([instance, shard]);
    const work = works.get(name) ?? { instance, shard, ids: new Set(), messages: [] };
    works.set(name, work);
    for (const id of ids) work.ids.add(id);
    work.messages.push(message);
  }
  return [...works.values()];
}

const retry = (message: Message): void =>
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts, Math.random()) });
