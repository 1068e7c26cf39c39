import { DurableObject } from "cloudflare:workers";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { LedgerEvent } from "../../domain/event";
import type { BalanceId, TransactionId } from "../../domain/ids";
import { METADATA_MAX, mergeMetaData } from "../../domain/metadata";
import { scheduledMs } from "../../domain/timer";
import type { Posting, Transaction } from "../../domain/transaction";
import { sendApply } from "../../queues/apply";
import { endpointsOf, sendEvents } from "../../queues/webhooks";
import { projectBatch } from "../../storage/projection";
import { balanceStub } from "../balance/client";
import type { BalanceObject } from "../balance/object";
import type { ProfileChange } from "../balance/protocol";
import { patiently } from "../patiently";
import { AlarmClock } from "./alarm-clock";
import { BalanceBook } from "./balance-book";
import { OutcomeUnknown, within } from "./deadline";
import { Driver } from "./driver";
import { Flusher, type FlusherHost } from "./flusher";
import { Lanes } from "./lanes";
import type {
  MergeOutcome,
  OperationKey,
  RecordRequest,
  RefundRequest,
  Reply,
  SettleRequest,
  SettleValue,
} from "./protocol";
import { Recorder } from "./recorder";
import { Records } from "./records";
import { Recovery } from "./recovery";
import { refuse, storedKey, unknownOutcome } from "./replies";
import { type Driven, isUnfinished, type Row, Work } from "./row";
import { Settlements } from "./settlements";
import { JournalStore } from "./store";

/** A row in mid-saga is looked at by the alarm after this long, in milliseconds. */
const REDRIVE_MS = 10_000;
/** A QUEUED row that nobody applied is driven by the alarm after this long. */
const SWEEP_MS = 30_000;
/** The alarm comes back this soon while anything is overdue. */
const ALARM_MS = 5_000;
/** The first alarm of a life that finds work of an earlier one. */
const WAKE_MS = 1_000;
/** How long a request waits for a saga before it answers that the outcome is unknown. */
const PATIENCE_MS = 15_000;
/** How long a list waits for D1. */
const BARRIER_MS = 2_000;
/** Idempotency keys are remembered this long. */
const KEYS_MS = 30 * 24 * 3_600_000;

/**
 * One shard of the journal: the truth about its transactions. It records each once, drives it through both
 * balances, and takes it to D1 and the queues. Every method can be called again with the same arguments.
 */
