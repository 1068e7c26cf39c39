import type { Composition } from "../compose";
import type { LedgerContext } from "../services/context";

/** What a request carries: the composed ledger as bindings, and what the middleware found out. */
export interface AppEnv {
  Bindings: Composition;
  Variables: {
    /** The ledger of the caller's instance. */
    ledger: LedgerContext;
    requestId: string;
    /** Whether there was no room for the request. */
    turnedAway?: boolean;
  };
}
