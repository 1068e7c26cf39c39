import { hash } from "node:crypto";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** A row of any table, by column. */
export type Row = Record<string, SQLInputValue>;

/** What both entries of a transaction say. */
export interface Moved {
  readonly id: string;
  readonly attempt: string;
  readonly at: string;
  /** Minor units. */
  readonly amount: bigint;
  readonly seal: string;
}

const ENTRY_COLUMNS = [
  ...["version", "op", "transaction_id", "side", "action", "amount", "credit", "debit"],
  ...["inflight_credit", "inflight_debit", "effective_date", "at", "seal", "hash"],
];

/** The entries of one balance. */
export class Chain {
  readonly #database: DatabaseSync;
  #insert: StatementSync | null = null;
  #version = 0;
  #credit = 0n;
  #debit = 0n;
  #hash = "";

  constructor(database: DatabaseSync) {
    this.#database = database;
    const newest = database.prepare("SELECT * FROM entries ORDER BY version DESC LIMIT 1").get();
    if (newest === undefined) return;
    this.#version = Number(newest.version);
    this.#credit = BigInt(String(newest.credit));
    this.#debit = BigInt(String(newest.debit));
    this.#hash = String(newest.hash);
  }

  /** Adds an entry; answers its version. */
  append(side: "source" | "destination", { id, attempt, at, amount, seal }: Moved): number {
    this.#version += 1;
    if (side === "source") this.#debit += amount;
    else this.#credit += amount;
    const content = [
      this.#version,
      `${id}.${attempt}.${side}`,
      id,
      side,
      "apply",
      amount.toString(),
      this.#credit.toString(),
      this.#debit.toString(),
      "0",
      "0",
      at,
      at,
      seal,
    ];
    this.#hash = sha256(JSON.stringify([this.#hash, ...content]));
    this.#insert ??= insertion(this.#database, "entries", {}, ENTRY_COLUMNS);
    this.#insert.run(...content, this.#hash);
    return this.#version;
  }

  sealOf(transactionId: string): string {
    const asked = "SELECT seal FROM entries WHERE transaction_id = ?";
    return String(rowOf(this.#database, asked, transactionId).seal);
  }
}

/** In hexadecimal. */
export const sha256 = (text: string): string => hash("sha256", text);

/** The one row of a question. Throws when there is none. */
export function rowOf(database: DatabaseSync, sql: string, ...values: readonly string[]): Row {
  const row = database.prepare(sql).get(...values);
  if (row === undefined) throw new Error(`nothing is there: ${sql} ${values.join(", ")}`);
  return row;
}

/** Inserts a row like another one, but for the columns whose values are given each time, in their order. */
export function insertion(
  database: DatabaseSync,
  table: string,
  like: Row,
  own: readonly string[],
): StatementSync {
  const shared = Object.keys(like).filter((column) => !own.includes(column));
  const values = [...own.map(() => "?"), ...shared.map((column) => literal(like[column] ?? null))];
  return database.prepare(
    `INSERT INTO ${table} (${[...own, ...shared].join(", ")}) VALUES (${values.join(", ")})`,
  );
}

function literal(value: SQLInputValue): string {
  if (value === null) return "NULL";
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