export class JournalObject extends DurableObject<Env> {
  readonly #instance: string;
  readonly #shard: number;
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #alarm: AlarmClock;
  readonly #driver: Driver;
  readonly #flusher: Flusher;
  readonly #recorder: Recorder;
  readonly #settlements: Settlements;
  readonly #balances: BalanceBook;
  readonly #recovery: Recovery;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [instance = "", , shard = "0"] = (ctx.id.name ?? "").split("/");
    this.#instance = instance;
    this.#shard = Number(shard);
    const store = new JournalStore(ctx.storage);
    const records = new Records(store);
    const alarm = new AlarmClock(ctx);
    const checkpoint = (step: string) => this.checkpoint(step);
    const inserted = (rows: readonly Row[]) => this.#inserted(rows);
    const flusher = new Flusher({ store, records, host: this.#flusherHost() });
    const lanes = new Lanes({
      execute: (balanceId, operations) => this.#stub(balanceId).execute({ operations }),
      observed: (snapshot) => flusher.observe(snapshot),
      troubled: (balanceId, error, attempts) =>
        log("balance.call_failed", error, { balance_id: balanceId, attempts }),
    });
    const balances = new BalanceBook({
      store,
      flusher,
      alarm,
      host: { checkpoint, ask: (balanceId, call) => patiently(() => this.#stub(balanceId), call) },
    });
    const driver = new Driver({
      store,
      records,
      lanes,
      host: {
        checkpoint,
        finished: (row) => this.#finished(row),
        balanceMade: (balanceId) => balances.made(balanceId),
      },
    });
    this.#recorder = new Recorder({
      store,
      records,
      host: {
        checkpoint,
        inserted,
        newRow: (posting, key, fingerprint) => this.#newRow(posting, key, fingerprint),
        driven: (row) => this.#patientDrive(row),
      },
    });
    this.#settlements = new Settlements({
      store,
      records,
      host: {
        instance,
        checkpoint,
        inserted,
        newRow: (posting, key, fingerprint) => this.#newRow(posting, key, fingerprint),
        changed: (row) => this.#changed(row),
        driven: (row) => within(PATIENCE_MS, driver.drive(row)),
      },
    });
    const hasPast = store.nextDueMs() !== null || balances.hasWork;
    this.#recovery = new Recovery({
      store,
      records,
      driver,
      hasPast,
      host: {
        flush: (row) => flusher.mark(row),
        fire: (hold, action) => this.#fire(hold, action),
        troubled: (error) => log("journal.recovery_failed", error),
      },
    });
    this.#store = store;
    this.#records = records;
    this.#alarm = alarm;
    this.#driver = driver;
    this.#flusher = flusher;
    this.#balances = balances;
    if (hasPast) alarm.by(Date.now() + WAKE_MS);
  }

  /** Where a test lets this shard die. */
  protected checkpoint(_step: string): void | Promise<void> {}

  /** Records a posting; a synchronous one is carried out before the answer. */
  record(request: RecordRequest): Promise<Reply<Transaction>> {
    return this.#recorder.record(request);
  }

  /** Commits or voids a hold. */
  settle(request: SettleRequest): Promise<Reply<SettleValue>> {
    return this.#remembering(request.operation, (key) => this.#settlements.settle(request, key));
  }

  /** Gives back what a transaction moved. */
  refund(request: RefundRequest): Promise<Reply<Transaction>> {
    return this.#remembering(request.operation, (key) => this.#settlements.refund(request, key));
  }

  /** The record as it stands; null when there is none. */
  async get({ transactionId }: { transactionId: TransactionId }): Promise<Transaction | null> {
    const row = await this.#standing(transactionId);
    return row === null ? null : this.#records.shown(row);
  }

  /** Merges metadata into a record and its children. */
  async mergeMetaData(request: {
    transactionId: TransactionId;
    patch: string;
  }): Promise<MergeOutcome> {
    const { transactionId, patch } = request;
    const parent = await this.#standing(transactionId);
    if (parent === null) return "missing";
    const rows = [parent, ...this.#records.childrenOf(transactionId)];
    const merged = rows.map((row) => mergeMetaData(row.metaData, patch));
    if (merged.some((text) => text.length > METADATA_MAX)) return "too-large";
    this.#store.transaction(() => {
      rows.forEach((row, index) => {
        row.metaData = merged[index] ?? row.metaData;
        row.revision += 1;
        row.work |= Work.Project;
        this.#store.save(row);
      });
    });
    for (const row of rows) this.#changed(row);
    return "merged";
  }

  /** Applies QUEUED records; resolves when they are at their end, or when it has waited long enough. */
  async applyMany({ ids }: { ids: readonly TransactionId[] }): Promise<void> {
    const rows = ids.flatMap((id) => this.#records.find(id) ?? []);
    const queued = rows.filter(({ status }) => status === "QUEUED");
    const drives = await Promise.allSettled(queued.map((row) => this.#patientDrive(row)));
    for (const drive of drives) {
      if (drive.status === "rejected") log("journal.apply_failed", drive.reason);
    }
  }

  /** Makes a balance; `created` is false when one of that id exists. */
  createBalance(request: {
    profile: BalanceProfile;
  }): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    return this.#balances.create(request.profile);
  }

  /** Changes a balance's profile; null when there is none. */
  updateBalance(request: {
    balanceId: BalanceId;
    change: ProfileChange;
  }): Promise<BalanceSnapshot | null> {
    return this.#balances.update(request.balanceId, request.change);
  }

  /** Minor units of this shard's QUEUED records on either side of a balance. */
  queued({ balanceId }: { balanceId: BalanceId }): { debit: bigint; credit: bigint } {
    let debit = 0n;
    let credit = 0n;
    for (const stored of this.#store.queuedOf(balanceId)) {
      const { status, posting } = this.#records.adopt(stored);
      if (status !== "QUEUED" || posting.kind === "commit" || posting.kind === "void") continue;
      if (posting.source.balanceId === balanceId) debit += posting.preciseAmount;
      else credit += posting.preciseAmount;
    }
    return { debit, credit };
  }

  /** True once D1 has everything that this shard had when it was asked; false after two seconds. */
  async barrier(): Promise<boolean> {
    try {
      await within(BARRIER_MS, this.#flusher.flushed());
      return true;
    } catch (error) {
      if (error instanceof OutcomeUnknown) return false;
      throw error;
    }
  }

  /** Claims an idempotency key for a request; false when another request has used it. */
  claimKey({ key, fingerprint }: OperationKey): boolean {
    return this.#store.claim(key, fingerprint, Date.now()) === fingerprint;
  }

  /** Wakes the shard, so that it finds what an earlier life left behind; forgets old keys. */
  touch(): void {
    this.#store.forgetKeys(Date.now() - KEYS_MS);
    if (!this.#alarm.isSet && this.#store.nextDueMs() !== null) {
      this.#alarm.by(Date.now() + WAKE_MS);
    }
  }

  /** Recovers after a restart, then looks at what is due. Sets the next alarm first: it may not come to its end. */
  override async alarm(): Promise<void> {
    this.#alarm.reset(Date.now() + ALARM_MS);
    await this.checkpoint("alarm:begun");
    await this.#recovery.pass();
    await this.#balances.recover();
    const due = Math.min(
      this.#store.nextDueMs() ?? Number.POSITIVE_INFINITY,
      this.#records.nextDueMs(),
      this.#balances.hasWork ? 0 : Number.POSITIVE_INFINITY,
    );
    this.#alarm.reset(due > Date.now() ? due : Date.now() + ALARM_MS);
  }

  /** A row for a posting, as it is before it is written. */
  #newRow(posting: Posting, operationKey: string, fingerprint: string): Row {
    const scheduled = scheduledMs(posting);
    return {
      posting,
      attempt: crypto.randomUUID().slice(0, 8),
      createdAt: this.#records.now(),
      operationKey,
      fingerprint,
      status: posting.skipQueue ? "PENDING" : scheduled === null ? "QUEUED" : "SCHEDULED",
      metaData: posting.metaData,
      revision: 1,
      work: Work.Drive | Work.Project | Work.Announce,
      outcome: null,
      rejectionReason: "",
      dueMs: scheduled ?? Date.now() + (posting.skipQueue ? REDRIVE_MS : SWEEP_MS),
      doubt: false,
    };
  }

  #inserted(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#records.keep(row);
      this.#alarm.by(row.dueMs);
      if (!row.posting.skipQueue) this.#flusher.mark(row);
    }
  }

  #changed(row: Row): void {
    this.#records.keep(row);
    if (row.status !== "PENDING") this.#flusher.mark(row);
  }

  #finished(row: Row): void {
    if ((row.work & Work.Timer) !== 0) this.#alarm.by(row.dueMs);
    this.#flusher.mark(row);
  }

  /** The row when nothing of it is in mid-saga; null when there is none. */
  async #standing(transactionId: TransactionId): Promise<Row | null> {
    const row = this.#records.find(transactionId);
    if (row === null) return null;
    const halfDone = row.status === "PENDING" || (row.doubt && row.status === "QUEUED");
    if (!halfDone || !isUnfinished(row)) return row;
    await within(PATIENCE_MS, this.#driver.drive(row));
    return this.#records.find(transactionId);
  }

  /** A call whose refusals are kept for repeats, when the client named it by a key. */
  async #remembering<T>(
    operation: OperationKey,
    call: (key: string) => Promise<Reply<T>>,
  ): Promise<Reply<T>> {
    const key = storedKey(operation);
    const refused = operation.fromClient ? this.#store.refusalOf(key) : null;
    if (refused !== null) return refuse(refused, true);
    try {
      const answer = await call(key);
      if (!answer.ok && operation.fromClient && answer.error.code !== "GEN_IDEMPOTENCY_MISMATCH") {
        this.#store.transaction(() => this.#store.rememberRefusal(key, answer.error, Date.now()));
      }
      return answer;
    } catch (error) {
      if (error instanceof OutcomeUnknown) return unknownOutcome();
      throw error;
    }
  }

  /** The end of a drive, or null when it takes longer than a request should. */
  async #patientDrive(row: Row): Promise<Driven | null> {
    try {
      return await within(PATIENCE_MS, this.#driver.drive(row));
    } catch (error) {
      if (error instanceof OutcomeUnknown) return null;
      throw error;
    }
  }

  async #fire(hold: Row, action: "commit" | "void"): Promise<void> {
    const { transactionId } = hold.posting;
    const operation = { key: `timer:${action}`, fingerprint: "", fromClient: false };
    const request = { transactionId, action, amount: null, skipQueue: true, operation };
    // Refused means settled by somebody else before: then there is nothing left for the timer.
    await this.#settlements.settle(request, storedKey(operation));
    hold.work &= ~Work.Timer;
    this.#store.transaction(() => this.#store.save(hold));
    if (hold.work === 0) this.#records.drop(hold);
  }

  #stub(balanceId: BalanceId): DurableObjectStub<BalanceObject> {
    return balanceStub(this.env.BALANCES, this.#instance, balanceId);
  }

  #flusherHost(): FlusherHost {
    const { env } = this;
    const endpoints = endpointsOf(env.WEBHOOK_URLS);
    return {
      checkpoint: (step) => this.checkpoint(step),
      project: (batch) => projectBatch(env.DB, this.#instance, batch),
      sendApply: (ids) =>
        sendApply(env.APPLY, { instance: this.#instance, shard: this.#shard, ids }),
      hasReceivers: endpoints.length > 0,
      sendEvents: (events: readonly LedgerEvent[]) =>
        sendEvents(env.WEBHOOKS, { instance: this.#instance, events, endpoints }),
      readBalance: (balanceId) =>
        patiently(
          () => this.#stub(balanceId),
          async (stub) => stub.read(),
        ),
      isDriving: (row) => this.#driver.isDriving(row),
      troubled: (error) => log("journal.flush_failed", error),
    };
  }
}

function log(event: string, error: unknown, fields: Record<string, unknown> = {}): void {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event, reason, ...fields }));
}
