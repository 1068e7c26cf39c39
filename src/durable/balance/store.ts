import { type Amounts, NO_AMOUNTS } from "../../domain/balance";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import { isBalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { type Entry, entryHash, FIRST_VERSION, GENESIS_HASH, profileSeal } from "../../domain/seal";
import type { Instant } from "../../domain/time";
import { hasSchema, type Migration, migrate } from "../migrate";
import {
  type EntryPlace,
  EntryReader,
  type EntryRow,
  type Evidence,
  type EvidenceAsked,
  type FundsAsked,
  type FundsLook,
} from "./evidence";
import { FundsStore } from "./funds";
import { HISTORY_INDEX, type Settled, settledAt } from "./history";
import type { MoneyOperation } from "./protocol";

const MIGRATIONS: readonly Migration[] = [
  // One row an entry: it carries the balances after it, so the newest entry is the balance.
  `CREATE TABLE entries (
     version INTEGER PRIMARY KEY,
     op TEXT NOT NULL UNIQUE,
     transaction_id TEXT NOT NULL,
     side TEXT NOT NULL,
     action TEXT NOT NULL,
     amount TEXT NOT NULL,
     credit TEXT NOT NULL,
     debit TEXT NOT NULL,
     inflight_credit TEXT NOT NULL,
     inflight_debit TEXT NOT NULL,
     effective_date TEXT NOT NULL,
     at TEXT NOT NULL,
     hash TEXT NOT NULL
   );
   CREATE TABLE profile (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     balance_id TEXT NOT NULL,
     ledger_id TEXT NOT NULL,
     identity_id TEXT NOT NULL,
     currency TEXT NOT NULL,
     indicator TEXT NOT NULL,
     created_at TEXT NOT NULL,
     meta_data TEXT,
     track_fund_lineage INTEGER NOT NULL,
     allocation_strategy TEXT NOT NULL,
     profile_version INTEGER NOT NULL,
     created_by TEXT NOT NULL
   );
   CREATE TABLE tombstones (op TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE reservations (
     key TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     deficit TEXT NOT NULL
   ) WITHOUT ROWID;`,
  // "" in both: older than seals. Profiles get theirs below.
  `ALTER TABLE entries ADD COLUMN seal TEXT NOT NULL DEFAULT '';
   ALTER TABLE profile ADD COLUMN seal TEXT NOT NULL DEFAULT '';`,
  HISTORY_INDEX,
  sealOlderProfile,
];

const TOMBSTONE_MS = 60 * 24 * 3_600_000;

/** A balance as the object keeps it in memory: the snapshot, what made it, and the end of its hash chain. */
export interface StoredBalance {
  readonly snapshot: BalanceSnapshot;
  /** The operation that made it by indicator, or "" when it was made by hand. */
  readonly createdBy: string;
  readonly hash: string;
  /** When its newest entry was made; "" while there is none. */
  readonly at: Instant;
}

/** An entry as it was stored: what a repeat of its operation is answered from. */
export interface StoredEntry {
  readonly version: number;
  readonly at: Instant;
  readonly side: string;
  readonly action: string;
  readonly amount: bigint;
}

/** The SQLite of one balance. Amounts are TEXT: SQLite's integers end at 64 bits. */
export class BalanceStore {
  readonly #storage: DurableObjectStorage;
  #hasSchema: boolean;
  /** Almost no balance has any: then nobody looks for them. */
  #hasTombstones: boolean;
  #funds: FundsStore | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#hasSchema = hasSchema(storage);
    if (this.#hasSchema) migrate(storage, MIGRATIONS);
    this.#hasTombstones =
      this.#hasSchema && storage.sql.exec("SELECT 1 FROM tombstones LIMIT 1").toArray().length > 0;
  }

  /** Whose money it is: only of a balance that tracks its funds. */
  get funds(): FundsStore {
    this.#funds ??= new FundsStore(this.#storage.sql);
    return this.#funds;
  }

  /** The balance, or null when nobody has made it. */
  load(): StoredBalance | null {
    if (!this.#hasSchema) return null;
    const [profile] = this.#storage.sql.exec<ProfileRow>("SELECT * FROM profile");
    if (profile === undefined) return null;
    const [entry] = this.#storage.sql.exec<EntryRow>(
      "SELECT * FROM entries ORDER BY version DESC LIMIT 1",
    );
    return {
      snapshot: {
        ...profileOf(profile),
        ...(entry === undefined ? NO_AMOUNTS : amountsOf(entry)),
        version: entry?.version ?? FIRST_VERSION,
        profileVersion: profile.profile_version,
      },
      createdBy: profile.created_by,
      hash: entry?.hash ?? GENESIS_HASH,
      at: entry?.at ?? "",
    };
  }

  /** The amounts that the balance had at a version; null when no entry tells. */
  amountsAt(version: number): Amounts | null {
    if (!this.#hasSchema) return null;
    const [row] = this.#storage.sql.exec<EntryRow>(
      "SELECT * FROM entries WHERE version = ?",
      version,
    );
    return row === undefined ? null : amountsOf(row);
  }

  /** What had settled by a moment, by the effective dates of the entries. The balance must be there. */
  settledAt(moment: Instant, newest: StoredBalance): Settled {
    return settledAt(this.#storage.sql, moment, newest.snapshot);
  }

  /** The balance as it is on disk, beside the one that is used and what that keeps back, with entries after a version. */
  evidence(asked: EvidenceAsked, used: BalanceSnapshot, reserved: bigint): Evidence {
    const { after, limit, funds = null } = asked;
    const [profile] = this.#storage.sql.exec<{ created_by: string; seal: string }>(
      "SELECT created_by, seal FROM profile",
    );
    const reader = new EntryReader(this.#storage.sql);
    const entries = reader.after(after, limit);
    const looked = funds === null ? null : this.#fundsOf(entries, funds, reader);
    return {
      stored: this.#readable(),
      used,
      createdBy: profile?.created_by ?? "",
      seal: profile?.seal ?? "",
      before: reader.at(after),
      areFundsSound: this.funds.isSound && looked !== "senseless",
      funds: looked === "senseless" ? null : looked,
      entries,
      newest: reader.newest(),
      reservations: reader.reservations(),
      isReservedSound: this.#isReserved(reserved),
    };
  }

  /** The entries of operations among their neighbours; null for those that were not applied. */
  placesOf(ops: readonly string[]): (EntryPlace | null)[] {
    if (!this.#hasSchema) return ops.map(() => null);
    const reader = new EntryReader(this.#storage.sql);
    const newest = reader.newest();
    return ops.map((op) => reader.placeOf(op, newest, this.funds));
  }

  /** The entry that an operation made, if it was applied. */
  entryOf(op: string): StoredEntry | null {
    if (!this.#hasSchema) return null;
    const [row] = this.#storage.sql.exec<Omit<StoredEntry, "amount"> & { amount: string }>(
      "SELECT version, at, side, action, amount FROM entries WHERE op = ?",
      op,
    );
    if (row === undefined) return null;
    const { version, at, side, action } = row;
    return { version, at, side, action, amount: BigInt(row.amount) };
  }

  /** What a reservation was made for, as a digest; null when there is none. */
  reservationOf(key: string): { digest: string; deficit: bigint } | null {
    if (!this.#hasSchema) return null;
    const [row] = this.#storage.sql.exec<{ digest: string; deficit: string }>(
      "SELECT digest, deficit FROM reservations WHERE key = ?",
      key,
    );
    return row === undefined ? null : { digest: row.digest, deficit: BigInt(row.deficit) };
  }

  /** Minor units that all reservations keep back. */
  reserved(): bigint {
    if (!this.#hasSchema) return 0n;
    return this.#storage.sql
      .exec<{ deficit: string }>("SELECT deficit FROM reservations")
      .toArray()
      .reduce((sum, { deficit }) => sum + BigInt(deficit), 0n);
  }

  reserve(key: string, digest: string, deficit: bigint): void {
    this.#ensureSchema();
    const text = deficit.toString();
    this.#storage.sql.exec("INSERT INTO reservations VALUES (?, ?, ?)", key, digest, text);
  }

  endReservation(key: string): void {
    this.#storage.sql.exec("DELETE FROM reservations WHERE key = ?", key);
  }

  /** Whether an operation was cancelled before it could be applied. */
  isCancelled(op: string): boolean {
    if (!this.#hasTombstones) return false;
    return this.#storage.sql.exec("SELECT 1 FROM tombstones WHERE op = ?", op).toArray().length > 0;
  }

  /** Refuses an operation for good; the tombstone outlives every call that may still be on its way. */
  cancel(op: string, nowMs: number): void {
    this.#ensureSchema();
    this.#hasTombstones = true;
    this.#storage.sql.exec("DELETE FROM tombstones WHERE at < ?", nowMs - TOMBSTONE_MS);
    this.#storage.sql.exec("INSERT OR IGNORE INTO tombstones VALUES (?, ?)", op, nowMs);
  }

  /** Makes the balance; `createdBy` is the operation that did, or "". */
  create(profile: BalanceProfile, createdBy: string): StoredBalance {
    this.#ensureSchema();
    const snapshot = { ...profile, ...NO_AMOUNTS, version: FIRST_VERSION, profileVersion: 1 };
    this.#writeProfile(snapshot, createdBy);
    return { snapshot, createdBy, hash: GENESIS_HASH, at: "" };
  }

  /** Replaces the profile, one version on. */
  saveProfile(before: StoredBalance, profile: BalanceProfile): StoredBalance {
    const profileVersion = before.snapshot.profileVersion + 1;
    const snapshot = { ...before.snapshot, ...profile, profileVersion };
    this.#writeProfile(snapshot, before.createdBy);
    return { ...before, snapshot };
  }

  /**
   * Adds the entry of an operation, one version on, sealed with the hash of the entry before it; null when the operation
   * has its entry already.
   */
  append(
    before: StoredBalance,
    operation: MoneyOperation,
    after: Amounts,
    at: Instant,
  ): StoredBalance | null {
    const version = before.snapshot.version + 1;
    const { seal = "" } = operation;
    const row = [
      version,
      operation.op,
      operation.transactionId,
      operation.side,
      operation.action,
      operation.amount.toString(),
      after.credit.toString(),
      after.debit.toString(),
      after.inflightCredit.toString(),
      after.inflightDebit.toString(),
      operation.effectiveDate,
      at,
    ];
    const hash = entryHash(before.hash, seal === "" ? row : [...row, seal]);
    const inserted = this.#storage.sql.exec(
      `INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (op) DO NOTHING`,
      ...row,
      hash,
      seal,
    );
    if (inserted.rowsWritten === 0) return null;
    return { ...before, snapshot: { ...before.snapshot, ...after, version }, hash, at };
  }

  #fundsOf(
    entries: readonly Entry[],
    asked: FundsAsked,
    reader: EntryReader,
  ): FundsLook | "senseless" | null {
    const earlier = asked.untraced.flatMap((version) => reader.at(version) ?? []);
    try {
      return this.funds.look([...earlier, ...entries], asked);
    } catch {
      return "senseless";
    }
  }

  /** Whether reservations on disk keep back so much. */
  #isReserved(minor: bigint): boolean {
    try {
      return this.reserved() === minor;
    } catch {
      return false;
    }
  }

  /** What is on disk; null when it makes no sense. */
  #readable(): BalanceSnapshot | null {
    try {
      return this.load()?.snapshot ?? null;
    } catch {
      return null;
    }
  }

  #ensureSchema(): void {
    if (this.#hasSchema) return;
    migrate(this.#storage, MIGRATIONS);
    this.#hasSchema = true;
  }

  #writeProfile(snapshot: BalanceSnapshot, createdBy: string): void {
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO profile VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      snapshot.balanceId,
      snapshot.ledgerId,
      snapshot.identityId,
      snapshot.currency,
      snapshot.indicator,
      snapshot.createdAt,
      snapshot.metaData,
      snapshot.trackFundLineage ? 1 : 0,
      snapshot.allocationStrategy,
      snapshot.profileVersion,
      createdBy,
      profileSeal(snapshot, snapshot.profileVersion, createdBy),
    );
  }
}

/**
 * Seals a profile that is older than seals. It happens once in an object's life, as the version of its schema tells: a profile
 * that has no seal later has lost it.
 */
function sealOlderProfile(sql: SqlStorage): void {
  const [row] = sql.exec<ProfileRow>("SELECT * FROM profile WHERE seal = ''");
  if (row === undefined) return;
  const seal = profileSeal(profileOf(row), row.profile_version, row.created_by);
  sql.exec("UPDATE profile SET seal = ?", seal);
}

type ProfileRow = {
  balance_id: string;
  ledger_id: string;
  identity_id: string;
  currency: string;
  indicator: string;
  created_at: string;
  meta_data: string | null;
  track_fund_lineage: number;
  allocation_strategy: string;
  profile_version: number;
  created_by: string;
};

const amountsOf = (row: EntryRow): Amounts => ({
  credit: BigInt(row.credit),
  debit: BigInt(row.debit),
  inflightCredit: BigInt(row.inflight_credit),
  inflightDebit: BigInt(row.inflight_debit),
});

function profileOf(row: ProfileRow): BalanceProfile {
  invariant(isBalanceId(row.balance_id), "a balance is stored under its id");
  return {
    balanceId: row.balance_id,
    ledgerId: row.ledger_id,
    identityId: row.identity_id,
    currency: row.currency,
    indicator: row.indicator,
    createdAt: row.created_at,
    metaData: row.meta_data,
    trackFundLineage: row.track_fund_lineage === 1,
    allocationStrategy: row.allocation_strategy,
  };
}
