import type { BalanceSnapshot } from "../../domain/balance-record";
import type { LedgerEvent } from "../../domain/event";
import type { BalanceId, TransactionId } from "../../domain/ids";
import type { Transaction } from "../../domain/transaction";
import { balanceCreatedEvent, transactionEvent } from "../../schemas/event";
import { elapsedMs } from "../elapsed";
import { DirtyRows } from "./dirty-rows";
import { Gathering } from "./gathering";
import { type Made, MadeBalances } from "./made-balances";
import type { Records } from "./records";
import { needs, type Row, Work } from "./row";
import { isNewer, type JournalStore } from "./store";

/** At most this many rows leave in one round. */
const ROUND_ROWS = 400;
/** Rounds start at most this often, unless a full one or somebody is waiting: fewer, larger D1 batches. */
const ROUND_MS = 1_000;
/** A round that failed is tried again after this long, then after twice as long, up to the longest. */
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/** What the flusher needs of its shard. */
export interface FlusherHost {
  checkpoint(step: string): void | Promise<void>;
  /** One D1 batch; an older revision never overwrites a newer one there. */
  project(batch: {
    readonly transactions: readonly Transaction[];
    readonly balances: readonly BalanceSnapshot[];
  }): Promise<void>;
  sendApply(ids: readonly TransactionId[]): Promise<void>;
  /** Whether anybody listens: without a receiver no event is made. */
  readonly hasReceivers: boolean;
  sendEvents(events: readonly LedgerEvent[]): Promise<void>;
  /** The balance as its object has it. */
  readBalance(balanceId: BalanceId): Promise<BalanceSnapshot | null>;
  isDriving(row: Row): boolean;
  /** Whether all that an earlier life left is in memory, or waits for its time. */
  isRecovered(): boolean;
  troubled(error: unknown): void;
}

interface Captured {
  readonly row: Row;
  readonly transaction: Transaction;
}

/**
 * Takes what is finished or QUEUED to D1 and to the queues, many rows in a round, one round at a time.
 * A row is settled when its final state is written, D1 has it and its event was sent.
 */
