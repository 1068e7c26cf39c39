import type { BalanceProfile } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import { Work } from "./row";

/** They are part of the first schema of a shard. */
export const BALANCE_TABLES = `CREATE TABLE balances (
     balance_id TEXT PRIMARY KEY,
     profile TEXT,
     work INTEGER NOT NULL,
     noted INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX unsettled_balances ON balances (balance_id) WHERE work <> 0;`;

/** A balance that this shard met, with what is still to be done for it. */
export interface MetBalance {
  readonly balanceId: BalanceId;
  /** The profile of a balance being made by hand; null once it is made. */
  readonly profile: BalanceProfile | null;
  readonly work: number;
  /**
   * Counts the notes made of it, from the milliseconds since 1970 of the first: it only grows, even over a row that was lost.
   */
  readonly noted: number;
}

/** Whether the tables are there, and that they are. */
export interface Schema {
  ensure(): void;
  isThere(): boolean;
}

/** The balances on a shard's list: those that it made or changed, and what D1 is still to be told of them. */
export class MetBalances {
  readonly #sql: SqlStorage;
  readonly #schema: Schema;

  constructor(sql: SqlStorage, schema: Schema) {
    this.#sql = sql;
    this.#schema = schema;
  }

  /** Notes that a balance is being made by hand; nothing changes when the shard knows it already. */
  note(profile: BalanceProfile, work: number): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO balances VALUES (?, ?, ?, ?)",
      profile.balanceId,
      JSON.stringify(profile),
      work,
      Date.now(),
    );
  }

  /** Notes work for a balance that exists, so that nobody has to make it any more. */
  meet(balanceId: BalanceId, work: number): void {
    this.#schema.ensure();
    this.#sql.exec(
      `INSERT INTO balances VALUES (?, NULL, ?, ?)
         ON CONFLICT (balance_id) DO UPDATE
         SET profile = NULL, work = work | excluded.work, noted = noted + 1`,
      balanceId,
      work,
      Date.now(),
    );
  }

  /** The number of the newest note of a balance. */
  numberOf(balanceId: BalanceId): number {
    const [row] = this.#sql.exec<{ noted: number }>(
      "SELECT noted FROM balances WHERE balance_id = ?",
      balanceId,
    );
    return row?.noted ?? 0;
  }

  /** Strikes a balance off the list, unless more was noted since `noted`: then only what was announced is done. */
  done(balance: { balanceId: BalanceId; noted: number; announce: boolean }): void {
    this.#sql.exec(
      "UPDATE balances SET work = CASE WHEN noted = ? THEN 0 ELSE work & ~? END WHERE balance_id = ?",
      balance.noted,
      balance.announce ? Work.Announce : 0,
      balance.balanceId,
    );
  }

  /** Takes a balance off the list unless somebody has made it: `createdAt` names the attempt to make it. */
  unmeet(balanceId: BalanceId, createdAt: string): void {
    this.#sql.exec(
      "DELETE FROM balances WHERE balance_id = ? AND profile ->> '$.createdAt' = ?",
      balanceId,
      createdAt,
    );
  }

  /** The balance was made: what is left is to project and to announce it. */
  confirm(balanceId: BalanceId): void {
    this.#sql.exec("UPDATE balances SET profile = NULL WHERE balance_id = ?", balanceId);
  }

  /** Balances with work left. */
  unsettled(limit: number): MetBalance[] {
    return this.#select("WHERE work <> 0", limit);
  }

  /** Those of them that exist: what is left is to project and to announce them. */
  made(limit: number): MetBalance[] {
    return this.#select("WHERE work <> 0 AND profile IS NULL", limit);
  }

  #select(where: string, limit: number): MetBalance[] {
    if (!this.#schema.isThere()) return [];
    return this.#sql
      .exec<{ balance_id: BalanceId; profile: string | null; work: number; noted: number }>(
        `SELECT * FROM balances ${where} LIMIT ?`,
        limit,
      )
      .toArray()
      .map(({ balance_id, profile, work, noted }) => ({
        balanceId: balance_id,
        profile: profile === null ? null : JSON.parse(profile),
        work,
        noted,
      }));
  }
}
