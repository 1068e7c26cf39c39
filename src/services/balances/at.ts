import type { BalanceAt } from "../../domain/balance-record";
import { refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import { parseInstant, ZERO_TIME } from "../../domain/time";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { balanceNotFound } from "./read";

/**
 * What had settled of a balance by a moment: every applied transaction whose effective date is not after it, also one
 * that was dated back later. Zeros before its first; `BAL_INVALID_TIMESTAMP`, `GEN_BAD_REQUEST` for the zero time and
 * `BAL_NOT_FOUND` (contract/core.md section 3.5).
 *
 * @param timestamp RFC 3339 with its offset; undefined is now
 */
export async function balanceAt(
  ctx: LedgerContext,
  { id, timestamp }: { readonly id: string; readonly timestamp: string | undefined },
): Promise<Result<BalanceAt>> {
  const moment = timestamp === undefined ? ctx.now() : parseInstant(timestamp);
  if (moment === null) {
    return err(refusal("BAL_INVALID_TIMESTAMP", "timestamp must be like 2031-04-05T10:00:00Z"));
  }
  if (moment === parseInstant(ZERO_TIME)) {
    return err(refusal("GEN_BAD_REQUEST", "timestamp must not be the zero time"));
  }
  if (!isBalanceId(id)) return err(balanceNotFound(id));
  const read = await outcomeOf(ctx.journal.balanceAt(id, moment));
  if (!read.ok) return read;
  return read.value === null ? err(balanceNotFound(id)) : ok(read.value);
}
