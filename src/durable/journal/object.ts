import { DurableObject } from "cloudflare:workers";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { BatchValue, ItemResult } from "../../domain/batch";
import type { LedgerError } from "../../domain/error";
import {
  type BalanceId,
  type BatchId,
  isBatchId,
  isTransactionId,
  type TransactionId,
} from "../../domain/ids";
import type { Result } from "../../domain/result";
import type { Instant } from "../../domain/time";
import type { Transaction } from "../../domain/transaction";
import type { ProfileChange } from "../balance/protocol";
import type { BatchesLook } from "./batch-seals";
import { cancelTransaction } from "./cancellations";
import { type Resolution, VOID } from "./claims";
import { OutcomeUnknown, within } from "./deadline";
import type { ClaimAnswer, ClaimRequest, ClaimSettlement } from "./group-saga";
import { hostOf } from "./host";
import type { Backlog, InspectedRow } from "./inspection";
import type {
  AnswerState,
  BatchPart,
  BatchRequest,
  CancelRequest,
  ItemsRequest,
  KeptAnswer,
  LineageFound,
  MergeOutcome,
  OperationKey,
  Plan,
  Recorded,
  RecordRequest,
  RecordState,
  RefundQuestion,
  RefundRequest,
  Reply,
  SettlePlanQuestion,
  SettleRequest,
  SettleValue,
  Survey,
  SurveyQuestion,
} from "./protocol";
import { recordedOf, refuse, storedKey, unknownOutcome } from "./replies";
import { isUnfinished, type Row } from "./row";
import { PATIENCE_MS, Shard, type ShardHost } from "./shard";
import { surveyHere } from "./survey";

/** How long a list waits for D1, in milliseconds. */
const BARRIER_MS = 2_000;

/**
 * One shard of the journal: the truth about its transactions. It records each once, drives it through both
 * balances, and takes it to D1 and the queues. Every method can be called again with the same arguments.
 */
