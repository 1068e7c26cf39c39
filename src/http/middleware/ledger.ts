import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

/** Gives handlers the ledger of the caller's instance as `c.get("ledger")`. */
export const ledger: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("ledger", await c.env.ledger());
  await next();
};
