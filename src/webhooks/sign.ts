import { Webhook } from "standardwebhooks";

/** What is signed: one attempt to deliver one body. */
export interface Attempt {
  /** The event's id: the same in every attempt, to every endpoint. */
  readonly id: string;
  /** The exact text that is sent. */
  readonly body: string;
  /** When the attempt is made. */
  readonly at: Date;
}

const encoder = new TextEncoder();

/**
 * The headers by which a receiver knows who sent a body: `X-Blnk-Signature` over `timestamp.body`
 * (contract/core.md section 8.1), and the same key's signature by the Standard Webhooks specification.
 */
export async function signatureHeaders(
  { id, body, at }: Attempt,
  key: string,
): Promise<Record<string, string>> {
  const seconds = String(Math.floor(at.getTime() / 1000));
  return {
    "X-Blnk-Timestamp": seconds,
    "X-Blnk-Signature": await hmacHex(key, `${seconds}.${body}`),
    "webhook-timestamp": seconds,
    "webhook-signature": new Webhook(encoder.encode(key), { format: "raw" }).sign(id, at, body),
  };
}

/** Lower-case hexadecimal of HMAC-SHA256. */
async function hmacHex(key: string, message: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign("HMAC", secret, encoder.encode(message));
  return Array.from(new Uint8Array(signature), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}
