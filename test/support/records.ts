import type { BalanceSnapshot } from "../../src/domain/balance-record";
import type { Transaction } from "../../src/domain/transaction";
import { postingFor, type Transfer } from "./postings";

/** When records of a test were made, unless it says otherwise. */
export const MADE_AT = "2030-02-03T04:05:06.000001Z";

/** An instance that no other test has. */
export const instanceOfATest = (): string => `test-${crypto.randomUUID()}`;

export const newBalanceId = () => `bln_${crypto.randomUUID()}` as const;

/** A transaction as the journal shows it: QUEUED, from the world, unless the changes say otherwise. */
export function transactionFor(
  instance: string,
  changes: Partial<Transaction> = {},
  transfer: Partial<Transfer> = {},
): Transaction {
  const posting = postingFor(instance, {
    reference: crypto.randomUUID(),
    from: "@world",
    to: newBalanceId(),
    amount: 100n,
    ...transfer,
  });
  return {
    ...posting,
    status: "QUEUED",
    createdAt: MADE_AT,
    effectiveDate: MADE_AT,
    inflightRemaining: null,
    rejectionReason: "",
    sourceVersion: null,
    destinationVersion: null,
    revision: 1,
    ...changes,
  };
}

/** A balance as its object shows it: new, unless the changes say otherwise. */
export const snapshotFor = (changes: Partial<BalanceSnapshot> = {}): BalanceSnapshot => ({
  balanceId: newBalanceId(),
  ledgerId: "ldg_of_a_test",
  identityId: "",
  currency: "USD",
  indicator: "",
  createdAt: MADE_AT,
  metaData: null,
  trackFundLineage: false,
  allocationStrategy: "FIFO",
  credit: 0n,
  debit: 0n,
  inflightCredit: 0n,
  inflightDebit: 0n,
  version: 1,
  profileVersion: 1,
  ...changes,
});
