import type { BalanceSnapshot } from "../domain/balance-record";
import type { Transaction } from "../domain/transaction";
import { balanceValues, insertions, transactionValues, type Values } from "./projection";

/** The tables that follow the objects, with the column that names a row. */
const KEYS = { transactions: "transaction_id", balances: "balance_id" } as const;

export type CopiedTable = keyof typeof KEYS;

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

  /** Rows by their ids; those that don't exist are missing. */
  async byIds(table: CopiedTable, ids: readonly string[]): Promise<Map<string, Values>> {
    if (ids.length === 0) return new Map();
    const key = KEYS[table];
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM ${table} WHERE instance_id = ? AND ${key} IN (SELECT value FROM json_each(?))`,
      )
      .bind(this.#instance, JSON.stringify(ids))
      .all<Values>();
    return new Map(results.map((row) => [String(row[key]), row]));
  }

  /** Ids after one, in their order. */
  async idsAfter(table: CopiedTable, after: string, limit: number): Promise<string[]> {
    const key = KEYS[table];
    const { results } = await this.#db
      .prepare(
        `SELECT ${key} AS id FROM ${table} WHERE instance_id = ? AND ${key} > ? ORDER BY ${key} LIMIT ?`,
      )
      .bind(this.#instance, after, limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
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
  async remove(table: CopiedTable, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db
      .prepare(
        `DELETE FROM ${table} WHERE instance_id = ? AND ${KEYS[table]} IN (SELECT value FROM json_each(?))`,
      )
      .bind(this.#instance, JSON.stringify(ids))
      .run();
  }
}

/** The columns in which a row differs from what it is to be. */
export const differences = (expected: Values, actual: Values): string[] =>
  Object.keys(expected).filter((column) => expected[column] !== actual[column]);

/** Whether a row in D1 is newer than what an object has. */
export const isAhead = (table: CopiedTable, copy: Values | undefined, row: Values): boolean =>
  copy !== undefined &&
  VERSIONS[table].some((version) => Number(copy[version]) > Number(row[version]));

function overwriting(table: CopiedTable, [first = {}]: readonly Values[]): string {
  const columns = Object.keys(first).filter(
    (column) => column !== "instance_id" && column !== KEYS[table],
  );
  const isNotOlder = VERSIONS[table].map((version) => `excluded.${version} >= ${table}.${version}`);
  return `ON CONFLICT (instance_id, ${KEYS[table]})
    DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(", ")}
    WHERE ${isNotOlder.join(" AND ")}`;
}
