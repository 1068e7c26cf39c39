/**
 * Gives a ledger a long past: writes transactions, as many as are wanted, straight into the files of a server that does not run.
 * They are copies of real ones that the server has made, with ids, entries, hashes and seals as it would have made them,
 * so that `GET /integrity` finds nothing wrong.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Chain, insertion, type Moved, type Row, rowOf, sha256 } from "./past-chain.ts";

/** Whose past it is, and which transactions to copy, by their references. */
export interface Past {
  readonly transactions: number;
  /** One side of every transaction. */
  readonly balanceId: string;
  /** The other sides, in turn. */
  readonly others: readonly string[];
  /** From the balance to another one. */
  readonly outgoing: string;
  /** From another one to the balance. */
  readonly incoming: string;
  /** One that was rejected: the oldest of the past are. */
  readonly rejected: string;
}

/** So few of a past, its oldest, were rejected: who looks for them must not have to walk over all the others. */
export const REJECTED = 5;
const SPACING_MS = 250;
const INSTANCE = "default";

/** Where the parts of a posting stand in its stored text. */
const POSTED = { id: 0, reference: 3, source: 6, destination: 7, hash: 23 } as const;

/** Writes the past into the state in `folder`. Throws when rows are not made as they are here. */
export function writePast(folder: string, past: Past): void {
  const state = new State(folder, past);
  const made = state.makeEntries();
  // In the order of the ids, which is that of the tables: a million rows at random places would take minutes.
  made.sort((a, b) => (a.id < b.id ? -1 : 1));
  state.writeJournal(made);
  state.writeRecords(made);
  state.close();
}

/** One transaction of the past. */
interface Made {
  readonly id: string;
  readonly reference: string;
  readonly template: Template;
  readonly sides: { readonly source: string; readonly destination: string };
  readonly at: string;
  readonly hash: string;
  readonly versions: { readonly source: number; readonly destination: number } | null;
}

/** A real transaction: its record in D1, its row in the journal, and what it posted. */
interface Template {
  readonly record: Row;
  readonly row: Row;
  readonly posted: readonly unknown[];
}

class State {
  readonly #past: Past;
  readonly #records: DatabaseSync;
  readonly #shards = new Map<number, DatabaseSync>();
  readonly #balances = new Map<string, Chain>();
  readonly #open: DatabaseSync[] = [];

