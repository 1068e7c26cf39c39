import type { BatchOptions, BatchStatus } from "../../domain/batch";
import type { LedgerError } from "../../domain/error";
import type { BatchId, TransactionId } from "../../domain/ids";
import { type Instant, instantOfMicros, microsOf } from "../../domain/time";
import type { Posting } from "../../domain/transaction";
import { type BatchRow, batchColumns, batchSeal, itemSeal } from "./batch-seals";
import { pathOf, postingOf } from "./codec";
import { parcels } from "./parcels";
import type { Decision } from "./row";

/** A run of items that is carried out all or none: the whole of an atomic batch, or the next piece of another. */
export interface Step {
  /** The places of its items: after `from`, up to and with `to`. */
  readonly from: number;
  readonly to: number;
  /** Drawn for each step, so that what one reserved or claimed never meets the next. */
  readonly attempt: string;
  decision: StepDecision | null;
}

export type StepDecision =
  | Extract<Decision, { commit: true }>
  | (Extract<Decision, { commit: false }> & {
      /** Which of its items is the reason, from 0; -1 when none is. */
      readonly index: number;
    });

/** Why a batch failed. */
export interface BatchFailure {
  readonly error: LedgerError;
  /** The place of the item that is the reason, from 0; -1 when none is. */
  readonly index: number;
  readonly untold: boolean;
}

/** A batch as its shard keeps it. */
export interface Batch {
  readonly batchId: BatchId;
  readonly createdAt: Instant;
  readonly fingerprint: string;
  /** How the instance's journal is cut: where its items live follows from it. */
  readonly shards: number;
  readonly options: BatchOptions;
  readonly count: number;
  status: BatchStatus;
  /** How many items, from the first, are carried out or recorded. */
  done: number;
  /** The step under way. */
  step: Step | null;
  failure: BatchFailure | null;
  /** Whether it has to be driven, and whether its end has to be announced. */
  work: number;
  endedAt: Instant | null;
}

/** One item of a batch, by its place from 1. */
export interface BatchItem {
  readonly sequence: number;
  readonly posting: Posting;
}

/** An item as results are told of it: what it is, and why it failed by itself. */
export interface ItemRow {
  readonly sequence: number;
  readonly reference: string;
  readonly transactionId: TransactionId;
  readonly isScheduled: boolean;
  readonly error: LedgerError | null;
}

/** The tables of batches: items are rows, because one value may have two megabytes at most. */
export const BATCH_TABLES = `
  CREATE TABLE batches (
    batch_id TEXT PRIMARY KEY,
    header TEXT NOT NULL,
    status TEXT NOT NULL,
    done INTEGER NOT NULL,
    step TEXT,
    failure TEXT,
    work INTEGER NOT NULL,
    ended_at TEXT
  ) WITHOUT ROWID;
  CREATE INDEX unsettled_batches ON batches (batch_id) WHERE work <> 0;
  CREATE TABLE batch_items (
    batch_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    posting TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (batch_id, sequence)
  ) WITHOUT ROWID;
  CREATE TABLE staged_batches (batch_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;`;

