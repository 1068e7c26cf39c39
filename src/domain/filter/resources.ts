import {
  balanceFields,
  type FieldKind,
  identityFields,
  ledgerFields,
  transactionFields,
} from "./fields";

/** How many rows a list answers. */
export interface LimitRule {
  /** Without `limit`. */
  readonly usual: number;
  readonly max: number;
  /** What a `limit` above the maximum becomes. */
  readonly over: number;
}

/** A list that clients can ask: its fields, and the bounds that the contract gives it (section 1.10). */
export interface ListedResource {
  /** As refusals name it. */
  readonly table: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
  readonly whole: LimitRule;
  readonly filtered: LimitRule;
  /** Whether a limit or offset that is no such number is refused, or taken for none. */
  readonly badLimit: "refused" | "usual";
  /** Parameters that a list takes without effect, because clients send them. */
  readonly withoutEffect: readonly string[];
}

const TWENTY_OF_HUNDRED: LimitRule = { usual: 20, max: 100, over: 20 };

/** Of every `POST /<resource>/filter`. */
export const FILTER_BODY_LIMIT = TWENTY_OF_HUNDRED;

const LEDGER_LIMIT: LimitRule = { usual: 10, max: 100, over: 20 };
const BALANCE_LIMIT: LimitRule = { usual: 10, max: 1000, over: 1000 };
const TRANSACTION_LIMIT: LimitRule = { usual: 20, max: 1000, over: 1000 };

export const ledgerList: ListedResource = {
  table: "ledgers",
  fields: ledgerFields,
  whole: LEDGER_LIMIT,
  filtered: LEDGER_LIMIT,
  badLimit: "refused",
  withoutEffect: [],
};

export const balanceList: ListedResource = {
  table: "balances",
  fields: balanceFields,
  whole: BALANCE_LIMIT,
  filtered: BALANCE_LIMIT,
  badLimit: "refused",
  withoutEffect: ["include", "with_queued", "from_source"],
};

export const identityList: ListedResource = {
  table: "identity",
  fields: identityFields,
  // A client that asks for no limit must get every identity: a thousand at a time.
  whole: { usual: 1000, max: 1000, over: 1000 },
  filtered: TWENTY_OF_HUNDRED,
  badLimit: "usual",
  withoutEffect: [],
};

export const transactionList: ListedResource = {
  table: "transactions",
  fields: transactionFields,
  whole: TRANSACTION_LIMIT,
  filtered: TRANSACTION_LIMIT,
  badLimit: "usual",
  withoutEffect: [],
};
