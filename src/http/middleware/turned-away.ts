import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

/** How long an answer is held back on average, in milliseconds: by half more or less, so that what came together parts. */
const HELD_MS = 1_000;
/** At most so many are held back at once: what waits here takes memory. */
const HELD_MAX = 1_000;

/**
 * Holds an answer of `GEN_OVERLOADED` back for about a second. A client that sends again at once, whatever `Retry-After` says, would
 * otherwise cost as much as the work that it is to be kept from.
 */
export function holdTurnedAway(): MiddlewareHandler<AppEnv> {
  let held = 0;
  return async (c, next) => {
    await next();
    if (c.get("turnedAway") !== true || held >= HELD_MAX) return;
    held += 1;
    await new Promise((resolve) => setTimeout(resolve, HELD_MS * (0.5 + Math.random())));
    held -= 1;
  };
}
