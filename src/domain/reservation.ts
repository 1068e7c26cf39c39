import { type Amounts, available, type Change, checkFunds } from "./balance";
import type { LedgerError } from "./error";
import { err, ok, type Result } from "./result";

/** Which change of a reservation is refused, and why. */
export interface ReservationRefusal {
  readonly index: number;
  readonly error: LedgerError;
}

/**
 * What a balance must keep back so that all these changes can follow in order: the deepest that they draw it
 * below what it has. Every prefix is checked, each change by its own overdraft rule. Credits that are applied
 * count for the changes after them; credits that are only held do not.
 *
 * @param reserved minor units that other reservations keep back already
 */
export function deficitOf(
  amounts: Amounts,
  reserved: bigint,
  changes: readonly Change[],
): Result<bigint, ReservationRefusal> {
  const spendable = available(amounts) - reserved;
  let drawn = 0n;
  let deepest = 0n;
  for (const [index, change] of changes.entries()) {
    if (change.side === "destination") {
      if (change.action === "apply") drawn += change.amount;
      continue;
    }
    const error = checkFunds(spendable + drawn, change.amount, change.overdraft);
    if (error !== null) return err({ index, error });
    drawn -= change.amount;
    if (drawn < deepest) deepest = drawn;
  }
  return ok(-deepest);
}
