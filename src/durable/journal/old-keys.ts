import { elapsedMs } from "../elapsed";
import type { JournalStore } from "./store";

/** Idempotency keys are remembered at least this long, in milliseconds. */
const KEYS_MS = 30 * 24 * 3_600_000;
/** A pass over all keys begins this long after the last one ended. */
const PASS_MS = 24 * 3_600_000;
/** At most about this many keys are looked at in one call. */
const PAGE = 5_000;

/** What has keys with their time, in the order of a pass. */
const TABLES = ["claims", "answers"] as const;

/** Where a pass is: in which table and after which key. Between passes it is at the beginning. */
type Place = { readonly table: number; readonly after: string; readonly endedMs: number };

const NAME = "old keys";

/**
 * Forgets idempotency keys, and what they were answered, when they are old. Keys are not in the order of their time, and an
 * index would be one more row for each: so a pass a day looks at all of them, a page a call.
 */
export class OldKeys {
  readonly #storage: DurableObjectStorage;
  readonly #store: JournalStore;

  constructor(storage: DurableObjectStorage, store: JournalStore) {
    this.#storage = storage;
    this.#store = store;
  }

  /** Goes on with the pass, or begins one when it is time. */
  forget(nowMs: number): void {
    if (!this.#store.isUsed) return;
    const { kv } = this.#storage;
    const place = kv.get<Place>(NAME) ?? { table: 0, after: "", endedMs: 0 };
    const isBetween = place.table === 0 && place.after === "";
    if (isBetween && elapsedMs(place.endedMs, nowMs) < PASS_MS) return;
    this.#store.transaction(() => kv.put<Place>(NAME, this.#step(place, nowMs)));
  }

  #step({ table, after, endedMs }: Place, nowMs: number): Place {
    const name = TABLES[table];
    if (name === undefined) return { table: 0, after: "", endedMs: nowMs };
    const { sql } = this.#storage;
    const [last] = sql.exec<{ key: string }>(
      `SELECT key FROM ${name} WHERE key > ? ORDER BY key LIMIT 1 OFFSET ${PAGE - 1}`,
      after,
    );
    const [page, upTo] =
      last === undefined ? ["key > ?", []] : ["key > ? AND key <= ?", [last.key]];
    sql.exec(`DELETE FROM ${name} WHERE ${page} AND at < ?`, after, ...upTo, nowMs - KEYS_MS);
    if (last !== undefined) return { table, after: last.key, endedMs };
    return this.#step({ table: table + 1, after: "", endedMs }, nowMs);
  }
}
