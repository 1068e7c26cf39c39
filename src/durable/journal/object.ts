import { DurableObject } from "cloudflare:workers";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import { refusal } from "../../domain/error";
import type { LedgerEvent } from "../../domain/event";
import type { BalanceId, TransactionId } from "../../domain/ids";
import { mergeMetaData } from "../../domain/metadata";
import { scheduledMs } from "../../domain/timer";
import type { Posting, Transaction } from "../../domain/transaction";
import { sendApply } from "../../queues/apply";
import { endpointsOf, sendEvents } from "../../queues/webhooks";
import { projectBatch } from "../../storage/projection";
import { balanceStub } from "../balance/client";
import type { BalanceObject } from "../balance/object";
import type { ProfileChange } from "../balance/protocol";
import { patiently } from "../patiently";
import { OutcomeUnknown, within } from "./deadline";
import { CLIENT_KEY, Driver, OWN_KEY } from "./driver";
import { Flusher } from "./flusher";
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
import { Records } from "./records";
import { Recovery } from "./recovery";
import { isUnfinished, type Row, Work } from "./row";
import { firstAnswer, keyReused, refuse, reply, Settlements } from "./settlements";
import { JournalStore } from "./store";

/** A row in mid-saga is looked at by the alarm after this long. */
const REDRIVE_MS = 10_000;
/** A QUEUED row that nobody applied is driven by the alarm after this long. */
const SWEEP_MS = 30_000;
/** The alarm comes back at least this often while there is work. */
const ALARM_MS = 5_000;
/** How long a request waits for a saga before it answers that the outcome is unknown. */
const PATIENCE_MS = 15_000;
/** How long a list waits for D1. */
const BARRIER_MS = 2_000;
/** Rows with work left that a shard holds; past it new ones are turned away before they are written. */
const LIVE_MAX = 20_000;
/** Idempotency keys are remembered this long. */
const KEYS_MS = 30 * 24 * 3_600_000;
const METADATA_MAX = 256 * 1024;

/**
 * One shard of the journal: the truth about its transactions. It records each once, drives it through both
 * balances, and takes it to D1 and the queues.
 */
