import type { HonoRequest, MiddlewareHandler } from "hono";
import { parseBody, TOO_LARGE } from "../../schemas/json";
import type { AppEnv } from "../env";

const BODY_BYTES_MAX = 5 * 1024 * 1024;
/** A batch of 10,000 transactions needs more. */
const LARGE_BODIES: Readonly<Record<string, number>> = { "/transactions/bulk": 16 * 1024 * 1024 };
const DROPPED_BYTES_MAX = 100 * 1024 * 1024;
const READ_AS_IS = new Set(["application/json", "application/json; charset=utf-8"]);

/**
 * Makes `c.req.json()` read any body as JSON whatever its type is called, without losing a digit, up to 5 MiB (a batch: 16). It answers
 * undefined for an empty body and a symbol for one that cannot be read, which no schema accepts: so each route says in its
 * own words what is wrong (contract/core.md section 1.5).
 */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { method } = c.req;
  if (method !== "GET" && method !== "HEAD") {
    let body: Promise<unknown> | undefined;
    const json = (): Promise<unknown> => {
      body ??= readJson(c.req);
      return body;
    };
    Object.assign(c.req, { json });
    const type = c.req.header("Content-Type");
    if (type === undefined || !READ_AS_IS.has(type.toLowerCase())) {
      // The router looks at the name of the type before it reads the body.
      const headers = new Headers(c.req.raw.headers);
      headers.set("Content-Type", "application/json");
      c.req.raw = new Request(c.req.raw, { headers });
    }
  }
  await next();
};

async function readJson(request: HonoRequest): Promise<unknown> {
  const bytesMax = LARGE_BODIES[request.path] ?? BODY_BYTES_MAX;
  // A connection ends a body where its length says, so most are read in one go; the rest as streams, which cost more.
  const declared = Number(request.header("Content-Length") ?? "NaN");
  if (declared <= bytesMax) {
    const text = await request.raw.text();
    return text.length > bytesMax ? TOO_LARGE : parseBody(text);
  }
  const { body } = request.raw;
  if (body === null) return undefined;
  const bytes = await readUpTo(body, bytesMax);
  return bytes === null ? TOO_LARGE : parseBody(new TextDecoder().decode(bytes));
}

/**
 * The whole stream, or null when it is longer: what its header says about its length may be wrong. What is too much is read
 * and dropped, because a local server cannot answer a client that is still sending.
 */
async function readUpTo(stream: ReadableStream<Uint8Array>, bytesMax: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length <= bytesMax) chunks.push(chunk);
    else if (length > bytesMax + DROPPED_BYTES_MAX) return null;
  }
  if (length > bytesMax) return null;
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
