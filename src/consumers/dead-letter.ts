import { z } from "zod";
import type { StoredLetter } from "../storage/dead-letters";
import { log } from "./log";

const ofInstance = z.object({ instance: z.string() });

/** What the consumer of the dead-letter queues needs. */
export interface DeadLetterContext {
  /** Keeps messages for people to look at. Repeatable; throws when they could not be kept. */
  keepDeadLetters(letters: readonly StoredLetter[]): Promise<void>;
}

/**
 * Keeps what could not be done, since an unread dead-letter queue forgets. No money hangs on it: a journal shard asks again
 * for whatever is still QUEUED.
 */
export async function consumeDeadLetters(
  batch: MessageBatch,
  context: DeadLetterContext,
): Promise<void> {
  const letters = batch.messages.map((message) => ({
    instanceId: ofInstance.safeParse(message.body).data?.instance ?? "",
    messageId: message.id,
    queue: batch.queue,
    body: JSON.stringify(message.body) ?? "null",
    sentAt: message.timestamp.toISOString(),
  }));
  // When this throws, the whole batch comes again.
  await context.keepDeadLetters(letters);
  for (const { messageId, queue, sentAt } of letters) {
    log("dead_letter.kept", { message_id: messageId, queue, sent_at: sentAt });
  }
  batch.ackAll();
}
