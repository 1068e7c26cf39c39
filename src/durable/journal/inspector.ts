import type { BalanceSnapshot } from "../../domain/balance-record";
import { type BalanceId, isTransactionId, shardOf } from "../../domain/ids";
import { askBalance } from "../balance/client";
import type { EntryPlace, Evidence, EvidenceAsked } from "../balance/evidence";
import { patiently } from "../patiently";
import { type JournalParts, shardStub } from "./client";
import type { Backlog, InspectedRow } from "./inspection";
import type { JournalObject } from "./object";

/** Rows that are asked for in one call. */
const ROWS_AT_ONCE = 100;

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

  /** Rows of a shard after an id, in the order of their ids. */
  page(shard: number, asked: { after: string; limit: number }): Promise<InspectedRow[]> {
    return this.#ask(shard, async (stub): Promise<InspectedRow[]> => await stub.inspect(asked));
  }

  /** Rows by their ids, from all shards; those that don't exist are missing. */
  async rows(ids: readonly string[]): Promise<InspectedRow[]> {
    const known = [...new Set(ids)].filter(isTransactionId);
    const byShard = Map.groupBy(known, (id) => shardOf(id, this.#parts.shards));
    const found = await Promise.all(
      [...byShard].map(async ([shard, all]) => {
        const rows: InspectedRow[] = [];
        for (let at = 0; at < all.length; at += ROWS_AT_ONCE) {
          const some = all.slice(at, at + ROWS_AT_ONCE);
          rows.push(
            ...(await this.#ask(
              shard,
              async (stub): Promise<InspectedRow[]> => await stub.inspectMany({ ids: some }),
            )),
          );
        }
        return rows;
      }),
    );
    return found.flat();
  }

  /** What a shard has still to do. */
  backlog(shard: number, lateMs: number): Promise<Backlog> {
    return this.#ask(shard, async (stub): Promise<Backlog> => await stub.backlog({ lateMs }));
  }

  /** Balances that a shard met, after an id, in the order of their ids. */
  balances(shard: number, asked: { after: string; limit: number }): Promise<BalanceId[]> {
    return this.#ask(shard, async (stub): Promise<BalanceId[]> => await stub.metBalances(asked));
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

  /** The balance as it is used; null when there is none. */
  balance(id: string): Promise<BalanceSnapshot | null> {
    return askBalance(this.#parts, id, async (stub) => await stub.read());
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
