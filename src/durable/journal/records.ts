import { isTransactionId, type TransactionId } from "../../domain/ids";
import { afterFirst, firstOf, type Piece } from "../../domain/lineage";
import { type Instant, instantOfMicros } from "../../domain/time";
import type { Transaction } from "../../domain/transaction";
import { type Row, toTransaction } from "./row";
import type { JournalStore } from "./store";

/**
 * The rows of a shard: those with work left in memory, all others on disk. What is in memory wins,
 * because successes are written later, many at a time.
 */
export class Records {
  readonly #live = new Map<TransactionId, Row>();
  readonly #store: JournalStore;
  #characters = 0;
  #lastMicros = 0;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** How many rows have work left, as far as this life of the shard knows. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Those rows. */
  get live(): Iterable<Row> {
    return this.#live.values();
  }

  /** How many characters of theirs clients have sent with them: descriptions and metadata. */
  get liveCharacters(): number {
    return this.#characters;
  }

  /** Writes a row that nothing else belongs to; false when there is one of its id. */
  insertAlone(row: Row): boolean {
    return !this.#live.has(row.posting.transactionId) && this.#store.insertAlone(row);
  }

  find(id: TransactionId): Row | null {
    const live = this.#live.get(id);
    if (live !== undefined) return live;
    const stored = this.#store.find(id);
    return stored === null ? null : this.adopt(stored);
  }

  /** The row in memory; null when it has no work left, as far as this life of the shard knows. */
  liveRow(id: TransactionId): Row | null {
    return this.#live.get(id) ?? null;
  }

  /** Whether this is the copy in memory that counts. */
  isLive(row: Row): boolean {
    return this.#live.get(row.posting.transactionId) === row;
  }

  /** The row to use for one that was read from disk: the one in memory if there is one. */
  adopt(stored: Row): Row {
    const id = stored.posting.transactionId;
    const live = this.#live.get(id);
    if (live !== undefined) return live;
    if (stored.work !== 0) this.keep(stored);
    return stored;
  }

  /** Keeps a row in memory, because there is work for it. */
  keep(row: Row): void {
    const id = row.posting.transactionId;
    const before = this.#live.get(id);
    if (before === row) return;
    if (before !== undefined) this.#characters -= charactersOf(before);
    this.#characters += charactersOf(row);
    this.#live.set(id, row);
  }

  /** Lets go of a row: it is settled, or it no longer exists. */
  drop(row: Row): void {
    if (!this.isLive(row)) return;
    this.#characters -= charactersOf(row);
    this.#live.delete(row.posting.transactionId);
  }

  /** The records that follow from one, newest first. */
  childrenOf(id: string): Row[] {
    return this.#store.childrenOf(id).map((stored) => this.adopt(stored));
  }

  /** The legs of a split, in the order in which they were posted. */
  legsOf(parent: Row): Row[] {
    const { transactionId } = parent.posting;
    return this.childrenOf(transactionId)
      .filter(({ posting }) => posting.group === transactionId)
      .reverse();
  }

  /** The commits and voids under a hold that were not rejected, newest first. */
  settlementsOf(id: TransactionId): Row[] {
    return this.childrenOf(id).filter(
      ({ posting, status }) =>
        (posting.kind === "commit" || posting.kind === "void") && status !== "REJECTED",
    );
  }

  /** A record with what its settlements and refunds depend on: its legs, and the commits and voids of each hold. */
  familyOf(id: TransactionId): Row[] {
    const row = this.find(id);
    if (row === null) return [];
    const holds = row.posting.kind === "split" ? this.legsOf(row) : [row];
    const settlements = holds.flatMap(({ posting }) => this.settlementsOf(posting.transactionId));
    return [...new Set([row, ...holds, ...settlements])];
  }

  /** What is left of a hold: its amount less its commits and voids, never stored apart. */
  remainingOf(row: Row): bigint {
    const { kind, preciseAmount, transactionId } = row.posting;
    if (kind === "split") {
      return this.legsOf(row).reduce((left, leg) => left + this.remainingOf(leg), 0n);
    }
    return this.settlementsOf(transactionId).reduce(
      (left, { posting }) => left - posting.preciseAmount,
      preciseAmount,
    );
  }

  /** Whose money a refund gives back: what it refunds was paid from, after what earlier refunds of it gave back. */
  givenBackBy({ posting, seq }: Row): Piece[] {
    const { parentTransaction, preciseAmount } = posting;
    const refunded = isTransactionId(parentTransaction) ? this.find(parentTransaction) : null;
    const earlier = this.childrenOf(parentTransaction)
      // By their numbers: the clock of another life may have been ahead.
      .filter((row) => row.posting.kind === "refund" && row.seq < seq)
      .reduce((sum, row) => sum + row.posting.preciseAmount, 0n);
    const released = refunded?.outcome?.traced?.released ?? [];
    return firstOf(afterFirst(released, earlier), preciseAmount);
  }

  /** The record as clients see it. */
  shown(row: Row): Transaction {
    return toTransaction(row, row.status === "INFLIGHT" ? this.remainingOf(row) : null);
  }

  /** When the next row in memory is due; infinite when there is none. */
  nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs, work } of this.#live.values()) if (work !== 0) next = Math.min(next, dueMs);
    return next;
  }

  /** The present moment. The clock stands still between I/O, so no two records share a microsecond. */
  now(): Instant {
    this.#lastMicros = Math.max(Date.now() * 1000, this.#lastMicros + 1);
    return instantOfMicros(this.#lastMicros);
  }
}

const charactersOf = ({ posting: { description, metaData } }: Row): number =>
  description.length + (metaData?.length ?? 0);