export class JournalObject extends DurableObject<Env> {
  readonly #host: ShardHost;
  readonly #shard: Shard;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#host = hostOf(ctx, env, (step) => this.checkpoint(step), this);
    this.#shard = new Shard(this.#host);
  }

  /** Where a test lets this shard die. */
  protected checkpoint(_step: string): void | Promise<void> {}

  /** Records a posting; a synchronous one is carried out before the answer. */
  async record(request: RecordRequest): Promise<Reply<Recorded>> {
    await this.#shard.arrived(request);
    const answer = await this.#shard.recorder.record(request);
    return answer.ok ? { ...answer, value: recordedOf(answer.value) } : answer;
  }

  /** Records items of a batch in order, each on its own; answers why one was not recorded, null when it was. */
  recordItems(request: ItemsRequest): Promise<(LedgerError | null)[]> {
    return this.#shard.recorder.recordItems(request);
  }

  /** Takes some of a batch's items, before the batch itself. */
  stageBatch(part: BatchPart): void {
    this.#shard.batches.stage(part);
  }

  /** Records many postings as one batch, which this shard coordinates. */
  async recordBatch(request: BatchRequest): Promise<Reply<BatchValue>> {
    try {
      return await this.#shard.batches.record(request);
    } catch (error) {
      if (error instanceof OutcomeUnknown) return unknownOutcome();
      throw error;
    }
  }

  /** The batch; null when there is none. */
  batch({ batchId }: { batchId: BatchId }): BatchValue | null {
    return this.#shard.batches.read(batchId);
  }

  /** What became of its items, after a place up to another. */
  batchResults(asked: { batchId: BatchId; after: number; upTo: number }): ItemResult[] {
    return this.#shard.batches.results(asked.batchId, asked.after, asked.upTo);
  }

  /** Drives a batch to its end. */
  driveBatch({ batchId }: { batchId: BatchId }): Promise<void> {
    return this.#shard.batches.drive(batchId);
  }

  /** Commits or voids a hold. */
  settle(request: SettleRequest): Promise<Reply<SettleValue>> {
    const { settlements } = this.#shard;
    return this.#remembering(request.operation, (key) => settlements.settle(request, key));
  }

  /** Commits or voids many holds, each on its own. */
  settleMany({ requests }: { requests: readonly SettleRequest[] }): Promise<Reply<SettleValue>[]> {
    return Promise.all(requests.map((request) => this.settle(request)));
  }

  /** What each of many commits or voids would settle now. It writes nothing. */
  plansToSettle(request: { questions: readonly SettlePlanQuestion[] }): Promise<Result<Plan>[]> {
    return Promise.all(request.questions.map((question) => this.planSettle(question)));
  }

  /** What each of many refunds would give back now. It writes nothing. */
  plansToRefund(request: { questions: readonly RefundQuestion[] }): Promise<Result<Plan>[]> {
    return Promise.all(request.questions.map((question) => this.planRefund(question)));
  }

  /** Gives back what a transaction moved. */
  refund(request: RefundRequest): Promise<Reply<Transaction>> {
    const { settlements } = this.#shard;
    return this.#remembering(request.operation, (key) => settlements.refund(request, key));
  }

  /** What a commit or void would settle now. It writes nothing. */
  async planSettle(question: SettlePlanQuestion): Promise<Result<Plan>> {
    await this.#shard.still(question.transactionId);
    return this.#shard.settlements.planSettle(question);
  }

  /** What a refund would give back now. It writes nothing. */
  async planRefund(question: RefundQuestion): Promise<Result<Plan>> {
    await this.#shard.still(question.transactionId);
    return this.#shard.settlements.planRefund(question);
  }

  /** Used references and balances as they stand. It writes nothing. */
  survey(question: SurveyQuestion): Promise<Survey> {
    return surveyHere(question, {
      standing: (id) => this.#shard.standing(id),
      readBalance: (id) => this.#host.readBalance(id),
    });
  }

  /** Gives back what many transactions moved, each on its own. */
  refundMany({ requests }: { requests: readonly RefundRequest[] }): Promise<Reply<Transaction>[]> {
    return Promise.all(requests.map((request) => this.refund(request)));
  }

  /** Cancels a QUEUED or SCHEDULED transaction. */
  async cancel(request: CancelRequest): Promise<Reply<Transaction>> {
    const { records, driver } = this.#shard;
    const cancel = (row: Row) => within(PATIENCE_MS, driver.cancel(row));
    const drive = (row: Row) => within(PATIENCE_MS, driver.drive(row));
    try {
      return await cancelTransaction(request, { records, cancel, drive });
    } catch (error) {
      if (error instanceof OutcomeUnknown) return unknownOutcome();
      throw error;
    }
  }

  /** Carries out QUEUED records made before a moment; answers how many it found. */
  async recover(request: { createdBefore: Instant; limit: number }): Promise<number> {
    const { store, records } = this.#shard;
    const found = store
      .queuedBefore(request.createdBefore, request.limit)
      .map((stored) => records.adopt(stored))
      .filter(({ status }) => status === "QUEUED");
    await Promise.allSettled(found.map((row) => this.#shard.patientDrive(row)));
    return found.length;
  }

  /** The record as it stands; null when there is none. */
  async get({ transactionId }: { transactionId: TransactionId }): Promise<Transaction | null> {
    const row = await this.#shard.standing(transactionId);
    return row === null ? null : this.#shard.records.shown(row);
  }

  /** Whose money a record moved; null when there is no such record. It waits until that is told in shadow balances. */
  async lineage({ transactionId }: { transactionId: TransactionId }): Promise<LineageFound | null> {
    const row = await this.#shard.standing(transactionId);
    return row === null ? null : within(PATIENCE_MS, this.#shard.shadows.found(row));
  }

  /** Where many records stand; null for those that don't exist. */
  async states({ ids }: { ids: readonly TransactionId[] }): Promise<(RecordState | null)[]> {
    const shown = await Promise.all(ids.map((transactionId) => this.get({ transactionId })));
    return shown.map((found) => {
      if (found === null) return null;
      const { status, rejectionReason, createdAt } = found;
      return { status, rejectionReason, createdAt };
    });
  }

  /** Merges metadata into many records and their children. */
  mergeMetaDataMany(request: {
    ids: readonly TransactionId[];
    patch: string;
  }): Promise<MergeOutcome[]> {
    const { ids, patch } = request;
    return Promise.all(ids.map((id) => this.#shard.mergeMetaData(id, patch)));
  }

  /** Merges metadata into a record and its children. */
  mergeMetaData(request: { transactionId: TransactionId; patch: string }): Promise<MergeOutcome> {
    return this.#shard.mergeMetaData(request.transactionId, request.patch);
  }

  /** Applies QUEUED records; resolves when they are at their end, or when it has waited long enough. */
  async applyMany({ ids }: { ids: readonly TransactionId[] }): Promise<void> {
    const rows = ids.flatMap((id) => this.#shard.records.find(id) ?? []);
    const queued = rows.filter(({ status }) => status === "QUEUED");
    const drives = await Promise.allSettled(queued.map((row) => this.#shard.patientDrive(row)));
    for (const drive of drives) {
      if (drive.status === "rejected") this.#host.log("journal.apply_failed", drive.reason);
    }
  }

  /** Makes a balance; `created` is false when one of that id exists. */
  createBalance(request: {
    profile: BalanceProfile;
  }): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    return this.#shard.balances.create(request.profile);
  }

  /** Changes a balance's profile; null when there is none. */
  updateBalance(request: {
    balanceId: BalanceId;
    change: ProfileChange;
  }): Promise<BalanceSnapshot | null> {
    return this.#shard.balances.update(request.balanceId, request.change);
  }

  /** Minor units of this shard's QUEUED records on either side of a balance. */
  queued({ balanceId }: { balanceId: BalanceId }): Promise<{ debit: bigint; credit: bigint }> {
    return this.#shard.queuedAmounts(balanceId);
  }

  /** Takes references here for a group of another shard. */
  claimReferences(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.#shard.claims.take(request);
  }

  /** Keeps or frees the references that a group took here. */
  settleReferences(settlement: ClaimSettlement): void {
    this.#shard.claims.settle(settlement);
  }

  /** What a group of this shard decided about one of its members; waits for the decision. */
  async resolveGroup(asked: {
    group: string;
    attempt: string;
    member: TransactionId;
  }): Promise<Resolution> {
    const { group, attempt, member } = asked;
    const { records, driver, batches } = this.#shard;
    if (isBatchId(group)) {
      return within(PATIENCE_MS, batches.resolve({ group, attempt, member }));
    }
    const row = isTransactionId(group) ? records.find(group) : null;
    if (row === null || row.attempt !== attempt) return VOID;
    if (isUnfinished(row)) await within(PATIENCE_MS, driver.drive(row));
    return { decision: row.decision ?? VOID.decision, outcome: null };
  }

  /** True once D1 has everything that this shard had when it was asked; false after two seconds. */
  async barrier(): Promise<boolean> {
    try {
      await within(BARRIER_MS, this.#shard.flushed());
      return true;
    } catch (error) {
      if (error instanceof OutcomeUnknown) return false;
      throw error;
    }
  }

  /** Claims an idempotency key for a request; false when another request has used it. */
  claimKey({ key, fingerprint }: OperationKey): boolean {
    return this.#shard.keys.claim(key, fingerprint, Date.now()).fingerprint === fingerprint;
  }

  /** Begins to answer a request that a client named, or finds its answer. */
  beginAnswer(asked: { operation: OperationKey; caller: string }): Promise<AnswerState> {
    return this.#shard.answers.begin(asked.operation, asked.caller);
  }

  /** Keeps the answer for repeats; answers the one that is kept. */
  keepAnswer({ key, answer }: { key: string; answer: KeptAnswer }): KeptAnswer {
    return this.#shard.answers.keep(key, answer);
  }

  /** Gives up a begun answer. */
  dropAnswer({ key }: { key: string }): void {
    this.#shard.answers.drop(key);
  }

  /** Rows after an id as they are on disk, for those who check or copy them; who names no bound gets all of the page. */
  inspect(asked: { after: string; limit: number; charactersMax?: number }): InspectedRow[] {
    const { after, limit, charactersMax = Number.POSITIVE_INFINITY } = asked;
    return this.#shard.inspection.page(after, limit, charactersMax);
  }

  /** The same by their ids; those that don't exist are missing. */
  inspectMany(asked: { ids: readonly TransactionId[]; charactersMax?: number }): InspectedRow[] {
    const { ids, charactersMax = Number.POSITIVE_INFINITY } = asked;
    return this.#shard.inspection.rows(ids, charactersMax);
  }

  /** Balances that this shard met, after an id. */
  metBalances({ after, limit }: { after: string; limit: number }): BalanceId[] {
    return this.#shard.inspection.balances(after, limit);
  }

  /** Those of some balances that are on the list here. */
  listed({ ids }: { ids: readonly BalanceId[] }): BalanceId[] {
    return this.#shard.inspection.listed(ids);
  }

  /** Puts balances that exist on the list. */
  listBalances({ ids }: { ids: readonly BalanceId[] }): void {
    for (const id of ids) this.#shard.store.balances.meet(id, 0);
  }

  /** Whether a group of this shard is under way. */
  isUnderWay({ group, attempt }: { group: TransactionId | BatchId; attempt: string }): boolean {
    return isBatchId(group)
      ? this.#shard.batches.isUnderWay(group, attempt)
      : this.#shard.inspection.isUnderWay(group, attempt);
  }

  /** What is wrong with batches after a place, and where to go on. */
  inspectBatches({ after, limit }: { after: string; limit: number }): BatchesLook {
    return this.#shard.inspection.batches(after, limit);
  }

  /** What is still to be done here. */
  backlog({ lateMs }: { lateMs: number }): Backlog {
    return this.#shard.inspection.backlog(Date.now(), lateMs);
  }

  /** The text that was kept under a name, or null. */
  bookmark({ name }: { name: string }): string | null {
    return this.#host.ctx.storage.kv.get<string>(`bookmark ${name}`) ?? null;
  }

  /** Keeps a text under a name; null forgets it. */
  keepBookmark({ name, text }: { name: string; text: string | null }): void {
    const { kv } = this.#host.ctx.storage;
    if (text === null) kv.delete(`bookmark ${name}`);
    else kv.put(`bookmark ${name}`, text);
  }

  /** Wakes the shard, so that it finds what an earlier life left behind. */
  touch(): void {
    this.#shard.wake();
  }

  /** Recovers after a restart, carries out what is due, and sets the next alarm. */
  override alarm(): Promise<void> {
    return this.#shard.alarm();
  }

  /** A call whose refusal is kept for repeats, when the client named it by a key. */
  async #remembering<T>(
    operation: OperationKey,
    call: (key: string) => Promise<Reply<T>>,
  ): Promise<Reply<T>> {
    await this.#shard.arrived();
    const { store } = this.#shard;
    const key = storedKey(operation);
    const refused = operation.fromClient ? store.refusalOf(key) : null;
    if (refused !== null) return refuse(refused, true);
    try {
      return await call(key);
    } catch (error) {
      if (error instanceof OutcomeUnknown) return unknownOutcome();
      throw error;
    }
  }
}
