/** A receiver of webhooks as an application should have one: it checks who sends, and handles each event once. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";

/** How old a signature may be, in seconds: an old message sent again by somebody else is refused. */
const AGE_MAX_SECONDS = 300;

/** An event as the application handles it. */
export interface HandledEvent {
  readonly id: string;
  readonly event: string;
  /** Of the transaction that it tells of; "" for other events. */
  readonly reference: string;
  readonly source: string;
  readonly destination: string;
}

export interface Receiver {
  /** Each event once, in the order in which they came. */
  readonly handled: readonly HandledEvent[];
  /** Deliveries of events that had been handled before. */
  readonly duplicates: readonly string[];
  /** Deliveries whose signature was wrong. */
  readonly forgeries: number;
  close(): void;
}

/**
 * Listens for webhooks signed with `key`. The first delivery of the event `failOnce` is handled, but answered 500, as if
 * the application had died right then: so it is delivered again.
 */
export async function listen(port: number, key: string, failOnce: string): Promise<Receiver> {
  const handled: HandledEvent[] = [];
  const duplicates: string[] = [];
  let forgeries = 0;

  const statusFor = async (request: IncomingMessage): Promise<number> => {
    const body = await textOf(request);
    if (!isGenuine(request, body, key)) {
      forgeries += 1;
      return 401;
    }
    const id = headerOf(request, "webhook-id");
    if (handled.some((event) => event.id === id)) {
      duplicates.push(id);
      return 200;
    }
    const event = eventIn(id, body);
    handled.push(event);
    const isFirst = handled.filter((other) => other.event === failOnce).length === 1;
    return event.event === failOnce && isFirst ? 500 : 200;
  };

  const server = createServer((request, response) => {
    void statusFor(request)
      .catch(() => 400)
      .then((status) => response.writeHead(status).end());
  });
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
  return {
    handled,
    duplicates,
    get forgeries() {
      return forgeries;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Whether the body carries the HMAC of its timestamp and itself, and is not an old one. */
function isGenuine(request: IncomingMessage, body: string, key: string): boolean {
  const timestamp = headerOf(request, "x-blnk-timestamp");
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  const expected = createHmac("sha256", key).update(`${timestamp}.${body}`).digest();
  const given = Buffer.from(headerOf(request, "x-blnk-signature"), "hex");
  return (
    age <= AGE_MAX_SECONDS && given.length === expected.length && timingSafeEqual(given, expected)
  );
}

function eventIn(id: string, body: string): HandledEvent {
  const { event, data } = JSON.parse(body);
  return {
    id,
    event: String(event),
    reference: String(data.reference ?? ""),
    source: String(data.source ?? ""),
    destination: String(data.destination ?? ""),
  };
}

function headerOf({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
