import type { Change } from "./balance";
import { type LedgerError, refusal } from "./error";
import { isBalanceId } from "./ids";
import { actionOf } from "./saga";
import type { Posting } from "./transaction";

/** What a posting does to the balance on one of its sides. */
export const changeOf = (posting: Posting, side: Change["side"]): Change => ({
  side,
  action: actionOf(posting),
  amount: posting.preciseAmount,
  overdraft: posting.overdraft,
});

/** Why a posting can never move money, whatever its balances hold; null when it may. */
export function hopeless({ preciseAmount, source, destination }: Posting): LedgerError | null {
  if (preciseAmount <= 0n) {
    return refusal("TXN_VALIDATION_ERROR", "the amount must be positive in minor units");
  }
  if (source.balanceId === destination.balanceId) {
    return refusal("TXN_VALIDATION_ERROR", "source and destination are the same balance");
  }
  for (const { balanceId } of [source, destination]) {
    if (!isBalanceId(balanceId)) return unknownBalance(balanceId);
  }
  return null;
}

/** There is no such balance: on transaction routes it has the code of a transaction (contract/transactions.md section 14.3). */
export const unknownBalance = (balanceId: string): LedgerError =>
  refusal("TXN_NOT_FOUND", `there is no balance ${balanceId}`);

/** Both balances must be in the transaction's currency (an intended difference from Blnk). */
export const currencyMismatch = (balanceId: string, held: string, asked: string): LedgerError =>
  refusal(
    "TXN_VALIDATION_ERROR",
    `balance ${balanceId} is in ${held}, the transaction is in ${asked}`,
  );

/** The reference was used before, by the transaction that is named. */
export const referenceUsed = (reference: string, takenBy: string): LedgerError =>
  refusal("TXN_DUPLICATE_REFERENCE", `reference ${reference} has been used before`, {
    transaction_id: takenBy,
  });
