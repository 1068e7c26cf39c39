import type { MiddlewareHandler } from "hono";
import type { LedgerContext } from "../../services/context";
import type { AppEnv } from "../env";

/** Gives handlers the ledger of the caller's instance as `c.get("ledger")`. */
export const ledger: MiddlewareHandler<AppEnv> = (c, next) => {
  const known = c.env.ledger();
  const goOn = (found: LedgerContext) => {
    c.set("ledger", found);
    return next();
  };
  return known instanceof Promise ? known.then(goOn) : goOn(known);
};
