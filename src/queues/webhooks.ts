import { z } from "zod";
import type { LedgerEvent } from "../domain/event";
import { BODY_BYTES_MAX, bytesOf, sendInBatches } from "./batch";

/** Room for the address that is added when a message is fanned out. */
const ENDPOINT_BYTES = 2_100;

const recordKind = z.enum(["ledger", "identity", "balance", "transaction"]);

/** What an event tells of. */
export type RecordKind = z.infer<typeof recordKind>;

/**
 * An event on its way to receivers. It carries the exact body, or, where that is too long for a message and kept
 * in D1, the record that it tells of. Without `endpoint` it goes to every receiver.
 */
export const webhookMessage = z.object({
  instance: z.string().min(1),
  id: z.string().min(1),
  event: z.string().min(1),
  content: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("body"), body: z.string() }),
    z.object({ kind: z.literal("record"), record: recordKind, recordId: z.string() }),
  ]),
  endpoint: z.string().optional(),
});

export type WebhookMessage = z.infer<typeof webhookMessage>;

/** Events of one instance and the receivers that are configured. */
export interface EventsToSend {
  readonly instance: string;
  readonly events: readonly LedgerEvent[];
  readonly endpoints: readonly string[];
  /** Keeps the bodies of those that are too long for a message. One that is kept already stays as it is. */
  keep(long: readonly LedgerEvent[]): Promise<void>;
}

/** The receivers' addresses in a setting that lists them with commas between. */
export const endpointsOf = (setting: string): string[] =>
  setting
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");

/** Sends events towards their receivers; nothing when there are none. Throws when not all were sent: then send all again. */
export async function sendEvents(
  queue: Queue<WebhookMessage>,
  { instance, events, endpoints, keep }: EventsToSend,
): Promise<void> {
  if (endpoints.length === 0) return;
  const messages = events.map((event) => messageOf(instance, event));
  const long = events.filter((_event, index) => messages[index]?.content.kind === "record");
  if (long.length > 0) await keep(long);
  await sendInBatches(queue, messages);
}

/** The message of an event: with its body if that fits, else with the record that it tells of. */
export function messageOf(instance: string, { id, event, body }: LedgerEvent): WebhookMessage {
  const whole: WebhookMessage = { instance, id, event, content: { kind: "body", body } };
  if (bytesOf(whole) <= BODY_BYTES_MAX - ENDPOINT_BYTES) return whole;
  return { instance, id, event, content: { kind: "record", ...recordIn(event, body) } };
}

const eventBody = z.object({ data: z.record(z.string(), z.unknown()) });

/** The record that an event's body tells of, by the id in its `data`. */
function recordIn(event: string, body: string): { record: RecordKind; recordId: string } {
  const record = recordKind.parse(event.split(".")[0]);
  const { data } = eventBody.parse(JSON.parse(body));
  return { record, recordId: z.string().parse(data[`${record}_id`]) };
}
