import type { Amounts } from "./balance";
import type { BalanceId } from "./ids";
import type { Instant } from "./time";

/** Who a balance is: everything about it but its amounts. */
export interface BalanceProfile {
  readonly balanceId: BalanceId;
  readonly ledgerId: string;
  /** "" when nobody owns it. */
  readonly identityId: string;
  readonly currency: string;
  /** "" when it has none. */
  readonly indicator: string;
  readonly createdAt: Instant;
  /** JSON text, or null. */
  readonly metaData: string | null;
  readonly trackFundLineage: boolean;
  readonly allocationStrategy: string;
}

/** A balance as it stands. `version` counts its entries, `profileVersion` the changes of its profile. */
export interface BalanceSnapshot extends BalanceProfile, Amounts {
  readonly version: number;
  readonly profileVersion: number;
}

/** What had settled of a balance by a moment, in minor units. */
export interface BalanceAt extends Pick<Amounts, "credit" | "debit"> {
  readonly balanceId: BalanceId;
  readonly currency: string;
}