export class Flusher {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #host: FlusherHost;
  readonly #dirty = new DirtyRows();
  readonly #snapshots = new Map<BalanceId, BalanceSnapshot>();
  /** QUEUED rows on their way to the queue: the more go together, the more of one balance are applied by one call. */
  readonly #queued = new Gathering<Row>((rows) => this.#sendQueued(rows));
  readonly #made: MadeBalances;
  #balancesDirty = 0;
  #running = false;
  #inFlight = 0;
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly atOnce: boolean } | null =
    null;
  #lastRoundMs = 0;
  #failures = 0;
  #failingSinceMs = 0;
  /** Those of the round under way. */
  #flying: readonly Captured[] = [];
  #waiters: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly host: FlusherHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#host = parts.host;
    this.#made = new MadeBalances({
      balances: parts.store.balances,
      host: {
        readBalance: (balanceId) => parts.host.readBalance(balanceId),
        again: (at) => this.#readAgain(at),
        troubled: (error) => parts.host.troubled(error),
      },
    });
  }

  /** A row has something to project or to announce. */
  mark(row: Row): void {
    this.#records.keep(row);
    this.#dirty.add(row);
    this.#wake();
  }

  /** Whether a row is on its way to D1 and to the receivers. */
  has(row: Row): boolean {
    return this.#dirty.has(row) || this.#flying.some((flying) => flying.row === row);
  }

  /** For how long no round has come to its end, in milliseconds; 0 when the last one has. */
  failingMs(nowMs: number): number {
    return this.#failures === 0 ? 0 : elapsedMs(this.#failingSinceMs, nowMs);
  }

  /** A QUEUED row is to be applied. It does not wait for D1: what is final by then is written there once. */
  queue(row: Row): void {
    this.#queued.add(row);
  }

  /** The newest state of a balance; it leaves with the row that led to it. */
  observe(snapshot: BalanceSnapshot): void {
    const known = this.#snapshots.get(snapshot.balanceId);
    if (known === undefined || isNewer(snapshot, known)) {
      this.#snapshots.set(snapshot.balanceId, snapshot);
    }
  }

  /** A balance on the shard's list has work left. */
  markBalances(): void {
    if (this.#balancesDirty === 0) this.#balancesDirty = this.#dirty.tick();
    this.#wake();
  }

  #readAgain(at: number): void {
    this.#balancesDirty = this.#balancesDirty === 0 ? at : Math.min(at, this.#balancesDirty);
    this.#wake();
  }

  /** Resolves when everything that was marked before the call has left. */
  flushed(): Promise<void> {
    const until = this.#dirty.clock;
    if (this.#oldest() > until) return Promise.resolve();
    const done = new Promise<void>((resolve) => this.#waiters.push({ until, resolve }));
    this.#wake();
    return done;
  }

  #oldest(): number {
    const balances = this.#balancesDirty === 0 ? Number.POSITIVE_INFINITY : this.#balancesDirty;
    const flying = this.#inFlight === 0 ? Number.POSITIVE_INFINITY : this.#inFlight;
    return Math.min(this.#dirty.oldest, balances, flying, this.#made.behindSince);
  }

  /** Sets the next round: at once when one is full or somebody waits, else a little later. */
  #wake(): void {
    if (this.#running || this.#timer?.atOnce) return;
    const atOnce = this.#waiters.length > 0 || this.#dirty.readyCount >= ROUND_ROWS;
    if (this.#timer !== null) {
      if (!atOnce) return;
      clearTimeout(this.#timer.handle);
    }
    const wait = atOnce ? 0 : Math.max(0, ROUND_MS - elapsedMs(this.#lastRoundMs, Date.now()));
    this.#timer = { atOnce, handle: setTimeout(() => this.#start(), wait) };
  }

  #start(): void {
    this.#timer = null;
    this.#running = true;
    this.#lastRoundMs = Date.now();
    this.#round()
      .then(() => {
        this.#failures = 0;
        this.#running = false;
        this.#release();
        if (!this.#dirty.isEmpty || this.#balancesDirty !== 0) this.#wake();
      })
      .catch((error: unknown) => this.#recover(error));
  }

  #recover(error: unknown): void {
    this.#host.troubled(error);
    if (this.#failures === 0) this.#failingSinceMs = Date.now();
    this.#failures += 1;
    const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures, 10));
    setTimeout(() => {
      this.#running = false;
      this.#wake();
    }, wait);
  }

  #release(): void {
    if (this.#waiters.length === 0) return;
    const oldest = this.#oldest();
    const ready = this.#waiters.filter(({ until }) => until < oldest);
    this.#waiters = this.#waiters.filter(({ until }) => until >= oldest);
    for (const { resolve } of ready) resolve();
  }

  async #round(): Promise<void> {
    const { rows, oldest } = this.#take();
    const snapshots = [...this.#snapshots.values()];
    this.#snapshots.clear();
    const balancesAt = this.#balancesDirty;
    this.#balancesDirty = 0;
    this.#flying = rows;
    this.#inFlight = Math.min(oldest, balancesAt === 0 ? Number.POSITIVE_INFINITY : balancesAt);
    if (this.#inFlight === Number.POSITIVE_INFINITY) this.#inFlight = 0;
    try {
      await this.#send(rows, snapshots, balancesAt);
      this.#inFlight = 0;
    } catch (error) {
      this.#putBack(rows, snapshots, balancesAt);
      throw error;
    } finally {
      this.#flying = [];
    }
  }

  #take(): { rows: Captured[]; oldest: number } {
    // After trouble fewer at a time: a row that D1 or a queue will not take must not keep the others.
    const limit = Math.max(1, ROUND_ROWS >> (2 * Math.min(this.#failures, 4)));
    // Who waits, waits for the oldest.
    const order = this.#waiters.length > 0 ? "oldest" : "ready";
    const { rows, oldest } = this.#dirty.take(limit, order);
    const captured = rows.map((row) => ({ row, transaction: this.#records.shown(row) }));
    return { rows: captured, oldest };
  }

  #putBack(rows: readonly Captured[], snapshots: readonly BalanceSnapshot[], balancesAt: number) {
    this.#dirty.putBack(
      rows.map(({ row }) => row),
      this.#inFlight,
    );
    for (const snapshot of snapshots) this.observe(snapshot);
    if (balancesAt !== 0) this.#balancesDirty = balancesAt;
    this.#inFlight = 0;
  }

  async #send(
    rows: readonly Captured[],
    snapshots: readonly BalanceSnapshot[],
    balancesAt: number,
  ): Promise<void> {
    const made = balancesAt === 0 ? [] : await this.#balancesMade(balancesAt);
    const balances = newestOf([...snapshots, ...made.map(({ snapshot }) => snapshot)]);
    const transactions = rows
      .map(({ transaction }) => transaction)
      .filter(({ kind }) => kind !== "split");
    if (transactions.length > 0 || balances.length > 0) {
      await this.#host.project({ transactions, balances });
    }
    await this.#host.checkpoint("flush:projected");
    const created = made.filter(({ announce }) => announce).map(({ snapshot }) => snapshot);
    await this.#sendEvents(rows, created);
    await this.#host.checkpoint("flush:sent");
    this.#settle(rows, made);
    await this.#host.checkpoint("flush:settled");
  }

  async #balancesMade(balancesAt: number): Promise<Made[]> {
    const { made, isMore } = await this.#made.read(balancesAt);
    // Who waits for the first of them waits for the rest.
    if (isMore) this.#readAgain(balancesAt);
    return made;
  }

  /** What cannot be sent now is found by the sweep. */
  #sendQueued(rows: readonly Row[]): void {
    const ids = rows
      .filter((row) => row.status === "QUEUED")
      .map(({ posting }) => posting.transactionId);
    if (ids.length === 0) return;
    this.#host.sendApply(ids).catch((error: unknown) => this.#host.troubled(error));
  }

  async #sendEvents(rows: readonly Captured[], created: readonly BalanceSnapshot[]): Promise<void> {
    if (!this.#host.hasReceivers) return;
    const events = [
      ...created.map(balanceCreatedEvent),
      ...rows
        .filter(({ row, transaction }) => isFinal(transaction) && needs(row, Work.Announce))
        .map(({ transaction }) => transactionEvent(transaction)),
    ];
    if (events.length === 0) return;
    await this.#host.sendEvents(events);
    await this.#host.checkpoint("flush:events-sent");
  }

  /** What changed meanwhile stays dirty: only the revision that left is settled. */
  #settle(sent: readonly Captured[], balances: readonly Made[]): void {
    // What was marked twice may have been let go meanwhile, and changed since in another copy: that one counts.
    const rows = sent.filter(({ row }) => this.#records.isLive(row));
    this.#store.transaction(() => {
      for (const { row, transaction } of rows) settleRow(row, transaction);
      // A QUEUED row is never settled: it is on disk as it is, and its next sweep stands.
      const idle = rows.map(({ row }) => row).filter(isIdle);
      this.#store.saveEnds(idle.filter(isPlainEnd));
      for (const row of idle) if (!isPlainEnd(row)) this.#store.save(row);
      for (const balance of balances) this.#store.balances.done(balance);
    });
    // A row that is being driven has one copy in memory, whatever its state on disk: its drive lets go of it.
    for (const { row } of rows) {
      if (isLeft(row) && !this.#host.isDriving(row)) this.#records.drop(row);
    }
    if (this.#host.isRecovered()) this.#store.settled(rows.length, this.#records.live);
  }
}

/** What was sent is no longer to be sent. */
function settleRow(row: Row, sent: Transaction): void {
  if (isFinal(sent)) row.work &= ~Work.Announce;
  if (row.revision === sent.revision) row.work &= ~Work.Project;
}

/** Nothing is left to do, and its outcome is all that the disk does not have. */
const isPlainEnd = ({ work, outcome }: Row): boolean => work === 0 && outcome !== null;

/** Nothing is left to do before its time comes, if it has one. */
const isIdle = (row: Row): boolean =>
  row.status === "SCHEDULED"
    ? !needs(row, Work.Project)
    : !needs(row, Work.Drive | Work.Project | Work.Announce);

/** The same, and its shadows are made: nobody works on the copy in memory. */
const isLeft = (row: Row): boolean => isIdle(row) && !needs(row, Work.Shadow);

const isFinal = ({ status }: Transaction): boolean => status !== "QUEUED" && status !== "SCHEDULED";

function newestOf(snapshots: readonly BalanceSnapshot[]): BalanceSnapshot[] {
  const newest = new Map<BalanceId, BalanceSnapshot>();
  for (const snapshot of snapshots) {
    const known = newest.get(snapshot.balanceId);
    if (known === undefined || isNewer(snapshot, known)) newest.set(snapshot.balanceId, snapshot);
  }
  return [...newest.values()];
}
