import type { BalanceId, TransactionId } from "../../domain/ids";
import { mergeMetaData } from "../../domain/metadata";
import type { Posting } from "../../domain/transaction";
import { Turn } from "../turn";
import { Admission, balancesMoved } from "./admission";
import { AlarmClock } from "./alarm-clock";
import { Answers } from "./answers";
import { BalanceBook, type BalanceBookHost } from "./balance-book";
import { Batches, type BatchesHost } from "./batches";
import { Claims, type ClaimsHost } from "./claims";
import { Patience, within } from "./deadline";
import { Driver } from "./driver";
import { writeMerged } from "./endings";
import { Entrance } from "./entrance";
import { Flusher, type FlusherHost } from "./flusher";
import { GroupSaga, type GroupSagaHost } from "./group-saga";
import { Inspection } from "./inspection";
import { KeyClaims } from "./key-claims";
import { type LaneHost, Lanes } from "./lanes";
import { OldKeys } from "./old-keys";
import type { MergeOutcome, RecordRequest } from "./protocol";
import { queuedAmounts } from "./queued-amounts";
import { Recorder } from "./recorder";
import { Records } from "./records";
import { Recovery } from "./recovery";
import { storedKey } from "./replies";
import {
  type Driven,
  isHalfDone,
  isHidden,
  isRecord,
  isTooLong,
  needs,
  type Row,
  rowOf,
  Work,
} from "./row";
import { Settlements } from "./settlements";
import { Shadows, type ShadowsHost } from "./shadows";
import { Splits } from "./splits";
import { JournalStore } from "./store";
import { Tracing } from "./tracing";

/** The alarm comes back this soon while anything is overdue. */
const ALARM_MS = 5_000;
/** The first alarm of a life that finds work of an earlier one. */
const WAKE_MS = 1_000;
/** How long a request waits for a saga before it answers that the outcome is unknown. */
export const PATIENCE_MS = 15_000;

/** What surrounds a shard: its storage, the other objects, D1 and the queues. */
export interface ShardHost
  extends Omit<LaneHost, "observed">,
    Omit<BalanceBookHost, "checkpoint">,
    Omit<FlusherHost, "checkpoint" | "isDriving" | "isRecovered" | "troubled">,
    Pick<GroupSagaHost, "claim" | "settleClaims" | "shard">,
    Pick<BatchesHost, "recordItems" | "sendJob">,
    Pick<ClaimsHost, "resolve">,
    Pick<ShadowsHost, "shards" | "record" | "settle"> {
  readonly ctx: DurableObjectState;
  readonly instance: string;
  checkpoint(step: string): void | Promise<void>;
  log(event: string, error: unknown): void;
}

/** The parts of a journal shard, put together, and what they share. */
export class Shard {
  readonly store: JournalStore;
  readonly records: Records;
  readonly driver: Driver;
  readonly flusher: Flusher;
  readonly recorder: Recorder;
  readonly settlements: Settlements;
  readonly balances: BalanceBook;
  readonly claims: Claims;
  readonly batches: Batches;
  readonly keys: KeyClaims;
  readonly answers: Answers;
  readonly shadows: Shadows;
  readonly #oldKeys: OldKeys;
  readonly #recovery: Recovery;
  readonly #admission: Admission;
  readonly #alarm: AlarmClock;
  readonly #patience = new Patience(PATIENCE_MS);
  readonly #turn = new Turn();
  readonly #entrance = new Entrance(this.#turn);
  readonly #checkpoint: ShardHost["checkpoint"];
  readonly #log: ShardHost["log"];

