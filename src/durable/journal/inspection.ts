import { type BalanceId, isTransactionId, type TransactionId } from "../../domain/ids";
import type { Posting, Transaction } from "../../domain/transaction";
import { type BatchesLook, lookAtBatches } from "./batch-seals";
import { postingText } from "./codec";
import type { Flusher } from "./flusher";
import type { StoredRow } from "./open-rows";
import type { Records } from "./records";
import {
  isHalfDone,
  isHidden,
  isUnfinished,
  needs,
  type Outcome,
  type Row,
  type RowStatus,
  Work,
} from "./row";
import { type JournalStore, toRow } from "./store";
import { hasItsEnd, waitingFaults } from "./waiting";

/** A transaction as its shard has it on disk. */
export interface InspectedRow {
  /** The id and the parent that it is found by. */
  readonly transactionId: string;
  readonly parent: string;
  /** Null when it cannot be read. */
  readonly record: InspectedRecord | null;
}

export interface InspectedRecord {
  readonly posting: Posting;
  readonly attempt: string;
  readonly createdAt: string;
  readonly status: RowStatus;
  readonly outcome: Outcome | null;
  /** Whether it is at its end, and D1 and the receivers have been told: a timer may still run. */
  readonly isSettled: boolean;
  /** Whether it is on its way, or waits for its time. */
  readonly isUnfinished: boolean;
  /** Whether D1 has been told all that is shown, or would never be told. */
  readonly isCopied: boolean;
  /** Whether there is something to tell of it, and nobody will. Absent from a shard of an older version, as what follows. */
  readonly isNeglected?: boolean;
  /** What is wrong with how it waits for its work, and with what tells of its end. */
  readonly faults?: readonly string[];
  /** Of a reference that a group took: the shard of the group. */
  readonly coordinator?: number | null;
  /** Whether it has work left on disk that nobody will find there. */
  readonly isForgotten: boolean;
  /** When its shard looks at it again, in milliseconds since 1970; null when there is nothing left to do. */
  readonly dueMs: number | null;
  /** What D1 is to have of it; null when that is nothing, or when nobody may know yet. */
  readonly shown: Transaction | null;
  /** Of a split: the postings of its legs. */
  readonly legs: readonly Posting[];
  /** The attempts of those legs. */
  readonly legAttempts?: readonly string[];
  /** Ids of the records that follow from it, oldest first. */
  readonly children: readonly string[];
}

/** What a shard has still to do. */
export interface Backlog {
  /** When the oldest transaction was made that is not at its end, among those whose time has come; null when there is none. */
  readonly oldestAt: string | null;
  /** How many of those there are; it counts no further than a hundred. */
  readonly waiting: number;
  /** Whether the mark from which it looks for work is where it put it. Absent from a shard of an older version. */
  readonly isMarkSound?: boolean;
  /** Transactions whose time is long past. */
  readonly overdue: readonly { readonly id: string; readonly what: string }[];
}

/** So many rows of a backlog are looked at. */
const BACKLOG_MAX = 100;

