import { type ApplyContext, consumeApply } from "./apply";
import { consumeDeadLetters, type DeadLetterContext } from "./dead-letter";
import { consumeJobs, type JobsContext } from "./jobs";
import { consumeWebhooks, deliverWebhooks, type WebhooksContext } from "./webhooks";

/** What the consumers need between them. */
export interface ConsumerContext
  extends ApplyContext,
    JobsContext,
    WebhooksContext,
    DeadLetterContext {}

/** Hands a batch to the consumer of its queue (the names are those of wrangler.toml). Throws for a queue without one. */
export function consume(batch: MessageBatch, context: ConsumerContext): Promise<void> {
  switch (batch.queue) {
    case "purser-apply":
      return consumeApply(batch, context);
    case "purser-webhooks":
      return consumeWebhooks(batch, context);
    case "purser-webhooks-1":
    case "purser-webhooks-2":
    case "purser-webhooks-3":
    case "purser-webhooks-4":
      return deliverWebhooks(batch, context);
    case "purser-jobs":
      return consumeJobs(batch, context);
    case "purser-apply-dead":
    case "purser-webhooks-dead":
    case "purser-jobs-dead":
      return consumeDeadLetters(batch, context);
    default:
      throw new Error(`no consumer for the queue ${batch.queue}`);
  }
}
