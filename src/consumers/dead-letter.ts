import { z } from "zod";
import { log } from "./log";

const ofInstance = z.object({ instance: z.string() });

/** A message that no consumer could do, as it is kept. */
export interface DeadLetter {
  /** The instance that it belongs to; "" when it does not say. */
  readonly instance: string;
  /** The message's id in its queue: keeping it twice keeps it once. */
  readonly id: string;
  /** The dead-letter queue that it came from. */
  readonly queue: string;
  /** The body as JSON text. */
  readonly body: string;
  /** When it was first sent. */
  readonly at: Date;
}

/** What the consumer of the dead-letter queues needs. */
export interface DeadLetterContext {
  /** Keeps messages for people to look at. Repeatable; throws when they could not be kept. */
  keepDeadLetters(letters: readonly DeadLetter[]): Promise<void>;
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
    instance: ofInstance.safeParse(message.body).data?.instance ?? "",
    id: message.id,
    queue: batch.queue,
    body: JSON.stringify(message.body) ?? "null",
    at: message.timestamp,
  }));
  // When this throws, the whole batch comes again.
  await context.keepDeadLetters(letters);
  for (const { id, queue, at } of letters) {
    log("dead_letter.kept", { message_id: id, queue, sent_at: at.toISOString() });
  }
  batch.ackAll();
}
