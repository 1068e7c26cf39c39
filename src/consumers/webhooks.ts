import { reasonOf } from "../domain/thrown";
import { sendInBatches } from "../queues/batch";
import { type WebhookMessage, webhookMessage } from "../queues/webhooks";
import { type DeliverySettings, deliver } from "../webhooks/deliver";
import { log } from "./log";
import { retryDelaySeconds } from "./retry-delay";

/** A Worker holds six connections at a time; more would wait within their time limit. */
const DELIVERIES_AT_ONCE = 6;

/** What the consumer of the queue `webhooks` needs. */
export interface WebhooksContext extends DeliverySettings {
  /** The addresses that get every event. */
  readonly endpoints: readonly string[];
  readonly queue: Queue<WebhookMessage>;
  /** The body of an event that was too long for its message, made anew; null when its record is not there (yet). */
  bodyOf(event: WebhookMessage): Promise<string | null>;
}

/**
 * Brings events to their receivers. With several receivers an event is first sent on as one message each, so that
 * a receiver that fails does not make the others get it again. What fails comes again, later every time.
 */
export async function consumeWebhooks(
  batch: MessageBatch,
  context: WebhooksContext,
): Promise<void> {
  const waiting = [...batch.messages];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await consumeOne(next, context);
    }
  };
  await Promise.all(Array.from({ length: DELIVERIES_AT_ONCE }, worker));
}

async function consumeOne(message: Message, context: WebhooksContext): Promise<void> {
  try {
    const failure = await failureOf(message, context);
    if (failure === null) {
      message.ack();
      return;
    }
    log("webhook.failed", { ...failure, attempt: message.attempts });
  } catch (error) {
    log("webhook.failed", { message_id: message.id, reason: reasonOf(error) });
  }
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts, Math.random()) });
}

/** Null when the message is done with, else what to say in the log. */
async function failureOf(
  message: Message,
  context: WebhooksContext,
): Promise<Record<string, unknown> | null> {
  const parsed = webhookMessage.safeParse(message.body);
  // A newer deploy may know this form; the dead-letter queue keeps what nobody ever understands.
  if (!parsed.success) return { message_id: message.id, reason: "the message is not understood" };

  const event = parsed.data;
  const endpoint = event.endpoint ?? context.endpoints[0];
  // No receiver at all, or one that was taken out of the settings since.
  if (endpoint === undefined || !context.endpoints.includes(endpoint)) return null;
  if (event.endpoint === undefined && context.endpoints.length > 1) {
    await sendInBatches(
      context.queue,
      context.endpoints.map((each) => ({ ...event, endpoint: each })),
    );
    return null;
  }
  return deliverTo(endpoint, event, context);
}

async function deliverTo(
  endpoint: string,
  event: WebhookMessage,
  context: WebhooksContext,
): Promise<Record<string, unknown> | null> {
  const fields = { event_id: event.id, event_name: event.event, host: hostOf(endpoint) };
  const body = event.content.kind === "body" ? event.content.body : await context.bodyOf(event);
  if (body === null) return { ...fields, reason: "the record of the event is not found" };
  const outcome = await deliver({ endpoint, id: event.id, body }, context);
  return outcome.ok ? null : { ...fields, reason: outcome.error };
}

/** Of an address only the host is logged: the rest may hold a secret. */
const hostOf = (endpoint: string): string =>
  URL.canParse(endpoint) ? new URL(endpoint).host : "not a URL";