export class JournalObject extends DurableObject<Env> {
  readonly #instance: string;
  readonly #shard: number;
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #driver: Driver;
  readonly #flusher: Flusher;
  readonly #settlements: Settlements;
  readonly #recovery: Recovery;
  #alarmMs = Number.POSITIVE_INFINITY;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [instance = "", , shard = "0"] = (ctx.id.name ?? "").split("/");
    this.#instance = instance;
    this.#shard = Number(shard);
    this.#store = new JournalStore(ctx.storage);
    this.#records = new Records(this.#store);
    const store = this.#store;
    const records = this.#records;
    const checkpoint = (step: string) => this.checkpoint(step);
    const lanes = new Lanes({
      execute: (balanceId, operations) => this.#stub(balanceId).execute({ operations }),
      observed: (snapshot) => this.#flusher.observe(snapshot),
      troubled: (balanceId, error, attempts) => log("balance.call_failed", error, { balanceId, attempts }),
    });
    this.#driver = new Driver({
      store,
      records,
      lanes,
      host: {
        checkpoint,
        finished: (row) => this.#finished(row),
        balanceMade: (balanceId) => this.#balanceMade(balanceId),
      },
    });
    this.#flusher = new Flusher({ store, records, host: this.#flusherHost() });
    this.#settlements = new Settlements({ store, records, host: this.#settlementsHost() });
    const hasPast = store.nextDueMs() !== null || store.unsettledBalances(1).length > 0;
    this.#recovery = new Recovery({
      store,
      records,
      driver: this.#driver,
      hasPast,
      host: {
        flush: (row) => this.#flusher.mark(row),
        fire: (hold, action) => this.#fire(hold, action),
        troubled: (error) => log("journal.recovery_failed", error),
      },
    });
    if (hasPast) this.#alarmBy(Date.now() + 1_000);
  }

  /** Where a test lets this shard die. */
  protected checkpoint(_step: string): void | Promise<void> {}

  /** Records a posting; a synchronous one is carried out before the answer. */
  async record({ posting, operation }: RecordRequest): Promise<Reply<Transaction>> {
    const key = storedKey(operation);
    const refused = operation.fromClient ? this.#store.refusalOf(key) : null;
    if (refused !== null) return refuse(refused, true);
    for (;;) {
      const found = this.#records.find(posting.transactionId);
      if (found === null) break;
      if (found.operationKey === key) return this.#repeatOfRecord(found, operation);
      if (found.status !== "PENDING") return duplicate(found);
      // Its outcome decides: a refusal frees the reference, and this request tries as its own.
      const driven = await this.#within(found);
      if (driven === null) return unknownOutcome();
      if (driven.done) return duplicate(found);
    }
    if (this.#records.liveCount >= LIVE_MAX) {
      return refuse(refusal("GEN_OVERLOADED", "too many transactions are waiting; try again later"));
    }
    const row = this.#newRow(posting, { key, fingerprint: operation.fingerprint });
    this.#store.transaction(() => this.#store.insert(row));
    this.#inserted([row]);
    await this.checkpoint("record:inserted");
    if (!posting.skipQueue) return reply(this.#records.shown(row));
    const driven = await this.#within(row);
    if (driven === null) return unknownOutcome();
    return driven.done ? reply(this.#records.shown(row)) : refuse(driven.error);
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
  async mergeMetaData({
    transactionId,
    patch,
  }: {
    transactionId: TransactionId;
    patch: string;
  }): Promise<MergeOutcome> {
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
    const drives = rows.filter((row) => row.status !== "SCHEDULED").map((row) => this.#within(row));
    for (const result of await Promise.allSettled(drives)) {
      if (result.status === "rejected") log("journal.apply_failed", result.reason);
    }
  }

  /** Notes the balance, makes it, and sees to its row in D1 and its event. */
  async createBalance({
    profile,
  }: {
    profile: BalanceProfile;
  }): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    const { balanceId } = profile;
    this.#store.transaction(() => this.#store.noteCreation(profile, Work.Project | Work.Announce));
    this.#alarmBy(Date.now() + REDRIVE_MS);
    await this.checkpoint("balance:noted");
    const answer = await this.#balance(balanceId, (stub) => stub.create({ profile }));
    await this.checkpoint("balance:made");
    if (answer.created) this.#store.confirm(balanceId);
    else this.#store.unmeet(balanceId, profile.createdAt);
    this.#flusher.markBalances();
    return answer;
  }

  /** Changes a balance's profile and sees to its row in D1; null when there is none. */
  async updateBalance({
    balanceId,
    change,
  }: {
    balanceId: BalanceId;
    change: ProfileChange;
  }): Promise<BalanceSnapshot | null> {
    if ((await this.#balance(balanceId, (stub) => stub.read())) === null) return null;
    this.#store.meet(balanceId, Work.Project);
    this.#alarmBy(Date.now() + REDRIVE_MS);
    await this.checkpoint("profile:noted");
    const snapshot = await this.#balance(balanceId, (stub) => stub.updateProfile(change));
    // Once more: a round in between may have taken the old profile to D1 and struck the note off.
    this.#store.meet(balanceId, Work.Project);
    this.#flusher.markBalances();
    return snapshot;
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

  /** Wakes the shard, so that its constructor finds what an earlier life left behind. */
  touch(): void {
    this.#store.forgetKeys(Date.now() - KEYS_MS);
    if (this.#alarmMs === Number.POSITIVE_INFINITY && this.#store.nextDueMs() !== null) {
      this.#alarmBy(Date.now() + ALARM_MS);
    }
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = Number.POSITIVE_INFINITY;
    this.#alarmBy(Date.now() + ALARM_MS);
    await this.checkpoint("alarm:begun");
    await this.#recovery.pass();
    await this.#recoverBalances();
    await this.#setNextAlarm();
  }

  /** A row for a posting, as it is before it is written. */
  #newRow(posting: Posting, operation: { key: string; fingerprint: string }): Row {
    const scheduled = scheduledMs(posting);
    const nowMs = Date.now();
    return {
      posting,
      attempt: crypto.randomUUID().slice(0, 8),
      createdAt: this.#records.now(),
      operationKey: operation.key,
      fingerprint: operation.fingerprint,
      status: posting.skipQueue ? "PENDING" : scheduled === null ? "QUEUED" : "SCHEDULED",
      metaData: posting.metaData,
      revision: 1,
      work: Work.Drive | Work.Project | Work.Announce,
      outcome: null,
      rejectionReason: "",
      dueMs: scheduled ?? nowMs + (posting.skipQueue ? REDRIVE_MS : SWEEP_MS),
      doubt: false,
    };
  }

  #inserted(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#records.keep(row);
      this.#alarmBy(row.dueMs);
      if (!row.posting.skipQueue) this.#flusher.mark(row);
    }
  }

  #changed(row: Row): void {
    this.#records.keep(row);
    if (row.status !== "PENDING") this.#flusher.mark(row);
  }

  #finished(row: Row): void {
    if ((row.work & Work.Timer) !== 0) this.#alarmBy(row.dueMs);
    this.#flusher.mark(row);
  }

  #balanceMade(balanceId: BalanceId): void {
    this.#store.meet(balanceId, Work.Project | Work.Announce);
    this.#flusher.markBalances();
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

  async #repeatOfRecord(row: Row, operation: OperationKey): Promise<Reply<Transaction>> {
    if (row.fingerprint !== operation.fingerprint) return refuse(keyReused());
    if (row.status === "PENDING") {
      const driven = await this.#within(row);
      if (driven === null) return unknownOutcome();
      if (!driven.done) return refuse(driven.error, true);
    }
    return reply(firstAnswer(row, this.#records), true);
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
  async #within(row: Row) {
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
    const answer = await this.#settlements.settle(request, storedKey(operation));
    // Settled by somebody else before: then there is nothing left for the timer.
    if (!answer.ok && answer.error.code === "GEN_OUTCOME_UNKNOWN") return;
    hold.work &= ~Work.Timer;
    this.#store.transaction(() => this.#store.save(hold));
    if (hold.work === 0) this.#records.drop(hold);
  }

  async #recoverBalances(): Promise<void> {
    const met = this.#store.unsettledBalances(100);
    for (const { profile } of met) {
      if (profile !== null) await this.createBalance({ profile });
    }
    if (met.length > 0) this.#flusher.markBalances();
  }

  async #setNextAlarm(): Promise<void> {
    const due = Math.min(
      this.#store.nextDueMs() ?? Number.POSITIVE_INFINITY,
      this.#records.nextDueMs(),
      this.#store.unsettledBalances(1).length > 0 ? 0 : Number.POSITIVE_INFINITY,
    );
    this.#alarmMs = Number.POSITIVE_INFINITY;
    if (due === Number.POSITIVE_INFINITY) await this.ctx.storage.deleteAlarm();
    else this.#alarmBy(due > Date.now() ? due : Date.now() + ALARM_MS);
  }

  /** Sees to it that the alarm rings at a moment or before. Part of the transaction under way. */
  #alarmBy(ms: number): void {
    if (this.#alarmMs <= ms) return;
    this.#alarmMs = ms;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(ms));
  }

  #stub(balanceId: BalanceId): DurableObjectStub<BalanceObject> {
    return balanceStub(this.env.BALANCES, this.#instance, balanceId);
  }

  #balance<T>(
    balanceId: BalanceId,
    call: (stub: DurableObjectStub<BalanceObject>) => Promise<T>,
  ): Promise<T> {
    return patiently(() => this.#stub(balanceId), call);
  }

  #flusherHost() {
    const { env } = this;
    const endpoints = endpointsOf(env.WEBHOOK_URLS);
    return {
      checkpoint: (step: string) => this.checkpoint(step),
      project: (batch: Parameters<typeof projectBatch>[2]) =>
        projectBatch(env.DB, this.#instance, batch),
      sendApply: (ids: readonly TransactionId[]) =>
        sendApply(env.APPLY, { instance: this.#instance, shard: this.#shard, ids }),
      hasReceivers: endpoints.length > 0,
      sendEvents: (events: readonly LedgerEvent[]) =>
        sendEvents(env.WEBHOOKS, { instance: this.#instance, events, endpoints }),
      readBalance: (balanceId: BalanceId) => this.#balance(balanceId, (stub) => stub.read()),
      isDriving: (row: Row) => this.#driver.isDriving(row),
      troubled: (error: unknown) => log("journal.flush_failed", error),
    };
  }

  #settlementsHost() {
    return {
      instance: this.#instance,
      checkpoint: (step: string) => this.checkpoint(step),
      newRow: (posting: Posting, operation: { key: string; fingerprint: string }) =>
        this.#newRow(posting, operation),
      inserted: (rows: readonly Row[]) => this.#inserted(rows),
      changed: (row: Row) => this.#changed(row),
      driven: async (row: Row) => {
        await within(PATIENCE_MS, this.#driver.drive(row));
      },
    };
  }
}

const storedKey = ({ key, fromClient }: OperationKey): string =>
  `${fromClient ? CLIENT_KEY : OWN_KEY}${key}`;

function duplicate(row: Row) {
  const { reference, transactionId } = row.posting;
  return refuse(
    refusal("TXN_DUPLICATE_REFERENCE", `reference ${reference} has been used before`, {
      transaction_id: transactionId,
    }),
  );
}

const unknownOutcome = () =>
  refuse(
    refusal("GEN_OUTCOME_UNKNOWN", "the outcome is not known yet: send the same request again"),
  );

function log(event: string, error: unknown, fields: Record<string, unknown> = {}): void {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event, reason, ...fields }));
}
