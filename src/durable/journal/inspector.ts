import type { BalanceSnapshot } from "../../domain/balance-record";
import {
  type BalanceId,
  type BatchId,
  isTransactionId,
  shardOf,
  type TransactionId,
} from "../../domain/ids";
import { askBalance } from "../balance/client";
import type { EntryPlace, Evidence, EvidenceAsked } from "../balance/evidence";
import { patiently } from "../patiently";
import type { BatchesLook } from "./batch-seals";
import { type JournalParts, shardStub } from "./client";
import type { Backlog, InspectedRow } from "./inspection";
import type { JournalObject } from "./object";

/** Rows that are asked for in one call. */
const ROWS_AT_ONCE = 100;
/** And about so many characters of them, but one row at least: a call carries 32 MiB, a character takes two bytes at most. */
const CHARACTERS_MAX = 4_000_000;

/** Rows of a shard, and whether it has more of them. */
export interface RowPage {
  readonly rows: readonly InspectedRow[];
  readonly hasMore: boolean;
}

/** What those may ask who check the objects' stored bytes, or copy them. Nothing is changed, but for the bookmark. */
export class Inspector {
  readonly #parts: JournalParts;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** How many shards the journal has. */
  get shards(): number {
    return this.#parts.shards;
  }

  /** Rows of a shard after an id, in the order of their ids: `limit` of them, or fewer when they are large. */
  async page(shard: number, asked: { after: string; limit: number }): Promise<RowPage> {
    const rows = await this.#page(shard, asked);
    const last = rows.at(-1);
    if (last === undefined) return { rows, hasMore: false };
    if (rows.length === asked.limit) return { rows, hasMore: true };
    // Whether they were large or the last, a shard of any version tells by what comes next.
    const next = await this.#page(shard, { after: last.transactionId, limit: 1 });
    return { rows, hasMore: next.length > 0 };
  }

  #page(shard: number, asked: { after: string; limit: number }): Promise<InspectedRow[]> {
    return this.#ask(
      shard,
      async (stub): Promise<InspectedRow[]> =>
        await stub.inspect({ ...asked, charactersMax: CHARACTERS_MAX }),
    );
  }

  /** Rows by their ids, from all shards; those that don't exist are missing. Many of them may be more than fits in memory. */
  rows(ids: readonly string[]): Promise<InspectedRow[]> {
    return this.each(ids, (row) => row);
  }

  /** What is made of each of the rows, a few of which are here at a time, however large they are. */
  async each<T>(ids: readonly string[], make: (row: InspectedRow) => T): Promise<T[]> {
    const known = [...new Set(ids)].filter(isTransactionId);
    const byShard = Map.groupBy(known, (id) => shardOf(id, this.#parts.shards));
    const charactersMax = Math.floor(CHARACTERS_MAX / byShard.size);
    const made = await Promise.all(
      [...byShard].map(([shard, some]) => this.#each(shard, { ids: some, charactersMax }, make)),
    );
    return made.flat();
  }

  async #each<T>(
    shard: number,
    { ids, charactersMax }: { ids: readonly TransactionId[]; charactersMax: number },
    make: (row: InspectedRow) => T,
  ): Promise<T[]> {
    const made: T[] = [];
    for (let at = 0; at < ids.length; ) {
      const asked = { ids: ids.slice(at, at + ROWS_AT_ONCE), charactersMax };
      const rows = await this.#ask(
        shard,
        async (stub): Promise<InspectedRow[]> => await stub.inspectMany(asked),
      );
      made.push(...rows.map(make));
      const found: readonly string[] = rows.map(({ transactionId }) => transactionId);
      // They come in order: after the last one there may be some that found no room. Where none comes there are none.
      const last = asked.ids.findLastIndex((id) => found.includes(id));
      at += last < 0 ? asked.ids.length : last + 1;
    }
    return made;
  }

  /** What a shard has still to do. */
  backlog(shard: number, lateMs: number): Promise<Backlog> {
    return this.#ask(shard, async (stub): Promise<Backlog> => await stub.backlog({ lateMs }));
  }

  /** Balances that a shard met, after an id, in the order of their ids. */
  balances(shard: number, asked: { after: string; limit: number }): Promise<BalanceId[]> {
    return this.#ask(shard, async (stub): Promise<BalanceId[]> => await stub.metBalances(asked));
  }

  /** What is wrong with batches of a shard after a place, and where to go on. */
  batches(shard: number, asked: { after: string; limit: number }): Promise<BatchesLook> {
    return this.#ask(shard, async (stub): Promise<BatchesLook> => await stub.inspectBatches(asked));
  }

  /** Those of some balances that no shard has on its list. */
  async unlisted(ids: readonly BalanceId[]): Promise<BalanceId[]> {
    if (ids.length === 0) return [];
    const shards = Array.from({ length: this.#parts.shards }, (_none, shard) => shard);
    const listed = await Promise.all(
      shards.map((shard) =>
        this.#ask(shard, async (stub): Promise<BalanceId[]> => await stub.listed({ ids })),
      ),
    );
    const known = new Set(listed.flat());
    return ids.filter((id) => !known.has(id));
  }

  /** Puts balances that exist on the lists where they belong. */
  async list(ids: readonly BalanceId[]): Promise<void> {
    const byShard = Map.groupBy(ids, (id) => shardOf(id, this.#parts.shards));
    await Promise.all(
      [...byShard].map(([shard, some]) =>
        this.#ask(shard, async (stub) => stub.listBalances({ ids: some })),
      ),
    );
  }

  /** Whether a group is under way: what is reserved for it is let go of at its end. */
  isUnderWay(group: TransactionId | BatchId, attempt: string): Promise<boolean> {
    const shard = shardOf(group, this.#parts.shards);
    return this.#ask(shard, async (stub) => stub.isUnderWay({ group, attempt }));
  }

  /** Resolves when a shard has taken to D1 what it had; false when that takes too long. */
  flushed(shard: number): Promise<boolean> {
    return this.#ask(shard, (stub) => stub.barrier());
  }

  /** A balance as it is on disk, with entries after a version; null when there is none. */
  evidence(id: string, asked: EvidenceAsked): Promise<Evidence | null> {
    return askBalance(this.#parts, id, async (stub) => await stub.evidence(asked));
  }

  /** The entries of operations on a balance; null for those that it did not apply. */
  async placesOf(id: string, ops: readonly string[]): Promise<(EntryPlace | null)[]> {
    const places = await askBalance(this.#parts, id, async (stub) => await stub.placesOf({ ops }));
    return places ?? ops.map(() => null);
  }

  /** The balance as it is used, or with the amounts of an earlier version; null when there is none. */
  balance(id: string, version?: number): Promise<BalanceSnapshot | null> {
    const asked = version === undefined ? {} : { version };
    return askBalance(this.#parts, id, async (stub) => await stub.read(asked));
  }

  /** The text that was kept under a name, or null. */
  bookmark(name: string): Promise<string | null> {
    return this.#ask(0, async (stub) => await stub.bookmark({ name }));
  }

  /** Keeps a text under a name; null forgets it. */
  keepBookmark(name: string, text: string | null): Promise<void> {
    return this.#ask(0, async (stub) => stub.keepBookmark({ name, text }));
  }

  #ask<T>(shard: number, call: (stub: DurableObjectStub<JournalObject>) => Promise<T>): Promise<T> {
    return patiently(() => shardStub(this.#parts, shard), call);
  }
}
