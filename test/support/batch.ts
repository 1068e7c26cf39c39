import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";

/** A batch as a queue hands it over: messages `message-0`, `message-1`, …, each tried before. */
export const batchOf = (queue: string, bodies: readonly unknown[]): MessageBatch =>
  createMessageBatch(
    queue,
    bodies.map((body, index) => ({
      id: `message-${index}`,
      timestamp: new Date(),
      attempts: 2,
      body,
    })),
  );

interface QueueResult {
  readonly ackAll: boolean;
  readonly explicitAcks: readonly string[];
  readonly retryMessages: readonly { readonly msgId: string }[];
}

/** What a consumer decided: the ids of the messages that are done, and of those that come again. */
export async function outcomeOf(
  batch: MessageBatch,
): Promise<{ acked: string[]; retried: string[] }> {
  const result: QueueResult = await getQueueResult(batch, createExecutionContext());
  return {
    acked: result.ackAll ? batch.messages.map(({ id }) => id) : [...result.explicitAcks].sort(),
    retried: result.retryMessages.map(({ msgId }) => msgId).sort(),
  };
}
