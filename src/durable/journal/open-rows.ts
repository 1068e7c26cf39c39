import type { Row, RowStatus } from "./row";

/** The mark is moved once for so many rows: a restart looks through about as many settled ones, and writes are few. */
const STRIDE = 256;
/** A row that so many younger ones were settled before is put on the list, so that it does not hold up the mark. */
const LAG_MAX = 20_000;

/** Earlier than any moment that a date can name, in milliseconds since 1970. */
const BEFORE_ALL_MS = Number.MIN_SAFE_INTEGER;

/**
 * Rows are numbered as they come, and lie on disk in that order: what is written together lies together. Of those with work
 * left, the list has the ones that wait: for their time, or for another round.
 */
export const NUMBERED_ROWS = `
  ALTER TABLE transactions RENAME TO unnumbered;
  CREATE TABLE transactions (
    seq INTEGER PRIMARY KEY,
    waits INTEGER NOT NULL,
    transaction_id TEXT NOT NULL UNIQUE,
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
  );
  INSERT INTO transactions
    SELECT NULL, work <> 0, transaction_id, parent_transaction, posting, attempt, created_at,
      operation_key, fingerprint, status, meta_data, revision, work, outcome, rejection_reason,
      due_ms, claims, coordinator, decision FROM unnumbered ORDER BY created_at;
  DROP TABLE unnumbered;
  CREATE INDEX waiting ON transactions (due_ms, transaction_id) WHERE waits = 1;
  CREATE INDEX children ON transactions (parent_transaction) WHERE parent_transaction <> '';
  CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL);
  INSERT INTO mark SELECT 1, coalesce(max(seq), 0) + 1 FROM transactions;`;

/** A row as it is on disk. */
export type StoredRow = {
  seq: number;
  waits: number;
  transaction_id: string;
  parent_transaction: string;
  posting: string;
  attempt: string;
  created_at: string;
  operation_key: string;
  fingerprint: string;
  status: RowStatus;
  meta_data: string | null;
  revision: number;
  work: number;
  outcome: string | null;
  rejection_reason: string;
  due_ms: number;
  claims: string | null;
  coordinator: number | null;
  decision: string | null;
};

/**
 * Finds the rows with work left without an index of them all, which would be a row more to write for each: nearly every row
 * is settled soon after it came. Before the mark all are settled or on the list of those that wait; after it they are looked
 * through.
 */
export class OpenRows {
  readonly #storage: DurableObjectStorage;
  /** Rows that are on the list on disk although they are looked after in memory. */
  readonly #listed = new WeakSet<Row>();
  #next = 1;
  #mark = 1;
  #settled = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Reads where the numbers and the mark stand, once the tables are there. */
  load(): void {
    const [row] = this.#storage.sql.exec<{ next: number; mark: number }>(
      `SELECT coalesce((SELECT max(seq) FROM transactions), 0) + 1 AS next,
         (SELECT seq FROM mark) AS mark`,
    );
    this.#next = Math.max(row?.next ?? 1, row?.mark ?? 1);
    this.#mark = row?.mark ?? 1;
  }

  /** The number of a new row. */
  nextSeq(): number {
    const seq = this.#next;
    this.#next += 1;
    return seq;
  }

  /** Rows with work left on which a condition holds; `ORDER BY` and `LIMIT` are each half's own. */
  select(where: string, ...values: (string | number)[]): StoredRow[] {
    return [
      ...this.#rows(`waits = 1 AND ${where}`, ...values),
      ...this.#rows(`seq >= ? AND waits = 0 AND work <> 0 AND ${where}`, this.#mark, ...values),
    ];
  }

  /** Whether a row has work left and is found neither on the list nor after the mark: nothing of this version leaves it so. */
  isForgotten({ seq, waits, work }: StoredRow): boolean {
    return work !== 0 && waits !== 1 && seq < this.#mark;
  }

  /** Whether the mark on disk is where this life of the shard put it. */
  get isMarkSound(): boolean {
    const marks = this.#storage.sql.exec<{ seq: number }>("SELECT seq FROM mark").toArray();
    return marks.length === 1 && marks[0]?.seq === this.#mark;
  }

  /** Those that are due by a moment, page by page: who waits, the most overdue first; then the others as they came. */
  *pages(limit: number, dueByMs: number): Generator<StoredRow[]> {
    let last: StoredRow | undefined;
    do {
      const page = this.#rows(
        `waits = 1 AND due_ms <= ? AND (due_ms, transaction_id) > (?, ?)
           ORDER BY due_ms, transaction_id LIMIT ?`,
        dueByMs,
        last?.due_ms ?? BEFORE_ALL_MS,
        last?.transaction_id ?? "",
        limit,
      );
      last = page.length < limit ? undefined : page.at(-1);
      if (page.length > 0) yield page;
    } while (last !== undefined);
    let from = this.#mark;
    for (;;) {
      const page = this.#rows(
        "seq >= ? AND waits = 0 AND work <> 0 AND due_ms <= ? ORDER BY seq LIMIT ?",
        from,
        dueByMs,
        limit,
      );
      if (page.length > 0) yield page;
      if (page.length < limit) return;
      from = (page.at(-1)?.seq ?? 0) + 1;
    }
  }

  /** When the next of them is due; null when there is none. */
  nextDueMs(): number | null {
    const [row] = this.#storage.sql.exec<{ due: number | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(due_ms) AS due FROM transactions WHERE waits = 1
         UNION ALL SELECT min(due_ms) FROM transactions WHERE seq >= ? AND waits = 0 AND work <> 0)`,
      this.#mark,
    );
    return row?.due ?? null;
  }

  /**
   * Some rows were settled: now and then the mark moves up to the oldest of the rows that are looked after, and one that
   * stays far behind is put on the list. Every row with work left must be among the live ones, or on the list already.
   */
  settled(count: number, live: Iterable<Row>): void {
    this.#settled += count;
    if (this.#settled < STRIDE) return;
    this.#settled = 0;
    const late: Row[] = [];
    let mark = this.#next;
    for (const row of live) {
      if (this.#listed.has(row)) continue;
      if (row.seq < this.#next - LAG_MAX) late.push(row);
      else mark = Math.min(mark, row.seq);
    }
    if (mark <= this.#mark) return;
    this.#storage.transactionSync(() => this.#move(mark, late));
    for (const row of late) this.#listed.add(row);
    this.#mark = mark;
  }

  #move(mark: number, late: readonly Row[]): void {
    const { sql } = this.#storage;
    for (const { seq } of late) {
      sql.exec("UPDATE transactions SET waits = 1 WHERE seq = ? AND work <> 0", seq);
    }
    sql.exec("UPDATE mark SET seq = ?", mark);
  }

  #rows(where: string, ...values: (string | number)[]): StoredRow[] {
    return this.#storage.sql
      .exec<StoredRow>(`SELECT * FROM transactions WHERE ${where}`, ...values)
      .toArray();
  }
}
