import type { BalanceProfile } from "./balance-record";
import type { LedgerError } from "./error";
import { brokenFields, brokenName, NAMED_MAX, tooLong } from "./field-rules";
import { type BalanceId, GENERAL_LEDGER_ID, indicatorBalanceId } from "./ids";
import { brokenMetaData, type MetaDataText } from "./metadata";
import { err, ok, type Result } from "./result";
import type { Instant } from "./time";

/** A balance as a client asks for it; "" where it asked for nothing. */
export interface NewBalance {
  readonly ledgerId: string;
  readonly identityId: string;
  readonly currency: string;
  readonly indicator: string;
  readonly allocationStrategy: string;
  readonly trackFundLineage: boolean;
  readonly metaData: MetaDataText | null;
}

const STRATEGIES = ["FIFO", "LIFO", "PROPORTIONAL"];
const INDICATOR = /^@\S+$/;

/**
 * The profile of a new balance, or the rules that it breaks (contract/core.md section 3.2). Whether its ledger and owner exist
 * is not known here. An indicator gives the balance its id: there is one for each currency.
 */
export function profileOf(
  asked: NewBalance,
  made: {
    readonly instance: string;
    readonly ordinaryId: BalanceId;
    readonly createdAt: Instant;
  },
): Result<BalanceProfile> {
  const indicator = asked.indicator.trim();
  const allocationStrategy = asked.allocationStrategy.trim().toUpperCase() || "FIFO";
  const broken = brokenRules({ ...asked, indicator, allocationStrategy });
  if (broken !== null) return err(broken);
  const { ledgerId, identityId, currency, trackFundLineage, metaData } = asked;
  return ok({
    balanceId:
      indicator === "" ? made.ordinaryId : indicatorBalanceId(made.instance, indicator, currency),
    ledgerId,
    identityId,
    currency,
    indicator,
    createdAt: made.createdAt,
    metaData,
    trackFundLineage,
    allocationStrategy,
  });
}

function brokenRules(asked: NewBalance): LedgerError | null {
  const { ledgerId, currency, identityId, metaData } = asked;
  return brokenFields(
    [
      ["allocation_strategy", brokenStrategy(asked.allocationStrategy)],
      ["currency", brokenName(currency, NAMED_MAX)],
      ["identity_id", brokenOwner(asked) ?? tooLong(identityId)],
      ["indicator", brokenIndicator(asked)],
      ["ledger_id", brokenName(ledgerId)],
      ["meta_data", brokenMetaData(metaData)],
    ],
    "errors",
  );
}

const brokenStrategy = (strategy: string): string | null =>
  STRATEGIES.includes(strategy) ? null : `must be one of ${STRATEGIES.join(", ")}`;

const brokenOwner = ({ trackFundLineage, identityId }: NewBalance): string | null =>
  trackFundLineage && identityId === "" ? "is required with track_fund_lineage" : null;

function brokenIndicator({ indicator, ledgerId }: NewBalance): string | null {
  if (indicator === "") return null;
  if (ledgerId !== GENERAL_LEDGER_ID) {
    return `is only for balances of the General Ledger (ledger_id = ${GENERAL_LEDGER_ID})`;
  }
  if (!INDICATOR.test(indicator)) return "must start with '@' and hold no spaces, as in '@cash'";
  return tooLong(indicator, NAMED_MAX);
}