/** The SQLite of batches. Synchronous; the journal's store has made the tables and holds the transaction. */
export class BatchStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(batchId: BatchId): Batch | null {
    const [row] = this.#sql.exec<ReadBatch>("SELECT * FROM batches WHERE batch_id = ?", batchId);
    return row === undefined ? null : toBatch(row);
  }

  /** Batches with work left. */
  unsettled(limit: number): Batch[] {
    return this.#sql
      .exec<ReadBatch>("SELECT * FROM batches WHERE work <> 0 LIMIT ?", limit)
      .toArray()
      .map(toBatch);
  }

  /** Keeps items of a batch that is still being sent, postings as texts, the first of them at the place after `after`. */
  stage(batchId: BatchId, after: number, postings: readonly string[], nowMs: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO staged_batches VALUES (?, ?)", batchId, nowMs);
    postings.forEach((posting, index) => {
      const sequence = after + index + 1;
      this.#sql.exec(
        "INSERT OR IGNORE INTO batch_items VALUES (?, ?, ?, NULL, ?)",
        batchId,
        sequence,
        posting,
        itemSeal({ batch_id: batchId, sequence, posting, error: null }),
      );
    });
  }

  /** How many items of a batch are here. */
  staged(batchId: BatchId): number {
    const [row] = this.#sql.exec<{ items: number }>(
      "SELECT count(*) AS items FROM batch_items WHERE batch_id = ?",
      batchId,
    );
    return row?.items ?? 0;
  }

  /** Forgets items whose batch never came. */
  forgetStaged(beforeMs: number): void {
    this.#sql.exec(
      "DELETE FROM batch_items WHERE batch_id IN (SELECT batch_id FROM staged_batches WHERE at < ?)",
      beforeMs,
    );
    this.#sql.exec("DELETE FROM staged_batches WHERE at < ?", beforeMs);
  }

  /** Forgets the items of a batch that was not taken. */
  forgetStagedOf(batchId: BatchId): void {
    this.#sql.exec("DELETE FROM batch_items WHERE batch_id = ?", batchId);
    this.#sql.exec("DELETE FROM staged_batches WHERE batch_id = ?", batchId);
  }

  /** Adds a batch whose items are here. */
  insert(batch: Batch): void {
    const { status, done, step, failure, work, endedAt, ...header } = batch;
    const row = rowOf(
      batch,
      JSON.stringify({ ...header, sealsItems: this.#areSealed(batch.batchId) }),
    );
    this.#sql.exec("DELETE FROM staged_batches WHERE batch_id = ?", batch.batchId);
    this.#sql.exec(
      "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...batchColumns(row),
      batchSeal(row),
    );
  }

  /** Whether all items of a batch have seals: some may have come before there were any. */
  #areSealed(batchId: BatchId): boolean {
    const unsealed = "SELECT 1 FROM batch_items WHERE batch_id = ? AND seal = '' LIMIT 1";
    return this.#sql.exec(unsealed, batchId).toArray().length === 0;
  }

  /** Writes what can change of a batch. */
  save(batch: Batch): void {
    const { header } = this.#sql
      .exec<{ header: string }>("SELECT header FROM batches WHERE batch_id = ?", batch.batchId)
      .one();
    const row = rowOf(batch, header);
    this.#sql.exec(
      `UPDATE batches SET header = ?2, status = ?3, done = ?4, step = ?5, failure = ?6, work = ?7,
         ended_at = ?8, seal = ?9 WHERE batch_id = ?1`,
      ...batchColumns(row),
      batchSeal(row),
    );
  }

  /** The items after a place up to another, in order. */
  items(batchId: BatchId, after: number, upTo: number): BatchItem[] {
    return this.#postings(batchId, after, upTo)
      .toArray()
      .map(({ sequence, posting }) => ({ sequence, posting: postingOf(posting) }));
  }

  /** The items after a place that are carried out at once, in order, their postings as texts. */
  pieceAfter(batchId: BatchId, after: number): StoredPosting[] {
    const following = this.#postings(batchId, after, after + PIECE_MAX);
    const [piece] = parcels(following, ({ posting }) => posting.length);
    return piece ?? [];
  }

  #postings(batchId: BatchId, after: number, upTo: number) {
    return this.#sql.exec<StoredPosting>(
      `SELECT sequence, posting, posting ->> '${pathOf("transactionId")}' AS id FROM batch_items
         WHERE batch_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence`,
      batchId,
      after,
      upTo,
    );
  }

  /** What results are made of, after a place up to another. */
  itemRows(batchId: BatchId, after: number, upTo: number): ItemRow[] {
    return this.#sql
      .exec<StoredItem>(
        `SELECT sequence, error, posting ->> '${pathOf("reference")}' AS reference,
           posting ->> '${pathOf("transactionId")}' AS id,
           posting ->> '${pathOf("scheduledFor")}' AS scheduled
           FROM batch_items WHERE batch_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence`,
        batchId,
        after,
        upTo,
      )
      .toArray()
      .map(({ sequence, reference, id, scheduled, error }) => ({
        sequence,
        reference,
        transactionId: id,
        isScheduled: scheduled !== "",
        error: error === null ? null : JSON.parse(error),
      }));
  }

  /** Keeps why an item failed by itself. */
  saveError(batchId: BatchId, sequence: number, error: LedgerError): void {
    const text = JSON.stringify(error);
    const { posting } = this.#sql
      .exec<{ posting: string }>(
        "SELECT posting FROM batch_items WHERE batch_id = ? AND sequence = ?",
        batchId,
        sequence,
      )
      .one();
    this.#sql.exec(
      "UPDATE batch_items SET error = ?, seal = ? WHERE batch_id = ? AND sequence = ?",
      text,
      itemSeal({ batch_id: batchId, sequence, posting, error: text }),
      batchId,
      sequence,
    );
  }
}

/** Items that are looked at for the next piece; how many fit is another matter. */
const PIECE_MAX = 500;

/** An item with its transaction's id; its posting is not read. */
export type StoredPosting = { sequence: number; posting: string; id: TransactionId };

/** When an item counts as made: with its batch, in its place. */
export const madeAt = (batchMadeAt: Instant, sequence: number): Instant =>
  instantOfMicros(microsOf(batchMadeAt) + sequence);

type StoredItem = {
  sequence: number;
  reference: string;
  id: TransactionId;
  scheduled: string;
  error: string | null;
};

type ReadBatch = BatchRow & { readonly status: BatchStatus };

/** The row of a batch, with the text of its header. */
const rowOf = (batch: Batch, header: string): BatchRow => ({
  batch_id: batch.batchId,
  header,
  status: batch.status,
  done: batch.done,
  step: textOf(batch.step),
  failure: textOf(batch.failure),
  work: batch.work,
  ended_at: batch.endedAt,
});

const textOf = (value: object | null): string | null =>
  value === null ? null : JSON.stringify(value);

const toBatch = ({ header, status, done, step, failure, work, ended_at }: ReadBatch): Batch => ({
  ...JSON.parse(header),
  status,
  done,
  step: step === null ? null : JSON.parse(step),
  failure: failure === null ? null : JSON.parse(failure),
  work,
  endedAt: ended_at,
});
