import { reasonOf } from "../domain/thrown";
import { atOnce } from "../durable/at-once";
import { sendInBatches } from "../queues/batch";
import { type WebhookMessage, webhookMessage } from "../queues/webhooks";
import { type DeliverySettings, deliver } from "../webhooks/deliver";
import { log } from "./log";
import { retryDelaySeconds } from "./retry-delay";

/** A Worker holds six connections at a time; more would wait within their time limit. */
const DELIVERIES_AT_ONCE = 6;

/** What the consumers of the queues of events need. */
export interface WebhooksContext extends DeliverySettings {
  /** The addresses that get every event. */
  readonly endpoints: readonly string[];
  /** The first receiver's own queue, the second's, and so on. With more receivers than queues some share one. */
  readonly queues: readonly Queue<WebhookMessage>[];
  /** The body of an event that was too long for its message; null when neither it nor its record is there (yet). */
  bodyOf(event: WebhookMessage): Promise<string | null>;
}

/** A message that was understood, and who is to get its event. */
interface Letter {
  readonly message: Message;
  readonly event: WebhookMessage;
  readonly endpoint: string;
}

/**
 * The queue `webhooks`, to which all events come. A single receiver gets them from here. With several each event is sent
 * on to the queue of each, so that one that fails or hangs costs the others neither time nor repeats.
 */
export async function consumeWebhooks(
  batch: MessageBatch,
  context: WebhooksContext,
): Promise<void> {
  if (context.endpoints.length < 2) return deliverWebhooks(batch, context);
  const come = understood(batch);
  const own = come.flatMap(({ event }) =>
    receiversOf(event, context).map((endpoint) => ({ ...event, endpoint })),
  );
  try {
    await Promise.all(
      context.queues.map((queue, index) =>
        sendInBatches(
          queue,
          own.filter(({ endpoint }) => queueOf(endpoint, context) === index),
        ),
      ),
    );
    for (const { message } of come) message.ack();
  } catch (error) {
    for (const { message } of come) again(message, { reason: reasonOf(error) });
  }
}

/** The queue of a receiver: brings it its events. What fails comes again, later every time. */
export async function deliverWebhooks(
  batch: MessageBatch,
  context: WebhooksContext,
): Promise<void> {
  const groups = new Map<string, Letter[]>();
  for (const { message, event } of understood(batch)) {
    const [endpoint] = receiversOf(event, context);
    if (endpoint === undefined) {
      message.ack();
      continue;
    }
    const group = groups.get(endpoint) ?? [];
    groups.set(endpoint, group);
    group.push({ message, event, endpoint });
  }
  const share = Math.max(1, Math.floor(DELIVERIES_AT_ONCE / groups.size));
  await atOnce(Math.floor(DELIVERIES_AT_ONCE / share), [...groups.values()], (group) =>
    deliverAll(group, share, context),
  );
}

/** The messages that have a form that is known. A newer deploy may know the others; the dead-letter queue keeps what nobody understands. */
function understood({ messages }: MessageBatch): { message: Message; event: WebhookMessage }[] {
  return messages.flatMap((message) => {
    const parsed = webhookMessage.safeParse(message.body);
    if (parsed.success) return [{ message, event: parsed.data }];
    again(message, { reason: "the message is not understood" });
    return [];
  });
}

/** Who is to get an event: not one that was taken out of the settings since it was sent. */
const receiversOf = ({ endpoint }: WebhookMessage, { endpoints }: WebhooksContext) =>
  endpoint === undefined ? endpoints : endpoints.filter((each) => each === endpoint);

const queueOf = (endpoint: string, { endpoints, queues }: WebhooksContext): number =>
  endpoints.indexOf(endpoint) % queues.length;

/**
 * Brings one receiver its events, as many at a time as its share of connections. Once it gave no answer the rest of them is
 * not tried, but comes again as what failed does: so a receiver that is away holds a batch no longer than one time limit.
 */
async function deliverAll(
  letters: readonly Letter[],
  share: number,
  context: WebhooksContext,
): Promise<void> {
  let isAway = false;
  await atOnce(share, letters, async ({ message, event, endpoint }) => {
    const fields = { event_id: event.id, event_name: event.event, host: hostOf(endpoint) };
    if (isAway) {
      again(message, { ...fields, reason: "the receiver did not answer for another event" });
      return;
    }
    const failure = await failureOf(event, endpoint, context);
    if (failure === null) {
      message.ack();
      return;
    }
    isAway ||= failure.isAway;
    again(message, { ...fields, reason: failure.reason });
  });
}

/** Null when the event was taken. */
async function failureOf(
  event: WebhookMessage,
  endpoint: string,
  context: WebhooksContext,
): Promise<{ reason: string; isAway: boolean } | null> {
  try {
    const body = event.content.kind === "body" ? event.content.body : await context.bodyOf(event);
    if (body === null) return { reason: "the record of the event is not found", isAway: false };
    const outcome = await deliver({ endpoint, id: event.id, body }, context);
    return outcome.ok ? null : outcome.error;
  } catch (error) {
    return { reason: reasonOf(error), isAway: false };
  }
}

function again(message: Message, fields: Record<string, unknown>): void {
  log("webhook.failed", { message_id: message.id, ...fields, attempt: message.attempts });
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts, Math.random()) });
}

/** Of an address only the host is logged: the rest may hold a secret. */
const hostOf = (endpoint: string): string =>
  URL.canParse(endpoint) ? new URL(endpoint).host : "not a URL";
