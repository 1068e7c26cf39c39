import { invariant } from "../domain/invariant";

const MESSAGES_IN_A_BATCH = 100;
const BYTES_IN_A_BATCH = 256_000;
/** What the queue itself adds to a message, about. */
const ENVELOPE_BYTES = 100;

/** The largest body, in bytes of JSON, that a message may have: the queue takes 128,000 with its envelope. */
export const BODY_BYTES_MAX = 127_000;

const encoder = new TextEncoder();

/** The bytes of a message's body on its way: JSON as UTF-8. */
export const bytesOf = (body: unknown): number => encoder.encode(JSON.stringify(body)).length;

/**
 * Sends the bodies in as few calls as the queue's bounds allow (100 messages and 256 KB a call), in order.
 * Throws when a call fails: what went before it was sent, so the sender must be able to send it again.
 */
export async function sendInBatches<Body>(
  queue: Queue<Body>,
  bodies: readonly Body[],
): Promise<void> {
  for (const batch of batchesOf(bodies)) {
    await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
  }
}

/** The bodies cut into batches that the queue takes. */
export function batchesOf<Body>(bodies: readonly Body[]): Body[][] {
  const batches: Body[][] = [];
  let bytesLeft = 0;
  for (const body of bodies) {
    const bytes = bytesOf(body) + ENVELOPE_BYTES;
    invariant(bytes <= BODY_BYTES_MAX + ENVELOPE_BYTES, "a message fits the queue");
    const last = batches.at(-1);
    if (last === undefined || last.length === MESSAGES_IN_A_BATCH || bytes > bytesLeft) {
      batches.push([body]);
      bytesLeft = BYTES_IN_A_BATCH - bytes;
    } else {
      last.push(body);
      bytesLeft -= bytes;
    }
  }
  return batches;
}