  constructor(host: ShardHost) {
    const { instance } = host;
    const checkpoint = (step: string) => host.checkpoint(step);
    this.#checkpoint = checkpoint;
    this.#log = (event, error) => host.log(event, error);
    const inserted = (rows: readonly Row[]) => this.#inserted(rows);
    const finished = (row: Row) => this.#finished(row);
    const balanceMade = (balanceId: BalanceId) => this.balances.made(balanceId);
    const newRow = (posting: Posting, operationKey: string, fingerprint: string) =>
      rowOf({ posting, operationKey, fingerprint, createdAt: records.now() });
    const store = new JournalStore(host.ctx.storage);
    const records = new Records(store);
    const lanes = this.#newLanes(host);
    const admission = this.#newAdmission(records, lanes);
    const common = { store, records, admission };
    const tracing = new Tracing({ lanes, host: { checkpoint } });
    const saga = new GroupSaga({ lanes, tracing, host: { ...host, checkpoint, balanceMade } });
    const splits = new Splits({ ...common, saga, host: { checkpoint, finished } });
    const drive = (row: Row) => this.driver.drive(row);
    this.store = store;
    this.records = records;
    this.#admission = admission;
    this.#alarm = new AlarmClock(host.ctx);
    this.claims = new Claims({
      ...common,
      host: {
        checkpoint,
        inserted,
        finished,
        drive,
        resolve: (at, asked) => host.resolve(at, asked),
      },
    });
    this.driver = new Driver({
      ...common,
      lanes,
      splits,
      claims: this.claims,
      host: { checkpoint, finished, balanceMade },
    });
    this.flusher = new Flusher({
      ...common,
      host: {
        ...host,
        checkpoint,
        isDriving: (row) => this.driver.isDriving(row),
        isRecovered: () => this.#recovery.isComplete,
        troubled: (error) => host.log("journal.flush_failed", error),
      },
    });
    this.balances = new BalanceBook({
      store,
      flusher: this.flusher,
      alarm: this.#alarm,
      host: { checkpoint, ask: (balanceId, call) => host.ask(balanceId, call) },
    });
    this.shadows = this.#newShadows(host);
    this.keys = new KeyClaims(store);
    this.answers = new Answers(this.keys);
    this.#oldKeys = new OldKeys(host.ctx.storage, store);
    this.batches = this.#newBatches(saga, host);
    const driven = (row: Row) => this.patientDrive(row);
    this.recorder = new Recorder({ ...common, host: { checkpoint, inserted, newRow, driven } });
    this.settlements = new Settlements({
      ...common,
      host: {
        instance,
        checkpoint,
        inserted,
        newRow,
        changed: (row) => this.changed(row),
        driven: (row) => this.#patience.within(drive(row)),
      },
    });
    this.#recovery = this.#newRecovery(host);
    if (this.#hasWork) this.#alarm.by(Date.now() + WAKE_MS);
  }

  /** For those who check or copy what is stored. */
  get inspection(): Inspection {
    const { store, records, flusher } = this;
    const isRecovered = () => this.#recovery.isComplete;
    return new Inspection({ store, records, flusher, isRecovered });
  }

  /** Whether anything is left to do, as the disk has it. */
  get #hasWork(): boolean {
    return this.store.nextDueMs() !== null || this.balances.hasWork || this.batches.hasWork;
  }

  #newAdmission(records: Records, lanes: Lanes): Admission {
    return new Admission({ records, lanes, entrance: this.#entrance, turn: this.#turn });
  }

  #newLanes(host: ShardHost): Lanes {
    return new Lanes({
      turn: this.#turn,
      host: {
        execute: (balanceId, operations) => host.execute(balanceId, operations),
        observed: (snapshot) => {
          this.driver.seen(snapshot);
          this.flusher.observe(snapshot);
        },
        troubled: (balanceId, error, attempts) => host.troubled(balanceId, error, attempts),
      },
    });
  }

