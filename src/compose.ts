import type { LedgerContext } from "./services/context";

/** What the bindings become: all that the rest of the Worker sees of them. */
export interface Composition {
  /** The ledger of the default instance. Throws while D1 cannot be read for the first time. */
  ledger(): Promise<LedgerContext>;
  /** Null when none is configured; never empty. */
  readonly masterKey: string | null;
  /** Whether every caller on this very machine is the master. */
  readonly authOff: boolean;
  /** Whether D1 answers. */
  healthy(): Promise<boolean>;
  /** A static asset by its path. */
  asset(path: string): Promise<Response>;
}
