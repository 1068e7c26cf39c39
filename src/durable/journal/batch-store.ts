import type { BatchId } from "../../domain/ids";
import type { Instant } from "../../domain/time";
import type { Posting } from "../../domain/transaction";
import { postingOf, postingText } from "./codec";
import type { BatchOptions, BatchStatus, ItemResult } from "./protocol";
import type { Decision } from "./row";

/** A batch as its shard keeps it. */
export interface Batch {
  readonly batchId: BatchId;
  readonly attempt: string;
  readonly createdAt: Instant;
  readonly operationKey: string;
  readonly fingerprint: string;
  /** How the instance's journal is cut: where its items live follows from it. */
  readonly shards: number;
  readonly options: BatchOptions;
  readonly count: number;
  status: BatchStatus;
  /** How many items have their result. */
  done: number;
  decision: (Decision & { readonly index?: number }) | null;
  /** Whether it has to be driven, and whether its end has to be announced. */
  work: number;
  endedAt: Instant | null;
}

/** One item of a batch, by its place from 1. */
export interface BatchItem {
  readonly sequence: number;
  readonly posting: Posting;
  readonly result: ItemResult | null;
}

/** The tables of batches: items are rows, because one value may have two megabytes at most. */
export const BATCH_TABLES = `
  CREATE TABLE batches (
    batch_id TEXT PRIMARY KEY,
    header TEXT NOT NULL,
    status TEXT NOT NULL,
    done INTEGER NOT NULL,
    decision TEXT,
    work INTEGER NOT NULL,
    ended_at TEXT
  ) WITHOUT ROWID;
  CREATE INDEX unsettled_batches ON batches (batch_id) WHERE work <> 0;
  CREATE TABLE batch_items (
    batch_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    posting TEXT NOT NULL,
    result TEXT,
    PRIMARY KEY (batch_id, sequence)
  ) WITHOUT ROWID;`;

/** The SQLite of batches. Synchronous; the journal's store has made the tables and holds the transaction. */
export class BatchStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(batchId: BatchId): Batch | null {
    const [row] = this.#sql.exec<BatchRow>("SELECT * FROM batches WHERE batch_id = ?", batchId);
    return row === undefined ? null : toBatch(row);
  }

  /** Batches with work left. */
  unsettled(limit: number): Batch[] {
    return this.#sql
      .exec<BatchRow>("SELECT * FROM batches WHERE work <> 0 LIMIT ?", limit)
      .toArray()
      .map(toBatch);
  }

  insert(batch: Batch, items: readonly Posting[]): void {
    const { status, done, decision, work, endedAt, ...header } = batch;
    this.#sql.exec(
      "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
      batch.batchId,
      JSON.stringify(header),
      status,
      done,
      decision === null ? null : JSON.stringify(decision),
      work,
      endedAt,
    );
    items.forEach((posting, index) => {
      this.#sql.exec(
        "INSERT INTO batch_items VALUES (?, ?, ?, NULL)",
        batch.batchId,
        index + 1,
        postingText(posting),
      );
    });
  }

  /** Writes what can change of a batch. */
  save({ batchId, status, done, decision, work, endedAt }: Batch): void {
    this.#sql.exec(
      `UPDATE batches SET status = ?, done = ?, decision = ?, work = ?, ended_at = ?
         WHERE batch_id = ?`,
      status,
      done,
      decision === null ? null : JSON.stringify(decision),
      work,
      endedAt,
      batchId,
    );
  }

  /** Items after a place, in order, at most `limit`. */
  items(batchId: BatchId, after: number, limit: number): BatchItem[] {
    return this.#sql
      .exec<{ sequence: number; posting: string; result: string | null }>(
        `SELECT sequence, posting, result FROM batch_items
           WHERE batch_id = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
        batchId,
        after,
        limit,
      )
      .toArray()
      .map(({ sequence, posting, result }) => ({
        sequence,
        posting: postingOf(posting),
        result: result === null ? null : JSON.parse(result),
      }));
  }

  saveResult(batchId: BatchId, sequence: number, result: ItemResult): void {
    this.#sql.exec(
      "UPDATE batch_items SET result = ? WHERE batch_id = ? AND sequence = ?",
      JSON.stringify(result),
      batchId,
      sequence,
    );
  }
}

type BatchRow = {
  header: string;
  status: BatchStatus;
  done: number;
  decision: string | null;
  work: number;
  ended_at: string | null;
};

const toBatch = ({ header, status, done, decision, work, ended_at }: BatchRow): Batch => ({
  ...JSON.parse(header),
  status,
  done,
  decision: decision === null ? null : JSON.parse(decision),
  work,
  endedAt: ended_at,
});
