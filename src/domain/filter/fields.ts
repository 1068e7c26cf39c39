/**
 * How a field is compared. Whatever its kind, what is stored and what is asked for are brought into a form that
 * sorts as text, so amounts of any size and instants compare exactly.
 */
export type FieldKind =
  /** Text as it is: never read as a number (`0077` is not `77`). */
  | "text"
  /** A decimal of any size, in minor or major units. */
  | "amount"
  | "instant"
  /** A JSON column: only `isnull` and `isnotnull`; its keys are asked for as `meta_data.<key>`. */
  | "json"
  /** `balance_id` of a transaction: its source or its destination. */
  | "side"
  /** `indicator` of a transaction: that of either side's balance. */
  | "side-indicator";

type Fields = Readonly<Record<string, FieldKind>>;

/** What ledgers can be filtered and sorted by (contract/core.md section 10.1). */
export const ledgerFields = {
  ledger_id: "text",
  name: "text",
  created_at: "instant",
  meta_data: "json",
} as const satisfies Fields;

/** What balances can be filtered and sorted by. Amounts are in minor units. */
export const balanceFields = {
  balance_id: "text",
  ledger_id: "text",
  identity_id: "text",
  indicator: "text",
  currency: "text",
  balance: "amount",
  credit_balance: "amount",
  debit_balance: "amount",
  inflight_balance: "amount",
  inflight_credit_balance: "amount",
  inflight_debit_balance: "amount",
  created_at: "instant",
  meta_data: "json",
} as const satisfies Fields;

/** What identities can be filtered and sorted by. */
export const identityFields = {
  identity_id: "text",
  identity_type: "text",
  first_name: "text",
  last_name: "text",
  other_names: "text",
  gender: "text",
  dob: "instant",
  email_address: "text",
  phone_number: "text",
  nationality: "text",
  street: "text",
  country: "text",
  state: "text",
  organization_name: "text",
  category: "text",
  post_code: "text",
  city: "text",
  created_at: "instant",
  meta_data: "json",
} as const satisfies Fields;

/**
 * What transactions can be filtered and sorted by. `amount` is in major units; `precise_amount` and
 * `inflight_remaining`, in minor units, are beyond Blnk.
 */
export const transactionFields = {
  transaction_id: "text",
  parent_transaction: "text",
  amount: "amount",
  precise_amount: "amount",
  inflight_remaining: "amount",
  currency: "text",
  source: "text",
  destination: "text",
  reference: "text",
  status: "text",
  created_at: "instant",
  effective_date: "instant",
  description: "text",
  precision: "amount",
  meta_data: "json",
  balance_id: "side",
  indicator: "side-indicator",
} as const satisfies Fields;
