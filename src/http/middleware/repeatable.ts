import type { Context, MiddlewareHandler } from "hono";
import { isBatchId } from "../../domain/ids";
import { isJsonObject, MALFORMED, TOO_LARGE } from "../../schemas/json";
import { type Begun, beginRequest, type KeptAnswer } from "../../services/repeatable";
import type { AppEnv } from "../env";
import { unwrap } from "../errors";
import { operation } from "../idempotency";

/**
 * For routes that do not know an `Idempotency-Key` themselves: the answer to a request with a key is kept, and its repeats
 * get it. Until it is kept the request may be carried out again, so what it makes has the same ids and times each time.
 */
export const repeatable: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.header("Idempotency-Key") === undefined || (await isLeftAlone(c))) return next();
  const request = await operation(c);
  const begun = unwrap(await beginRequest(c.get("ledger"), request));
  if (begun.kind === "answered") return shown(begun.answer, true);
  return carryOut(c, begun, next);
};

/** The same for a batch alone: a single transaction knows its keys itself. */
export const repeatableForBatches: MiddlewareHandler<AppEnv> = (c, next) =>
  isBatchId(c.req.param("id") ?? "") ? repeatable(c, next) : next();

/** A body that no route can read is refused as such, and a dry run is a question: its answer may change. */
async function isLeftAlone(c: Context<AppEnv>): Promise<boolean> {
  const body: unknown = await c.req.json();
  if (!isJsonObject(body)) return body === MALFORMED || body === TOO_LARGE;
  return Object.entries(body).some(
    ([key, value]) => key.toLowerCase() === "dry_run" && value === true,
  );
}

async function carryOut(
  c: Context<AppEnv>,
  begun: Extract<Begun, { kind: "begun" }>,
  next: () => Promise<void>,
): Promise<void> {
  const ledger = c.get("ledger");
  c.set("ledger", begun.ledger);
  await next();
  c.set("ledger", ledger);
  // Trouble is no answer: the same request is carried out again.
  if (c.res.status >= 500) {
    await begun.giveUp();
    return;
  }
  const answer = { status: c.res.status, body: await c.res.clone().text() };
  const kept = unwrap(await begun.keep(answer));
  if (kept.body !== answer.body) c.res = shown(kept, false);
}

function shown({ status, body }: KeptAnswer, replayed: boolean): Response {
  const headers = new Headers({ "Content-Type": "application/json" });
  if (replayed) headers.set("Idempotent-Replayed", "true");
  return new Response(body, { status, headers });
}