  constructor(folder: string, past: Past) {
    this.#past = past;
    const databases = (kind: string) =>
      globSync(join(folder, "state", "v3", kind, "**", "*.sqlite"))
        .filter((file) => !file.endsWith("metadata.sqlite"))
        .map((file) => this.#opened(file));
    const [records] = databases("d1");
    if (records === undefined) throw new Error("there is no D1 in the state");
    this.#records = records;
    const objects = databases("do");
    const journal = objects.filter((each) => hasTable(each, "transactions"));
    for (const shard of journal) {
      const { id } = rowOf(shard, "SELECT min(transaction_id) AS id FROM transactions");
      this.#shards.set(shardByte(String(id)) % journal.length, shard);
    }
    if (this.#shards.size !== journal.length) throw new Error("a shard has no transaction yet");
    for (const balance of objects.filter((each) => hasTable(each, "entries"))) {
      const { balance_id: id } = rowOf(balance, "SELECT balance_id FROM profile");
      this.#balances.set(String(id), new Chain(balance));
    }
  }

  /** Adds the entries of all transactions to both their balances, the oldest first. */
  makeEntries(): Made[] {
    const { transactions, balanceId, others, outgoing, incoming, rejected } = this.#past;
    const [out, back, no] = [outgoing, incoming, rejected].map((each) => this.#template(each));
    if (out === undefined || back === undefined || no === undefined) throw new Error("no template");
    const startMs = Date.now() - (transactions + 60) * SPACING_MS;
    return Array.from({ length: transactions }, (_none, at) => {
      const template = at < REJECTED ? no : at % 2 === 0 ? out : back;
      // What is shown of a rejected one names its balances, so they are those of its template.
      const other = others[at < REJECTED ? 0 : Math.floor(at / 2) % others.length] ?? "";
      const sides =
        template === back
          ? { source: other, destination: balanceId }
          : { source: balanceId, destination: other };
      return this.#make(template, sides, { at, ms: startMs + at * SPACING_MS });
    });
  }

  writeJournal(made: readonly Made[]): void {
    const own = ["seq", "transaction_id", "posting", "created_at", "outcome"];
    const insertions = new Map<string, StatementSync>();
    for (const each of made) {
      const { row } = each.template;
      const shard = shardByte(each.id) % this.#shards.size;
      const key = `${shard} ${row.transaction_id}`;
      const insert =
        insertions.get(key) ?? insertion(this.#shardOf(shard), "transactions", row, own);
      insertions.set(key, insert);
      const { versions } = each;
      const outcome =
        versions === null
          ? (row.outcome ?? null)
          : `{"sourceVersion":${versions.source},"destinationVersion":${versions.destination}}`;
      insert.run(null, each.id, JSON.stringify(postedOf(each)), each.at, outcome);
    }
    for (const shard of this.#shards.values()) {
      shard.exec(
        `UPDATE transactions SET waits = 1 WHERE work <> 0;
         UPDATE mark SET seq = (SELECT max(seq) + 1 FROM transactions)`,
      );
    }
  }

  /** Indexes are made anew afterwards: that is quicker than to keep them up. */
  writeRecords(made: readonly Made[]): void {
    const own = [
      ...["transaction_id", "reference", "source", "destination", "created_at", "effective_date"],
      ...["hash", "source_version", "destination_version", "shown_meta_data"],
    ];
    const indexes = this.#records
      .prepare(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'transactions' AND sql LIKE 'CREATE INDEX%'",
      )
      .all();
    for (const { name } of indexes) this.#records.exec(`DROP INDEX ${name}`);
    const insertions = new Map<Template, StatementSync>();
    for (const each of made) {
      const { id, reference, template, sides, at, hash, versions } = each;
      const { record } = template;
      const insert =
        insertions.get(template) ?? insertion(this.#records, "transactions", record, own);
      insertions.set(template, insert);
      // What the ledger adds to the metadata names the transaction.
      const shown = record.shown_meta_data;
      const ownShown =
        typeof shown === "string" ? shown.replaceAll(String(record.transaction_id), id) : null;
      const [source, destination] = [versions?.source ?? null, versions?.destination ?? null];
      const parties = [sides.source, sides.destination];
      insert.run(id, reference, ...parties, at, at, hash, source, destination, ownShown);
    }
    for (const { sql } of indexes) this.#records.exec(String(sql));
  }

  close(): void {
    for (const database of this.#open) {
      database.exec("COMMIT; PRAGMA journal_mode = WAL");
      database.close();
    }
  }

  #make(
    template: Template,
    sides: Made["sides"],
    { at, ms }: { readonly at: number; readonly ms: number },
  ): Made {
    const reference = `past-${at}`;
    const id = `txn_${uuidV8(JSON.stringify([INSTANCE, reference]))}`;
    const instant = new Date(ms).toISOString().replace("Z", "000Z");
    const { currency, posted_amount: amount } = template.record;
    const rowHash = sha256(`${amount}${reference}${currency}${sides.source}${sides.destination}`);
    const made = { id, reference, template, sides, at: instant, hash: rowHash, versions: null };
    if (template.record.status !== "APPLIED") return made;
    const moved: Moved = {
      id,
      attempt: String(template.row.attempt),
      at: instant,
      amount: BigInt(String(template.posted[8])),
      seal: sealOf(postedOf(made)),
    };
    const source = this.#chainOf(sides.source).append("source", moved);
    const destination = this.#chainOf(sides.destination).append("destination", moved);
    return { ...made, versions: { source, destination } };
  }

  #template(reference: string): Template {
    const record = rowOf(
      this.#records,
      "SELECT * FROM transactions WHERE reference = ?",
      reference,
    );
    const id = String(record.transaction_id);
    const shard = this.#shardOf(shardByte(id) % this.#shards.size);
    const row = rowOf(shard, "SELECT * FROM transactions WHERE transaction_id = ?", id);
    const posted: unknown[] = JSON.parse(String(row.posting));
    if (record.status === "APPLIED") {
      const seal = this.#chainOf(String(record.source)).sealOf(id);
      if (seal !== sealOf(posted)) throw new Error("a seal is made of something else by now");
    }
    return { record, row, posted };
  }

  #shardOf(shard: number): DatabaseSync {
    const found = this.#shards.get(shard);
    if (found === undefined) throw new Error(`there is no shard ${shard}`);
    return found;
  }

  #chainOf(balanceId: string): Chain {
    const found = this.#balances.get(balanceId);
    if (found === undefined) throw new Error(`there is no balance ${balanceId}`);
    return found;
  }

  /** With a log a million rows would be written twice: nobody else is here, and who is interrupted starts again. */
  #opened(file: string): DatabaseSync {
    const database = new DatabaseSync(file);
    database.exec(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY; BEGIN",
    );
    this.#open.push(database);
    return database;
  }
}

function postedOf({ id, reference, sides, hash, template }: Made): unknown[] {
  const posted = [...template.posted];
  posted[POSTED.id] = id;
  posted[POSTED.reference] = reference;
  posted[POSTED.source] = { balanceId: sides.source, indicator: null };
  posted[POSTED.destination] = { balanceId: sides.destination, indicator: null };
  posted[POSTED.hash] = hash;
  return posted;
}

/** The seal of what was posted by one balance to another without an overdraft (docs/audit.md). */
function sealOf(posted: readonly unknown[]): string {
  const [id, kind, parent, reference, currency, description, source, destination, ...rest] = posted;
  const [amount, precision, major, text, overdraft, ...others] = rest;
  const [group] = others.slice(-2);
  const sides = [source, destination].flatMap((side) => [textIn(side, "balanceId"), null]);
  const head = [id, kind, parent, group, reference, currency, description, ...sides];
  const rule = textIn(overdraft, "kind");
  return sha256(
    JSON.stringify([...head, amount, precision, major, text, rule, ...others.slice(0, -2)]),
  );
}

function textIn(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function uuidV8(text: string): string {
  const hex = sha256(text);
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const shardByte = (id: string): number => Number.parseInt(id.slice(4, 6), 16);

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !==
  undefined;
