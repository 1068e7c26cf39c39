import type { KeptAnswer } from "./protocol";
import type { JournalStore } from "./store";

/** The claim on an idempotency key. */
export type KeyClaim = {
  readonly fingerprint: string;
  readonly atMs: number;
  /** The answer that is kept for repeats; null when none is. */
  readonly answer: KeptAnswer | null;
  /** Whether it was claimed before. */
  readonly again: boolean;
};

export const KEY_TABLES = `
  CREATE TABLE claims (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    answer TEXT
  ) WITHOUT ROWID;`;

/** Which request has used which idempotency key, and what it was answered, in the SQLite of a shard. Synchronous. */
export class KeyClaims {
  readonly #store: JournalStore;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** Claims a key, or finds the claim on it. */
  claim(key: string, fingerprint: string, nowMs: number): KeyClaim {
    return this.#store.transaction(() => {
      const [held] = this.#store.sql.exec<StoredClaim>("SELECT * FROM claims WHERE key = ?", key);
      if (held !== undefined) {
        const { at, answer } = held;
        return { fingerprint: held.fingerprint, atMs: at, answer: answerOf(answer), again: true };
      }
      this.#store.sql.exec("INSERT INTO claims VALUES (?, ?, ?, NULL)", key, fingerprint, nowMs);
      return { fingerprint, atMs: nowMs, answer: null, again: false };
    });
  }

  /** Keeps the answer of the request that claimed a key; the first one stands, and is answered. */
  keep(key: string, answer: KeptAnswer): KeptAnswer {
    return this.#store.transaction(() => {
      this.#store.sql.exec(
        "UPDATE claims SET answer = ? WHERE key = ? AND answer IS NULL",
        JSON.stringify(answer),
        key,
      );
      const [kept] = this.#store.sql.exec<StoredClaim>("SELECT * FROM claims WHERE key = ?", key);
      return answerOf(kept?.answer ?? null) ?? answer;
    });
  }
}

type StoredClaim = { fingerprint: string; at: number; answer: string | null };

const answerOf = (text: string | null): KeptAnswer | null =>
  text === null ? null : JSON.parse(text);
