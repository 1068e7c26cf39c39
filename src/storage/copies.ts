import type { BalanceSnapshot } from "../domain/balance-record";
import type { Transaction } from "../domain/transaction";
import { balanceValues, insertions, transactionValues, type Values } from "./projection";

/** The tables that follow the objects, with the columns that name a row within an instance: its id is the last. */
const KEYS = {
  transactions: ["created_at", "transaction_id"],
  balances: ["balance_id"],
} as const satisfies Record<string, readonly string[]>;

export type CopiedTable = keyof typeof KEYS;

/** What names a row: the values of the columns of its table's key. */
export type Key = readonly string[];

/** The key of a row. */
export const keyOf = (table: CopiedTable, row: Values): Key =>
  KEYS[table].map((column) => String(row[column]));

/** The id in a key. */
export const idOf = (key: Key): string => key.at(-1) ?? "";

/** The columns by which a row only ever moves forward. */
const VERSIONS = {
  transactions: ["revision"],
  balances: ["version", "profile_version"],
} as const satisfies Record<CopiedTable, readonly string[]>;

/** The rows of one instance that copy what its objects have: to compare, and to write anew. */
export class Copies {
  readonly #db: D1Database;
  readonly #instance: string;

  constructor(db: D1Database, instance: string) {
    this.#db = db;
    this.#instance = instance;
  }

  /** The row that a transaction is to have. */
  ofTransaction(transaction: Transaction): Values {
    return transactionValues(this.#instance, transaction);
  }

  /** The row that a balance is to have. */
  ofBalance(balance: BalanceSnapshot): Values {
    return balanceValues(this.#instance, balance);
  }

  /** Rows by their keys; those that don't exist are missing. By id. */
  async byKeys(table: CopiedTable, keys: readonly Key[]): Promise<Map<string, Values>> {
    if (keys.length === 0) return new Map();
    const { results } = await this.#db
      .prepare(`SELECT * FROM ${table} WHERE instance_id = ? AND ${among(table)}`)
      .bind(this.#instance, JSON.stringify(keys))
      .all<Values>();
    return new Map(results.map((row) => [idOf(keyOf(table, row)), row]));
  }

  /** Which of some balances it has no rows of. */
  async lacking(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const { results } = await this.#db
      .prepare(
        `SELECT asked.value AS id FROM json_each(?2) AS asked WHERE NOT EXISTS
           (SELECT 1 FROM balances WHERE instance_id = ?1 AND balance_id = asked.value)`,
      )
      .bind(this.#instance, JSON.stringify(ids))
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Keys after one, in their order; null is before all. */
  async keysAfter(table: CopiedTable, after: Key | null, limit: number): Promise<Key[]> {
    const columns = KEYS[table].join(", ");
    const places = KEYS[table].map(() => "?").join(", ");
    const { results } = await this.#db
      .prepare(
        `SELECT ${columns} FROM ${table}
           WHERE instance_id = ? ${after === null ? "" : `AND (${columns}) > (${places})`}
           ORDER BY ${columns} LIMIT ?`,
      )
      .bind(this.#instance, ...(after ?? []), limit)
      .all<Values>();
    return results.map((row) => keyOf(table, row));
  }

  /**
   * Writes rows as the objects have them, all columns, all or nothing. A row that is there and newer stays: its object
   * changed after it was asked.
   */
  async write(table: CopiedTable, rows: readonly Values[]): Promise<void> {
    const statements = insertions(this.#db, table, rows, overwriting(table, rows));
    if (statements.length > 0) await this.#db.batch(statements);
  }

  /** Takes rows away that no object knows. */
  async remove(table: CopiedTable, keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#db
      .prepare(`DELETE FROM ${table} WHERE instance_id = ? AND ${among(table)}`)
      .bind(this.#instance, JSON.stringify(keys))
      .run();
  }
}

/** A row is one of a JSON list of keys. */
const among = (table: CopiedTable): string =>
  `(${KEYS[table].join(", ")}) IN (SELECT ${KEYS[table]
    .map((_column, at) => `json_extract(value, '$[${at}]')`)
    .join(", ")} FROM json_each(?))`;

/** The columns in which a row differs from what it is to be. */
export const differences = (expected: Values, actual: Values): string[] =>
  Object.keys(expected).filter((column) => expected[column] !== actual[column]);

/** Whether a row in D1 is newer than what an object has. */
export const isAhead = (table: CopiedTable, copy: Values | undefined, row: Values): boolean =>
  copy !== undefined &&
  VERSIONS[table].some((version) => Number(copy[version]) > Number(row[version]));

function overwriting(table: CopiedTable, [first = {}]: readonly Values[]): string {
  const key: readonly string[] = ["instance_id", ...KEYS[table]];
  const columns = Object.keys(first).filter((column) => !key.includes(column));
  const isNotOlder = VERSIONS[table].map((version) => `excluded.${version} >= ${table}.${version}`);
  return `ON CONFLICT (${key.join(", ")})
    DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(", ")}
    WHERE ${isNotOlder.join(" AND ")}`;
}