  #newBatches(saga: GroupSaga, host: ShardHost): Batches {
    return new Batches({
      store: this.store,
      records: this.records,
      saga,
      alarm: this.#alarm,
      host: {
        ...host,
        checkpoint: this.#checkpoint,
        balancesMoved: (balanceIds) => this.balances.moved(balanceIds),
        troubled: (error) => host.log("journal.batch_failed", error),
      },
    });
  }

  #newShadows(host: ShardHost): Shadows {
    return new Shadows({
      store: this.store,
      records: this.records,
      alarm: this.#alarm,
      host: {
        ...host,
        checkpoint: this.#checkpoint,
        isDriving: (row) => this.driver.isDriving(row),
        drive: (row) => this.driver.drive(row),
        troubled: (error) => host.log("journal.shadows_failed", error),
      },
    });
  }

  #newRecovery({ log }: ShardHost): Recovery {
    return new Recovery({
      store: this.store,
      records: this.records,
      driver: this.driver,
      hasPast: this.#hasWork,
      host: {
        flush: (row) => this.#flushAgain(row),
        shadow: (row) => this.shadows.make(row),
        fire: (hold, action) => this.#fire(hold, action),
        troubled: (error) => log("journal.recovery_failed", error),
      },
    });
  }

  /**
   * Where every request that may write begins: those that arrive together are written together, with one commit. A posting that is to
   * be queued waits in the crowd for its balances, if there is one.
   */
  arrived(request?: RecordRequest): Promise<void> {
    const begun =
      request === undefined || request.posting.skipQueue
        ? this.#turn.next()
        : this.#entrance.pass(balancesMoved(request.posting, request.split?.legs));
    return begun.then(() => this.#checkpoint("request:arrived"));
  }

  /** The row when nothing of it is in mid-saga; null when there is none. Throws when that takes too long. */
  async standing(transactionId: TransactionId): Promise<Row | null> {
    for (;;) {
      const row = this.records.find(transactionId);
      if (row === null || !isHalfDone(row, Date.now())) return row;
      // A reference that it freed may be taken again before this is told: then that row counts.
      await within(PATIENCE_MS, this.driver.drive(row));
    }
  }

  /** Resolves when nothing of a record and its family is on its way: what a balance shows then is what they say. */
  async still(transactionId: TransactionId): Promise<void> {
    await this.standing(transactionId);
    for (;;) {
      const moving = this.records
        .familyOf(transactionId)
        .filter((row) => this.driver.isDriving(row));
      if (moving.length === 0) return;
      await Promise.all(moving.map((row) => within(PATIENCE_MS, this.driver.drive(row))));
    }
  }

  /** The end of a drive, or null when it takes longer than a request should. */
  patientDrive(row: Row): Promise<Driven | null> {
    return this.#patience.orNull(this.driver.drive(row));
  }

  /** Merges metadata into a record and all that follows from it. A pointer is no record: it is missing, and has none. */
  async mergeMetaData(transactionId: TransactionId, patch: string): Promise<MergeOutcome> {
    const parent = await this.standing(transactionId);
    if (parent === null) return "missing";
    const rows = [parent, ...this.records.childrenOf(transactionId)].filter(isRecord);
    if (rows.length === 0) return "missing";
    const merged = rows.map((row) => mergeMetaData(row.metaData, patch));
    if (rows.some((row, index) => isTooLong(row, merged[index] ?? ""))) return "too-large";
    this.store.transaction(() => {
      for (const [at, row] of rows.entries()) writeMerged(this.store, row, merged[at] ?? "{}");
    });
    for (const row of rows) this.changed(row);
    return "merged";
  }

  /** Resolves when D1 has everything that was answered before the call, in this life or an earlier one. */
  async flushed(): Promise<void> {
    await this.#recovery.complete();
    await this.claims.decided();
    if (this.balances.hasWork) this.flusher.markBalances();
    await this.flusher.flushed();
  }

  /** Minor units of QUEUED records on either side of a balance. Throws when what an earlier life left takes too long. */
  async queuedAmounts(balanceId: BalanceId): Promise<{ debit: bigint; credit: bigint }> {
    // A row that was left as QUEUED may have been applied.
    await within(PATIENCE_MS, this.#recovery.complete());
    const rows = this.store.queuedOf(balanceId).map((stored) => this.records.adopt(stored));
    return queuedAmounts(rows, balanceId);
  }

  /** A row has something new to project. */
  changed(row: Row): void {
    this.records.keep(row);
    if (!isHidden(row)) this.#flushAgain(row);
  }

  /** Looks after what an earlier life left behind; forgets old keys, and batches that never came. */
  wake(): void {
    this.#oldKeys.forget(Date.now());
    this.batches.forgetStaged();
    if (!this.#alarm.isSet && this.#hasWork) this.#alarm.reset(Date.now() + WAKE_MS);
  }

  /** Sets the next alarm first, because a pass may not come to its end; then looks at what is due. */
  async alarm(): Promise<void> {
    this.#alarm.reset(Date.now() + ALARM_MS);
    await this.#checkpoint("alarm:begun");
    const parts = [
      () => this.#recovery.pass(),
      () => this.balances.recover(),
      () => this.batches.recover(),
    ];
    // What fails in one part keeps neither the others nor the next alarm from their turn.
    for (const part of parts) {
      const error: unknown = await within(PATIENCE_MS, part()).catch((reason: unknown) => reason);
      if (error !== undefined) this.#log("journal.recovery_failed", error);
    }
    await this.#checkpoint("alarm:passed");
    const due = Math.min(
      this.store.nextDueMs() ?? Number.POSITIVE_INFINITY,
      this.records.nextDueMs(),
      this.balances.hasWork || this.batches.hasWork ? 0 : Number.POSITIVE_INFINITY,
    );
    this.#alarm.reset(due > Date.now() ? due : Date.now() + ALARM_MS);
  }

  #inserted(rows: readonly Row[]): void {
    for (const row of rows) {
      this.records.keep(row);
      // A split comes with its legs.
      this.#admission.hold(row, row.posting.kind === "split" ? rows.slice(1) : []);
      this.#alarm.by(row.dueMs);
      // Of what nobody may see yet D1 must know nothing: it may be gone again.
      if (isHidden(row)) continue;
      this.flusher.mark(row);
      // A leg moves with its split.
      if (row.status === "QUEUED" && row.posting.group === null) this.flusher.queue(row);
    }
  }

  #finished(row: Row): void {
    if (needs(row, Work.Timer | Work.Shadow)) this.#alarm.by(row.dueMs);
    this.flusher.mark(row);
    if (needs(row, Work.Shadow)) this.shadows.add(row);
  }

  /**
   * Takes a row to D1. The balances that an earlier life saw beside its end were lost with that life, so they are read
   * anew, once.
   */
  #flushAgain(row: Row): void {
    if (row.doubt && row.outcome !== null) {
      for (const { balanceId } of [row.posting.source, row.posting.destination]) {
        this.store.balances.meet(balanceId, Work.Project);
      }
      this.flusher.markBalances();
      row.doubt = false;
    }
    this.flusher.mark(row);
  }

  async #fire(hold: Row, action: "commit" | "void" | null): Promise<void> {
    const { transactionId } = hold.posting;
    if (action !== null) {
      const operation = { key: `timer:${action}`, fingerprint: "", fromClient: false };
      const request = { transactionId, action, amount: null, skipQueue: true, operation };
      // Refused means settled by somebody else before: then there is nothing left for the timer.
      await this.settlements.settleDue(request, storedKey(operation));
    }
    // The row as it is now: this one may have been let go while the child was driven.
    const standing = this.records.find(transactionId);
    if (standing === null) return;
    standing.work &= ~Work.Timer;
    this.store.transaction(() => this.store.save(standing));
    if (standing.work === 0) this.records.drop(standing);
  }
}
