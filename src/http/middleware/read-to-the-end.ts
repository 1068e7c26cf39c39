import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

/** More than this is not worth a connection. */
const UNREAD_BYTES_MAX = 5 * 1024 * 1024;

/**
 * Reads what nobody has read of a body, such as one for a route that does not exist, or without a key. A server of HTTP/1.1
 * that answers before it has read everything ends the connection, and the client's next request on it fails (RFC 9112
 * section 9.6).
 */
export const readToTheEnd: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { raw } = c.req;
  if (!raw.bodyUsed && raw.body !== null) await readAndDrop(raw.body);
};

async function readAndDrop(body: ReadableStream<Uint8Array>): Promise<void> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > UNREAD_BYTES_MAX) return;
    }
  } catch {
    // The client is gone, and with it the connection.
  }
}
