import { refusal } from "../../domain/error";
import { parseGoDuration, showGoDuration } from "../../domain/go-duration";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

const MILLISECOND = 1_000_000n;
const THRESHOLD_MIN = 120_000n * MILLISECOND;
/** Longer than any ledger is old, in milliseconds. */
const AGE_MAX_MS = 50n * 365n * 86_400_000n;

/** What a recovery did: how many records it found, and the threshold that was asked for, as Go shows it. */
export interface Recovery {
  readonly recovered: number;
  readonly threshold: string;
}

/**
 * Carries out transactions that have been QUEUED for longer than a threshold, 100 at most; below two minutes it
 * counts as two minutes (contract/transactions.md section 4.4). `GEN_VALIDATION_ERROR` when it is no duration.
 */
export async function recoverTransactions(
  ctx: LedgerContext,
  { threshold }: { readonly threshold: string },
): Promise<Result<Recovery>> {
  const asked = parseGoDuration(threshold);
  if (asked === null) {
    const message = `threshold is no duration such as 2m or 1h30m: "${threshold}"`;
    return err(refusal("GEN_VALIDATION_ERROR", message));
  }
  const age = (asked < THRESHOLD_MIN ? THRESHOLD_MIN : asked) / MILLISECOND;
  const recovered = await outcomeOf(
    ctx.journal.recover(Number(age > AGE_MAX_MS ? AGE_MAX_MS : age)),
  );
  if (!recovered.ok) return recovered;
  return ok({ recovered: recovered.value, threshold: showGoDuration(asked) });
}
