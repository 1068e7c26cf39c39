import { sortableDecimal, toMajorUnits } from "../domain/amount";
import { settled } from "../domain/balance";
import type { BalanceSnapshot } from "../domain/balance-record";
import { stringifyJson } from "../domain/json";
import { shownMetaData } from "../domain/shown-metadata";
import type { Transaction } from "../domain/transaction";
import { storedAmount } from "./amount-column";
import { overdraftText } from "./transaction-row";

/** What a row is made of: nothing that JSON could bend. Amounts are text. */
type Value = string | number | null;

/** By column name. */
type Values = Readonly<Record<string, Value>>;

/** A parameter may be two million bytes; a row that is longer than this by itself still goes, alone. */
const CHUNK_BYTES_MAX = 1_000_000;

/**
 * Writes transactions and balances of one instance to D1, all or nothing. Whatever the order in which batches arrive, a row
 * only ever moves forward: a transaction by its revision, the amounts of a balance by its version, the rest of it by
 * its profile's version. One statement writes many rows, and a row that did not change its state is not written.
 */
export async function projectBatch(
  db: D1Database,
  instance: string,
  batch: {
    readonly transactions: readonly Transaction[];
    readonly balances: readonly BalanceSnapshot[];
  },
): Promise<void> {
  const statements = [
    ...chunksOf(
      batch.transactions.map((transaction) => transactionValues(instance, transaction)),
    ).map((rows) => db.prepare(transactionsSql(rows.columns)).bind(rows.json)),
    ...chunksOf(batch.balances.map((balance) => balanceValues(instance, balance))).map((rows) =>
      db.prepare(balancesSql(rows.columns)).bind(rows.json),
    ),
  ];
  if (statements.length > 0) await db.batch(statements);
}

/** Rows as one JSON list of lists, in as few texts as their length allows. */
function chunksOf(
  rows: readonly Values[],
): { readonly columns: readonly string[]; readonly json: string }[] {
  const columns = Object.keys(rows[0] ?? {});
  const chunks: string[][] = [];
  let bytesLeft = 0;
  for (const row of rows) {
    const text = JSON.stringify(columns.map((column) => row[column]));
    const bytes = new TextEncoder().encode(text).length;
    const last = chunks.at(-1);
    if (last === undefined || bytes > bytesLeft) {
      chunks.push([text]);
      bytesLeft = CHUNK_BYTES_MAX - bytes;
    } else {
      last.push(text);
      bytesLeft -= bytes;
    }
  }
  return chunks.map((texts) => ({ columns, json: `[${texts.join(",")}]` }));
}

/** `WHERE true` tells the parser that `ON CONFLICT` belongs to the insert. */
const insertSql = (table: string, columns: readonly string[]): string => {
  const values = columns.map((_, index) => `json_extract(value, '$[${index}]')`);
  return `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM json_each(?) WHERE true`;
};

/** What a posting says never changes: only its state does, and its metadata. */
const TRANSACTION_CHANGES = [
  "status",
  "inflight_remaining",
  "meta_data",
  "shown_meta_data",
  "rejection_reason",
  "source_version",
  "destination_version",
  "revision",
];

const transactionsSql = (columns: readonly string[]): string => {
  const changes = TRANSACTION_CHANGES.map((column) => `${column} = excluded.${column}`);
  return `${insertSql("transactions", columns)}
    ON CONFLICT (instance_id, transaction_id) DO UPDATE SET ${changes.join(", ")}
    WHERE excluded.revision > transactions.revision`;
};

const AMOUNT_CHANGES = [
  "balance",
  "credit_balance",
  "debit_balance",
  "inflight_balance",
  "inflight_credit_balance",
  "inflight_debit_balance",
  "version",
];

const PROFILE_CHANGES = ["identity_id", "meta_data", "profile_version"];

const balancesSql = (columns: readonly string[]): string => {
  const newer = (version: string) => (column: string) =>
    `${column} = CASE WHEN excluded.${version} > balances.${version} THEN excluded.${column} ELSE balances.${column} END`;
  const changes = [
    ...AMOUNT_CHANGES.map(newer("version")),
    ...PROFILE_CHANGES.map(newer("profile_version")),
  ];
  return `${insertSql("balances", columns)}
    ON CONFLICT (instance_id, balance_id) DO UPDATE SET ${changes.join(", ")}
    WHERE excluded.version > balances.version OR excluded.profile_version > balances.profile_version`;
};

function balanceValues(instance: string, balance: BalanceSnapshot): Values {
  return {
    instance_id: instance,
    balance_id: balance.balanceId,
    ledger_id: balance.ledgerId,
    identity_id: balance.identityId === "" ? null : balance.identityId,
    indicator: balance.indicator === "" ? null : balance.indicator,
    currency: balance.currency,
    created_at: balance.createdAt,
    meta_data: balance.metaData,
    track_fund_lineage: balance.trackFundLineage ? 1 : 0,
    allocation_strategy: balance.allocationStrategy,
    balance: storedAmount(settled(balance)),
    credit_balance: storedAmount(balance.credit),
    debit_balance: storedAmount(balance.debit),
    inflight_balance: storedAmount(balance.inflightCredit - balance.inflightDebit),
    inflight_credit_balance: storedAmount(balance.inflightCredit),
    inflight_debit_balance: storedAmount(balance.inflightDebit),
    version: balance.version,
    profile_version: balance.profileVersion,
  };
}

function transactionValues(instance: string, transaction: Transaction): Values {
  const { source, destination, preciseAmount, precision, metaData } = transaction;
  return {
    instance_id: instance,
    transaction_id: transaction.transactionId,
    kind: transaction.kind,
    parent_transaction: transaction.parentTransaction,
    status: transaction.status,
    reference: transaction.reference,
    currency: transaction.currency,
    description: transaction.description,
    source: source.balanceId,
    source_indicator: source.indicator,
    destination: destination.balanceId,
    destination_indicator: destination.indicator,
    precise_amount: storedAmount(preciseAmount),
    precision: storedAmount(precision),
    amount: sortableDecimal(toMajorUnits(preciseAmount, precision)),
    posted_amount: transaction.amount,
    amount_string: transaction.amountString,
    inflight_remaining:
      transaction.inflightRemaining === null ? null : storedAmount(transaction.inflightRemaining),
    overdraft: overdraftText(transaction.overdraft),
    allow_overdraft: transaction.allowOverdraft ? 1 : 0,
    overdraft_limit: transaction.overdraftLimit,
    inflight: transaction.inflight ? 1 : 0,
    skip_queue: transaction.skipQueue ? 1 : 0,
    atomic: transaction.atomic ? 1 : 0,
    scheduled_for: transaction.scheduledFor,
    inflight_expiry_date: transaction.inflightExpiryDate,
    inflight_commit_date: transaction.inflightCommitDate,
    created_at: transaction.createdAt,
    effective_date: transaction.effectiveDate,
    hash: transaction.hash,
    meta_data: metaData,
    shown_meta_data: shownText(transaction),
    rejection_reason: transaction.rejectionReason,
    source_version: transaction.sourceVersion,
    destination_version: transaction.destinationVersion,
    revision: transaction.revision,
  };
}

/** The metadata that filters look at, unless it is the client's own. `inflight` is asked for, so the fullest view is it. */
function shownText(transaction: Transaction): string | null {
  const shown = shownMetaData(transaction, "event");
  if (shown === undefined) return null;
  const text = stringifyJson(shown);
  return text === transaction.metaData ? null : text;
}
