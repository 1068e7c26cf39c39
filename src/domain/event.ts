/** The events that receivers can get (contract/core.md section 8.1, contract/transactions.md section 15). */
export const EVENT_NAMES = [
  "ledger.created",
  "identity.created",
  "balance.created",
  "transaction.applied",
  "transaction.inflight",
  "transaction.void",
  "transaction.rejected",
  "bulk_transaction.applied",
  "bulk_transaction.inflight",
  "bulk_transaction.failed",
] as const;

export type EventName = (typeof EVENT_NAMES)[number];

/**
 * An event on its way to receivers. `id` never changes, whatever is sent again; `body` is the exact
 * JSON text `{"id","event","data",…}` that every receiver gets.
 */
export interface LedgerEvent {
  readonly id: string;
  readonly event: EventName;
  readonly body: string;
}
