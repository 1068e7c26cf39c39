import type { LedgerId } from "./ids";
import type { MetaDataText } from "./metadata";
import type { Instant } from "./time";

/** A ledger: a named group of balances. */
export interface Ledger {
  readonly ledgerId: LedgerId;
  readonly name: string;
  readonly createdAt: Instant;
  readonly metaData: MetaDataText | null;
}
