import type { BalanceSnapshot } from "../../domain/balance-record";
import type { LedgerError } from "../../domain/error";
import type { BalanceId, TransactionId } from "../../domain/ids";
import type { TransactionStatus } from "../../domain/transaction";
import { hasSchema, type Migration, migrate } from "../migrate";
import { BATCH_SEALS, sealOlderBatches } from "./batch-seals";
import { BATCH_TABLES } from "./batch-store";
import { claimsOf, claimsText, outcomeOf, outcomeText, postingOf, postingText } from "./codec";
import { KEY_TABLES } from "./key-claims";
import { BALANCE_TABLES, MetBalances } from "./met-balances";
import { NUMBERED_ROWS, OpenRows, type StoredRow } from "./open-rows";
import type { Row } from "./row";

const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE transactions (
     transaction_id TEXT PRIMARY KEY,
     parent_transaction TEXT NOT NULL,
     posting TEXT NOT NULL,
     attempt TEXT NOT NULL,
     created_at TEXT NOT NULL,
     operation_key TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     status TEXT NOT NULL,
     meta_data TEXT,
     revision INTEGER NOT NULL,
     work INTEGER NOT NULL,
     outcome TEXT,
     rejection_reason TEXT NOT NULL,
     due_ms INTEGER NOT NULL,
     claims TEXT,
     coordinator INTEGER,
     decision TEXT
   ) WITHOUT ROWID;
   CREATE INDEX unsettled ON transactions (due_ms) WHERE work <> 0;
   CREATE INDEX children ON transactions (parent_transaction) WHERE parent_transaction <> '';
   ${BALANCE_TABLES}
   CREATE TABLE answers (
     key TEXT PRIMARY KEY,
     answer TEXT NOT NULL,
     at INTEGER NOT NULL
   ) WITHOUT ROWID;
   ${BATCH_TABLES}
   ${KEY_TABLES}`,
  NUMBERED_ROWS,
  BATCH_SEALS,
  sealOlderBatches,
];

/** How a hold stood at a moment. */
export interface HoldShown {
  readonly status: TransactionStatus;
  /** Minor units that were not settled, as decimal text; null while it was QUEUED. */
  readonly remaining: string | null;
  readonly metaData: string | null;
}

/** What a client's key was answered, when that cannot be read from a record. */
type KeptAnswer = { readonly refused?: LedgerError; readonly hold?: HoldShown };

/** The SQLite of one shard. Synchronous: callers group writes in `transaction`. */
export class JournalStore {
  readonly #storage: DurableObjectStorage;
  /** Where the rows with work left are found. */
  readonly open: OpenRows;
  /** Balances that this shard met. */
  readonly balances: MetBalances;
  #hasSchema: boolean;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.open = new OpenRows(storage);
    this.balances = new MetBalances(storage.sql, {
      ensure: () => this.#ensureSchema(),
      isThere: () => this.#hasSchema,
    });
    this.#hasSchema = hasSchema(storage);
    if (!this.#hasSchema) return;
    migrate(storage, MIGRATIONS);
    this.open.load();
  }

  /** Whether anything was ever stored here. */
  get isUsed(): boolean {
    return this.#hasSchema;
  }

  /** The same database, for the tables of others. */
  get sql(): SqlStorage {
    return this.#storage.sql;
  }

  /** Runs writes that belong together: all of them or none. */
  transaction<T>(work: () => T): T {
    this.#ensureSchema();
    return this.#storage.transactionSync(work);
  }

  find(id: TransactionId): Row | null {
    const [row] = this.#select("WHERE transaction_id = ?", id);
    return row ?? null;
  }

  /** The records that follow from one, newest first. */
  childrenOf(id: string): Row[] {
    return this.#select(
      "WHERE parent_transaction = ? AND parent_transaction <> '' ORDER BY created_at DESC",
      id,
    );
  }

  /**
   * Rows with work left that are due by a moment, in pages of at most `limit`: those that wait, the most overdue first, then
   * the others as they came.
   */
  *unsettled(limit: number, dueByMs: number): Generator<Row[]> {
    if (!this.#hasSchema) return;
    for (const page of this.open.pages(limit, dueByMs)) yield page.map(toRow);
  }

  /** QUEUED rows on disk that were made before a moment, the oldest first. */
  queuedBefore(createdBefore: string, limit: number): Row[] {
    const older = "status = 'QUEUED' AND created_at < ? ORDER BY created_at LIMIT ?";
    return this.#selectOpen(older, createdBefore, limit)
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
      .slice(0, limit);
  }

  /** When the next row with work left is due; null when there is none. */
  nextDueMs(): number | null {
    return this.#hasSchema ? this.open.nextDueMs() : null;
  }

  /** QUEUED rows of a balance that are on disk; the places are those of the sides in a stored posting. */
  queuedOf(balanceId: BalanceId): Row[] {
    return this.#selectOpen(
      "status = 'QUEUED' AND (posting ->> '$[6].balanceId' = ? OR posting ->> '$[7].balanceId' = ?)",
      balanceId,
      balanceId,
    );
  }

  /** Rows with work left that are due before a moment, the most overdue first, as they are on disk. */
  due(beforeMs: number, limit: number): StoredRow[] {
    return this.open
      .select("due_ms < ? ORDER BY due_ms LIMIT ?", beforeMs, limit)
      .sort((a, b) => a.due_ms - b.due_ms)
      .slice(0, limit);
  }

  /** Some rows were settled. Every row with work left must be among the live ones, or on the list of those that wait. */
  settled(count: number, live: Iterable<Row>): void {
    this.open.settled(count, live);
  }

  /** Inserts one row, without a savepoint; false when its id is taken: to try costs less than to look first. */
  insertAlone(row: Row): boolean {
    this.#ensureSchema();
    return this.insert(row, "ON CONFLICT (transaction_id) DO NOTHING") > 0;
  }

  /** Inserts a row and answers how many were written, those of indexes too. Throws when its id is taken. */
  insert(row: Row, onConflict = ""): number {
    row.seq = this.open.nextSeq();
    const { rowsWritten } = this.#storage.sql.exec(
      `INSERT INTO transactions (seq, waits, transaction_id, parent_transaction, posting, attempt,
         created_at, operation_key, fingerprint, status, meta_data, revision, work, outcome,
         rejection_reason, due_ms, decision, claims, coordinator)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${onConflict}`,
      row.seq,
      row.status === "SCHEDULED" ? 1 : 0,
      row.posting.transactionId,
      row.posting.parentTransaction,
      postingText(row.posting),
      row.attempt,
      row.createdAt,
      row.operationKey,
      row.fingerprint,
      ...mutable(row),
      row.claims.length === 0 ? null : claimsText(row.claims),
      row.coordinator,
    );
    return rowsWritten;
  }

  /** Writes what can change of a row. With work left it waits from now on. */
  save(row: Row): void {
    this.#storage.sql.exec(
      `UPDATE transactions SET waits = ?, status = ?, meta_data = ?, revision = ?, work = ?,
         outcome = ?, rejection_reason = ?, due_ms = ?, decision = ? WHERE seq = ?`,
      row.work === 0 ? 0 : 1,
      ...mutable(row),
      row.seq,
    );
  }

  /**
   * Writes the end of rows that succeeded and have no work left: one statement for all, since each has its price. What else
   * can change of a row was written when it did.
   */
  saveEnds(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const ends = rows.map(({ seq, status, revision, outcome }) => [
      seq,
      status,
      revision,
      outcomeText(outcome),
    ]);
    this.#storage.sql.exec(
      `UPDATE transactions SET waits = 0, work = 0, status = ended.value ->> 1,
         revision = ended.value ->> 2, outcome = ended.value ->> 3
         FROM json_each(?) AS ended WHERE seq = ended.value ->> 0`,
      JSON.stringify(ends),
    );
  }

  /** Removes a refused synchronous record: its reference is free again, as on the reference server. */
  free(row: Row): void {
    this.#storage.sql.exec("DELETE FROM transactions WHERE seq = ?", row.seq);
  }

  /** The refusal that a key was answered with, if it was refused. */
  refusalOf(key: string): LedgerError | null {
    return this.#answerOf(key)?.refused ?? null;
  }

  /** Keeps a refusal for repeats of its key. */
  rememberRefusal(key: string, error: LedgerError, nowMs: number): void {
    this.#remember(key, { refused: error }, nowMs);
  }

  /** The hold that a key was answered with, when it asked for a settlement by the queue. */
  holdShown(key: string): HoldShown | null {
    return this.#answerOf(key)?.hold ?? null;
  }

  /** Keeps how a hold stood when its settlement by the queue was answered. */
  rememberHold(key: string, hold: HoldShown, nowMs: number): void {
    this.#remember(key, { hold }, nowMs);
  }

  #answerOf(key: string): KeptAnswer | null {
    if (!this.#hasSchema) return null;
    const [row] = this.#storage.sql.exec<{ answer: string }>(
      "SELECT answer FROM answers WHERE key = ?",
      key,
    );
    return row === undefined ? null : JSON.parse(row.answer);
  }

  #remember(key: string, answer: KeptAnswer, nowMs: number): void {
    this.#storage.sql.exec(
      "INSERT OR IGNORE INTO answers VALUES (?, ?, ?)",
      key,
      JSON.stringify(answer),
      nowMs,
    );
  }

  #select(where: string, ...values: (string | number)[]): Row[] {
    if (!this.#hasSchema) return [];
    return this.#storage.sql
      .exec<StoredRow>(`SELECT * FROM transactions ${where}`, ...values)
      .toArray()
      .map(toRow);
  }

  #selectOpen(where: string, ...values: (string | number)[]): Row[] {
    return this.#hasSchema ? this.open.select(where, ...values).map(toRow) : [];
  }

  #ensureSchema(): void {
    if (this.#hasSchema) return;
    migrate(this.#storage, MIGRATIONS);
    this.open.load();
    this.#hasSchema = true;
  }
}

/** The row that was stored. Throws when it makes no sense. */
export const toRow = (stored: StoredRow): Row => ({
  seq: stored.seq,
  posting: postingOf(stored.posting),
  attempt: stored.attempt,
  createdAt: stored.created_at,
  operationKey: stored.operation_key,
  fingerprint: stored.fingerprint,
  claims: stored.claims === null ? [] : claimsOf(stored.claims),
  coordinator: stored.coordinator,
  decision: stored.decision === null ? null : JSON.parse(stored.decision),
  status: stored.status,
  metaData: stored.meta_data,
  revision: stored.revision,
  work: stored.work,
  outcome: outcomeOf(stored.outcome),
  rejectionReason: stored.rejection_reason,
  dueMs: stored.due_ms,
  doubt: true,
});

const mutable = (row: Row) =>
  [
    row.status,
    row.metaData,
    row.revision,
    row.work,
    outcomeText(row.outcome),
    row.rejectionReason,
    row.dueMs,
    row.decision === null ? null : JSON.stringify(row.decision),
  ] as const;

/**
 * Whether the first of two snapshots of one balance is the newer: they can arrive in any order.
 * Every change raises one of the two versions by one.
 */
export const isNewer = (a: BalanceSnapshot, b: BalanceSnapshot): boolean =>
  a.version + a.profileVersion > b.version + b.profileVersion;
