import { type LedgerError, refusal } from "../../domain/error";
import { isBalanceId } from "../../domain/ids";
import { actionOf } from "../../domain/saga";
import type { Posting } from "../../domain/transaction";
import type { MoneyOperation } from "../balance/protocol";
import type { Row } from "./row";

export type SideName = "source" | "destination";

/** What operations are made of: a row, or a member of a batch that has no row here. */
export type Moving = Pick<Row, "posting" | "attempt" | "createdAt">;

/** The id of a row's operation on one side: another life of its reference has another attempt. */
export const operationId = (row: Moving, side: SideName): string =>
  `${row.posting.transactionId}.${row.attempt}.${side}`;

/** What a row does to one of its balances. */
export function operationOf(row: Moving, side: SideName): MoneyOperation {
  const { posting } = row;
  return {
    kind: "change",
    op: operationId(row, side),
    side,
    action: actionOf(posting),
    amount: posting.preciseAmount,
    overdraft: posting.overdraft,
    transactionId: posting.transactionId,
    currency: posting.currency,
    effectiveDate: posting.effectiveDate ?? row.createdAt,
    indicator: posting[side].indicator,
  };
}

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

export const unknownBalance = (balanceId: string): LedgerError =>
  refusal("TXN_NOT_FOUND", `there is no balance ${balanceId}`);
