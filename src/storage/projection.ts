import { sortableDecimal, toMajorUnits } from "../domain/amount";
import { settled } from "../domain/balance";
import type { BalanceSnapshot } from "../domain/balance-record";
import { stringifyJson } from "../domain/json";
import { overdraftText } from "../domain/seal";
import { shownMetaData } from "../domain/shown-metadata";
import type { Transaction } from "../domain/transaction";
import { storedAmount } from "./amount-column";

/** What a row is made of: nothing that JSON could bend. Amounts are text. */
export type Value = string | number | null;

/** By column name. */
export type Values = Readonly<Record<string, Value>>;

/** A parameter may be two million bytes, and a character three; a row that is longer than this still goes, alone. */
const CHUNK_LENGTH_MAX = 500_000;

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
  const transactions = batch.transactions.map((each) => transactionValues(instance, each));
  const balances = batch.balances.map((each) => balanceValues(instance, each));
  const statements = [
    ...insertions(db, "transactions", transactions, TRANSACTION_CONFLICT),
    ...insertions(db, "balances", balances, BALANCE_CONFLICT),
  ];
  if (statements.length > 0) await db.batch(statements);
}

/**
 * Rows as statements of a JSON list of lists each. To take a value out of such a list is what costs most, so what is the
 * same in all rows, as most of a plain transfer is, is bound once.
 */
export function insertions(
  db: D1Database,
  table: string,
  rows: readonly Values[],
  onConflict: string,
): D1PreparedStatement[] {
  const [first = {}, ...others] = rows;
  const columns = Object.keys(first);
  const isShared = (column: string) => others.every((row) => row[column] === first[column]);
  const [shared, own] = [columns.filter(isShared), columns.filter((column) => !isShared(column))];
  const values = [
    ...shared.map(() => "?"),
    ...own.map((_, at) => `json_extract(value, '$[${at}]')`),
  ];
  // `WHERE true` tells the parser that `ON CONFLICT` belongs to the insert.
  const statement = db.prepare(
    `INSERT INTO ${table} (${[...shared, ...own].join(", ")})
       SELECT ${values.join(", ")} FROM json_each(?) WHERE true ${onConflict}`,
  );
  const constants = shared.map((column) => first[column]);
  const texts = rows.map((row) => JSON.stringify(own.map((column) => row[column])));
  return chunksOf(texts).map((json) => statement.bind(...constants, json));
}

/** Texts as JSON lists of them, as few as their length allows. */
function chunksOf(texts: readonly string[]): string[] {
  const chunks: string[][] = [];
  let lengthLeft = 0;
  for (const text of texts) {
    const last = chunks.at(-1);
    if (last === undefined || text.length > lengthLeft) {
      chunks.push([text]);
      lengthLeft = CHUNK_LENGTH_MAX - text.length;
    } else {
      last.push(text);
      lengthLeft -= text.length;
    }
  }
  return chunks.map((each) => `[${each.join(",")}]`);
}

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

const TRANSACTION_CONFLICT = `ON CONFLICT (instance_id, created_at, transaction_id)
  DO UPDATE SET ${TRANSACTION_CHANGES.map((column) => `${column} = excluded.${column}`).join(", ")}
  WHERE excluded.revision > transactions.revision`;

/** The columns of a balance that follow its money, as one. */
export const AMOUNT_COLUMNS = [
  "balance",
  "credit_balance",
  "debit_balance",
  "inflight_balance",
  "inflight_credit_balance",
  "inflight_debit_balance",
  "version",
];

/** Those that follow its profile. */
export const PROFILE_COLUMNS = ["identity_id", "meta_data", "profile_version"];

const ifNewer = (version: string) => (column: string) =>
  `${column} = CASE WHEN excluded.${version} > balances.${version} THEN excluded.${column} ELSE balances.${column} END`;

const BALANCE_CONFLICT = `ON CONFLICT (instance_id, balance_id) DO UPDATE SET ${[
  ...AMOUNT_COLUMNS.map(ifNewer("version")),
  ...PROFILE_COLUMNS.map(ifNewer("profile_version")),
].join(", ")}
  WHERE excluded.version > balances.version OR excluded.profile_version > balances.profile_version`;

/** The row of a balance. */
export function balanceValues(instance: string, balance: BalanceSnapshot): Values {
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

/** The row of a transaction. */
export function transactionValues(instance: string, transaction: Transaction): Values {
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
