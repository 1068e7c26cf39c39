import type { BalanceSnapshot } from "../../domain/balance-record";
import { type Entry, FIRST_VERSION, GENESIS_HASH } from "../../domain/seal";
import type { Instant } from "../../domain/time";
import type { FundMove, FundsStore } from "./funds";

/** The end of a chain. */
export interface ChainEnd {
  readonly version: number;
  readonly hash: string;
  /** When its entry was made; "" while there is none. */
  readonly at: string;
}

/** What is asked of a balance's funds beside some of its entries. */
export interface FundsAsked {
  readonly salt: string;
  /** Versions of earlier entries that were not traced when they were looked at. */
  readonly untraced: readonly number[];
  /** Entries older than this that are not traced never will be. */
  readonly since: Instant;
}

/** What a balance has of each provider beside what some of its changes moved, each as one number. */
export interface FundsLook {
  /** What the entries moved, with those that were not traced before. */
  readonly moved: bigint;
  /** What it has by now. */
  readonly has: bigint;
  /** Versions of those that are not traced yet. */
  readonly untraced: readonly number[];
}

/** Entries after a version, so many, and what is asked of funds beside them. */
export interface EvidenceAsked {
  readonly after: number;
  readonly limit: number;
  readonly funds?: FundsAsked | null;
}

/** Some of a balance's entries, and the balance beside them, all as they are on disk. */
export interface Evidence {
  /** The profile as it is on disk, with the amounts that the newest entry gives; null when they cannot be read. */
  readonly stored: BalanceSnapshot | null;
  /** The balance as the object uses it. */
  readonly used: BalanceSnapshot;
  /** What made it, and the seal of its profile. */
  readonly createdBy: string;
  readonly seal: string;
  /** The entry before those asked for; null when they begin with the first, or when it is not there. */
  readonly before: Entry | null;
  /** Whether what it knows of whose money it has is what was written. */
  readonly areFundsSound: boolean;
  /** Null when nobody asked, when it has none, or when what is stored makes no sense. */
  readonly funds: FundsLook | null;
  readonly entries: readonly Entry[];
  readonly newest: ChainEnd;
  /** Groups that it keeps money back for, a hundred of them. Absent from an object of an older version, as what follows. */
  readonly reservations?: readonly string[];
  /** Whether it keeps back what is on disk. */
  readonly isReservedSound?: boolean;
}

/** An entry among its neighbours. */
export interface EntryPlace {
  readonly entry: Entry;
  /** The hash that it was made on: that of the entry before it. */
  readonly before: string;
  /** That entry; null when there is none. Absent from an object of an older version. */
  readonly previous?: Entry | null;
  /** The entry that was made on its hash; null when it is the newest. */
  readonly next: Entry | null;
  readonly newest: ChainEnd;
  /** Whose money it moved; null when the balance does not track that. */
  readonly move: FundMove | null;
}

/** An entry as its table has it. */
export type EntryRow = {
  version: number;
  op: string;
  transaction_id: string;
  side: string;
  action: string;
  amount: string;
  credit: string;
  debit: string;
  inflight_credit: string;
  inflight_debit: string;
  effective_date: string;
  at: string;
  hash: string;
  seal: string;
};

/** Reads entries as they are on disk, whatever the object has in memory. The schema must be there. */
export class EntryReader {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Those after a version, in order. */
  after(version: number, limit: number): Entry[] {
    return this.#select("WHERE version > ? ORDER BY version LIMIT ?", version, limit);
  }

  /** The one of a version; null when there is none. */
  at(version: number): Entry | null {
    return this.#select("WHERE version = ?", version)[0] ?? null;
  }

  /** The end of the chain. */
  newest(): ChainEnd {
    const [newest] = this.#select("ORDER BY version DESC LIMIT 1");
    return newest === undefined
      ? { version: FIRST_VERSION, hash: GENESIS_HASH, at: "" }
      : { version: newest.version, hash: newest.hash, at: newest.at };
  }

  /** The entry of an operation among its neighbours; null when there is none. */
  placeOf(op: string, newest: ChainEnd, funds: FundsStore): EntryPlace | null {
    const [entry] = this.#select("WHERE op = ?", op);
    if (entry === undefined) return null;
    const previous = this.at(entry.version - 1);
    const before = previous?.hash ?? GENESIS_HASH;
    const next = this.at(entry.version + 1);
    return { entry, before, previous, next, newest, move: funds.moveOf(op, entry) };
  }

  /** What its reservations are named by. With many of them it is a part, each time another. */
  reservations(): string[] {
    return this.#sql
      .exec<{ key: string }>("SELECT key FROM reservations ORDER BY random() LIMIT 100")
      .toArray()
      .map(({ key }) => key);
  }

  #select(where: string, ...values: (string | number)[]): Entry[] {
    return this.#sql
      .exec<EntryRow>(`SELECT * FROM entries ${where}`, ...values)
      .toArray()
      .map((row) => ({
        version: row.version,
        op: row.op,
        transactionId: row.transaction_id,
        side: row.side,
        action: row.action,
        amount: row.amount,
        credit: row.credit,
        debit: row.debit,
        inflightCredit: row.inflight_credit,
        inflightDebit: row.inflight_debit,
        effectiveDate: row.effective_date,
        at: row.at,
        seal: row.seal,
        hash: row.hash,
      }));
  }
}