/** Reads the rows of a shard for those who check them or copy them. It changes nothing. */
export class Inspection {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #flusher: Flusher;
  readonly #isRecovered: () => boolean;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly flusher: Flusher;
    /** Whether all that an earlier life left is in memory, or waits for its time. */
    readonly isRecovered: () => boolean;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#flusher = parts.flusher;
    this.#isRecovered = parts.isRecovered;
  }

  /** Rows after an id, in the order of their ids: the first of `limit` that have so many characters, one at least. */
  page(after: string, limit: number, charactersMax: number): InspectedRow[] {
    if (!this.#store.isUsed) return [];
    const ids = this.#store.sql
      .exec<{ transaction_id: string }>(
        "SELECT transaction_id FROM transactions WHERE transaction_id > ? ORDER BY transaction_id LIMIT ?",
        after,
        limit,
      )
      .toArray()
      .map(({ transaction_id }) => transaction_id);
    return this.rows(ids, charactersMax);
  }

  /**
   * Rows by their ids, in that order: the first that have so many characters, one at least. Those that don't exist are
   * missing.
   */
  rows(ids: readonly string[], charactersMax: number): InspectedRow[] {
    const rows: InspectedRow[] = [];
    let left = charactersMax;
    // One after the other: an object that reads many large ones at once has no memory left.
    for (const id of ids) {
      const stored = this.#stored(id);
      if (stored === null) continue;
      const record = this.#record(stored);
      left -= charactersOf(stored, record);
      if (left < 0 && rows.length > 0) break;
      rows.push({
        transactionId: stored.transaction_id,
        parent: stored.parent_transaction,
        record,
      });
    }
    return rows;
  }

  /** Balances that this shard met, after an id, in the order of their ids. */
  balances(after: string, limit: number): BalanceId[] {
    if (!this.#store.isUsed) return [];
    return this.#store.sql
      .exec<{ balance_id: BalanceId }>(
        `SELECT balance_id FROM balances WHERE profile IS NULL AND balance_id > ?
           ORDER BY balance_id LIMIT ?`,
        after,
        limit,
      )
      .toArray()
      .map(({ balance_id }) => balance_id);
  }

  /** What is wrong with batches and their items after a place. */
  batches(after: string, limit: number): BatchesLook {
    if (!this.#store.isUsed) return { faults: [], next: null };
    return lookAtBatches(this.#store.sql, after, limit);
  }

  /** Those of some balances that this shard met. */
  listed(ids: readonly BalanceId[]): BalanceId[] {
    if (!this.#store.isUsed) return [];
    return this.#store.sql
      .exec<{ balance_id: BalanceId }>(
        `SELECT balance_id FROM balances WHERE profile IS NULL
           AND balance_id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(ids),
      )
      .toArray()
      .map(({ balance_id }) => balance_id);
  }

  /** Whether an attempt of a split is under way, in memory or as the disk has it. */
  isUnderWay(id: TransactionId, attempt: string): boolean {
    return [this.#records.liveRow(id), this.#store.find(id)].some(
      (row) => row !== null && row.attempt === attempt && isUnfinished(row),
    );
  }

  /** What is still to be done. `lateMs` after its time a transaction is overdue. */
  backlog(nowMs: number, lateMs: number): Backlog {
    if (!this.#store.isUsed) return { oldestAt: null, waiting: 0, overdue: [] };
    const begun = Work.Drive | Work.Project | Work.Announce;
    // Whatever is begun looks at itself again within a minute, so this reads no timer that is far ahead.
    const rows = this.#store.due(nowMs + 60_000, BACKLOG_MAX);
    const waiting = rows.filter(
      ({ work, status, due_ms }) =>
        (work & begun) !== 0 && (status !== "SCHEDULED" || due_ms <= nowMs),
    );
    const isTold = this.#flusher.failingMs(nowMs) < lateMs;
    const late = rows.filter(
      (row) => row.due_ms < nowMs - lateMs && !(isTold && this.#isBeingTold(row)),
    );
    return {
      waiting: waiting.length,
      isMarkSound: this.#store.open.isMarkSound,
      oldestAt: waiting.map(({ created_at }) => created_at).sort()[0] ?? null,
      overdue: late.map(({ transaction_id: id, status, work }) => ({
        id,
        what: nameOf(status, work),
      })),
    };
  }

  /** Whether it came to its end, or waits for its time, and has something new that is on its way to D1 and the receivers. */
  #isBeingTold(stored: StoredRow): boolean {
    const { transaction_id: id, work } = stored;
    const live = isTransactionId(id) ? this.#records.liveRow(id) : null;
    return (work & Work.Drive) === 0 && live !== null && this.#flusher.has(live);
  }

  #stored(id: string): StoredRow | null {
    if (!this.#store.isUsed) return null;
    const [stored] = this.#store.sql.exec<StoredRow>(
      "SELECT * FROM transactions WHERE transaction_id = ?",
      id,
    );
    return stored ?? null;
  }

  #record(stored: StoredRow): InspectedRecord | null {
    try {
      const row = toRow(stored);
      const faults = waitingFaults(stored, row, Date.now());
      if (!hasItsEnd(row)) faults.push("what tells of its end does not agree with it");
      return { ...this.#inspected(row), isForgotten: this.#store.open.isForgotten(stored), faults };
    } catch {
      return null;
    }
  }

  #inspected(row: Row): Omit<InspectedRecord, "isForgotten" | "faults"> {
    const { posting, attempt, createdAt, status, outcome, work, dueMs, coordinator } = row;
    const live = this.#records.liveRow(posting.transactionId) ?? row;
    const isNeglected = this.#isNeglected(row, live);
    const legs = posting.kind === "split" ? this.#records.legsOf(row) : [];
    const children = this.#records.childrenOf(posting.transactionId);
    return {
      posting,
      attempt,
      createdAt,
      status,
      outcome,
      isSettled: !needs(row, Work.Drive | Work.Project | Work.Announce),
      isUnfinished: needs(row, Work.Drive),
      isCopied: isNeglected || (!needs(row, Work.Project) && !needs(live, Work.Project)),
      isNeglected,
      coordinator,
      dueMs: work === 0 ? null : dueMs,
      shown: this.#shown(row),
      legs: legs.map((leg) => leg.posting),
      legAttempts: legs.map((leg) => leg.attempt),
      children: children.map((child) => child.posting.transactionId).reverse(),
    };
  }

  /** What is at its end and not told is in the hands of the flusher, once all of an earlier life was looked at. */
  #isNeglected(row: Row, live: Row): boolean {
    if (!this.#isRecovered() || this.#flusher.has(live)) return false;
    return isToTell(row) || isToTell(live);
  }

  #shown(stored: Row): Transaction | null {
    const { kind, transactionId } = stored.posting;
    if (kind === "split" || kind === "pointer") return null;
    const row = this.#records.liveRow(transactionId) ?? stored;
    // What an earlier life left unfinished is shown once it was driven.
    if (isHidden(row) || isHalfDone(row, Date.now())) return null;
    return this.#records.shown(row);
  }
}

/** Whether nothing but D1 and the receivers has to hear of it. */
const isToTell = (row: Row): boolean =>
  row.status === "SCHEDULED"
    ? needs(row, Work.Project)
    : needs(row, Work.Project | Work.Announce) && !needs(row, Work.Drive);

/** About how many characters a row travels with: what was recorded is in it twice, as it was and as it is shown. */
function charactersOf(stored: StoredRow, record: InspectedRecord | null): number {
  const { shown = null, legs = [], children = [] } = record ?? {};
  const texts = [stored.outcome, shown?.metaData, ...legs.map(postingText), ...children];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 2 * stored.posting.length);
}

const nameOf = (status: string, work: number): string => {
  if (status === "SCHEDULED") return "a schedule";
  return (work & (Work.Drive | Work.Project | Work.Announce)) === 0 ? "a timer" : "a transaction";
};
