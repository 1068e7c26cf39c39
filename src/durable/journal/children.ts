import {
  partialRefundReference,
  settlementReference,
  type TransactionId,
  transactionIdOf,
} from "../../domain/ids";
import type { Records } from "./records";
import type { Row } from "./row";

/**
 * The commit or void that an operation made under a hold before. What anybody posts under the reference of one is no child of
 * the hold.
 */
export const settledBy = (records: Records, { posting }: Row, key: string): Row | null =>
  records
    .childrenOf(posting.transactionId)
    .find(
      ({ posting: { kind }, operationKey }) =>
        (kind === "commit" || kind === "void") && operationKey === key,
    ) ?? null;

/** Names the child that an operation is to make under a record: by its key, or anew where somebody has that reference. */
export function namesIn(records: Records, instance: string) {
  const free = (key: string, reference: string): string =>
    records.find(transactionIdOf(instance, reference)) === null
      ? key
      : `${key}:${crypto.randomUUID()}`;
  return {
    settlement: (hold: TransactionId, key: string) => free(key, settlementReference(hold, key)),
    refund: (of: TransactionId, key: string) => free(key, partialRefundReference(of, key)),
  };
}
