import type { BalanceAt, BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { BatchValue, ItemResult } from "../../domain/batch";
import {
  type BalanceId,
  type BatchId,
  isBalanceId,
  isTransactionId,
  shardOf,
  shardOfKey,
  type TransactionId,
  transactionIdOf,
} from "../../domain/ids";
import type { BalanceLineage } from "../../domain/lineage";
import type { Result } from "../../domain/result";
import { type Instant, instantOfMicros } from "../../domain/time";
import type { Posting, Transaction } from "../../domain/transaction";
import { askBalance, readInTurn } from "../balance/client";
import type { BalanceObject } from "../balance/object";
import type { ProfileChange } from "../balance/protocol";
import { patiently } from "../patiently";
import { SharedBarrier } from "./barrier";
import { postingText } from "./codec";
import { OutcomeUnknown, within } from "./deadline";
import type { JournalObject } from "./object";
import { parcels } from "./parcels";
import { pointerTo } from "./pointer";
import type {
  AnswerState,
  Journal,
  KeptAnswer,
  LineageFound,
  MergeOutcome,
  OperationKey,
  Plan,
  PostRequest,
  Recorded,
  RecordRequest,
  RecordState,
  RefundQuestion,
  RefundRequest,
  Reply,
  SettlePlanQuestion,
  SettleQuestion,
  SettleRequest,
  SettleValue,
  Survey,
  SurveyQuestion,
} from "./protocol";
import { keyReused, refuse } from "./replies";
import type { Claim } from "./row";
import { joinSurveys, surveyByShard } from "./survey";

/** The objects of one instance and how its journal is cut. */
export interface JournalParts {
  readonly instance: string;
  /** Divides 256 and is fixed when the instance is made. */
  readonly shards: number;
  readonly journal: DurableObjectNamespace<JournalObject>;
  readonly balances: DurableObjectNamespace<BalanceObject>;
}

/** A new stub of one shard. */
export const shardStub = (
  { instance, journal }: Pick<JournalParts, "instance" | "journal">,
  shard: number,
): DurableObjectStub<JournalObject> => journal.getByName(`${instance}/journal/${shard}`);

/** How many records one call carries out at most. */
const RECOVER_MAX = 100;
/** Results of a batch that travel in one call. */
const RESULTS_PAGE = 1_000;
/** Things of one shard that are asked for in one call. */
const EACH_AT_ONCE = 100;
/** How long a request waits for the end of a batch that it did not send, in milliseconds. */
const ENDED_MS = 15_000;

const barriers = new Map<string, SharedBarrier>();

/** The journal as the Worker sees it: every call finds its shard, and is repeated when its reply is lost. */
export class JournalClient implements Journal {
  readonly #parts: JournalParts;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  async record({ posting, legs = [], operation }: PostRequest): Promise<Reply<Transaction>> {
    if (!(await this.#claim(operation))) return reused();
    const { shards } = this.#parts;
    const claims = legs.map((leg) => this.#claimOf(leg));
    const request: RecordRequest =
      legs.length === 0
        ? { posting, operation, shards }
        : { posting, operation, shards, split: { legs, claims } };
    const shard = this.#shardOf(posting.transactionId);
    const answer: Reply<Recorded> = await this.#ask(shard, (stub) => stub.record(request));
    return answer.ok ? { ...answer, value: { ...posting, ...answer.value } } : answer;
  }

  async recordBatch({
    batchId,
    options,
    items,
    operation,
  }: Parameters<Journal["recordBatch"]>[0]): Promise<Reply<BatchValue>> {
    if (!(await this.#claim(operation))) return reused();
    const shard = this.#shardOf(batchId);
    const { shards } = this.#parts;
    let after = 0;
    let postings: string[] = [];
    for (const piece of parcels(postingTexts(items), (text) => text.length)) {
      if (postings.length > 0) {
        const part = { batchId, after, postings };
        await this.#ask(shard, async (stub) => stub.stageBatch(part));
        after += postings.length;
      }
      postings = piece;
    }
    const request = { batchId, after, postings, options, shards, operation };
    return this.#ask(shard, async (stub) => await stub.recordBatch(request));
  }

  batch(batchId: BatchId): Promise<BatchValue | null> {
    return this.#ask(this.#shardOf(batchId), async (stub) => await stub.batch({ batchId }));
  }

  async batchResults(
    batchId: BatchId,
    { after, upTo }: { readonly after: number; readonly upTo: number },
  ): Promise<ItemResult[]> {
    const results: ItemResult[] = [];
    for (let from = after; from < upTo; from += RESULTS_PAGE) {
      const page = { batchId, after: from, upTo: Math.min(upTo, from + RESULTS_PAGE) };
      results.push(
        ...(await this.#ask(
          this.#shardOf(batchId),
          async (stub): Promise<ItemResult[]> => await stub.batchResults(page),
        )),
      );
    }
    return results;
  }

  async endedBatch(batchId: BatchId): Promise<BatchValue | null> {
    const before = await this.batch(batchId);
    if (before?.status !== "processing") return before;
    const drive = this.#ask(this.#shardOf(batchId), async (stub) => stub.driveBatch({ batchId }));
    try {
      await within(ENDED_MS, drive);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
    }
    return this.batch(batchId);
  }

  settleEach(requests: readonly SettleRequest[]): Promise<Reply<SettleValue>[]> {
    return this.#askEach(
      requests,
      ({ transactionId }) => transactionId,
      async (stub, some): Promise<Reply<SettleValue>[]> =>
        await stub.settleMany({ requests: some }),
    );
  }

  plansToSettle(questions: readonly SettlePlanQuestion[]): Promise<Result<Plan>[]> {
    return this.#askEach(
      questions,
      ({ transactionId }) => transactionId,
      async (stub, some): Promise<Result<Plan>[]> => await stub.plansToSettle({ questions: some }),
    );
  }

  plansToRefund(questions: readonly RefundQuestion[]): Promise<Result<Plan>[]> {
    return this.#askEach(
      questions,
      ({ transactionId }) => transactionId,
      async (stub, some): Promise<Result<Plan>[]> => await stub.plansToRefund({ questions: some }),
    );
  }

  refundEach(requests: readonly RefundRequest[]): Promise<Reply<Transaction>[]> {
    return this.#askEach(
      requests,
      ({ transactionId }) => transactionId,
      async (stub, some): Promise<Reply<Transaction>[]> =>
        await stub.refundMany({ requests: some }),
    );
  }

  statesOf(ids: readonly TransactionId[]): Promise<(RecordState | null)[]> {
    return this.#askEach(
      ids,
      (id) => id,
      async (stub, some): Promise<(RecordState | null)[]> => await stub.states({ ids: some }),
    );
  }

  mergeMetaDataEach(ids: readonly TransactionId[], patch: string): Promise<MergeOutcome[]> {
    return this.#askEach(
      ids,
      (id) => id,
      (stub, some) => stub.mergeMetaDataMany({ ids: some, patch }),
    );
  }

  beginAnswer(operation: OperationKey): Promise<AnswerState> {
    const caller = crypto.randomUUID();
    return this.#ask(
      this.#keyShardOf(operation),
      async (stub): Promise<AnswerState> => await stub.beginAnswer({ operation, caller }),
    );
  }

  keepAnswer(operation: OperationKey, answer: KeptAnswer): Promise<KeptAnswer> {
    const { key } = operation;
    return this.#ask(
      this.#keyShardOf(operation),
      async (stub): Promise<KeptAnswer> => await stub.keepAnswer({ key, answer }),
    );
  }

  dropAnswer(operation: OperationKey): Promise<void> {
    const { key } = operation;
    return this.#ask(this.#keyShardOf(operation), async (stub) => stub.dropAnswer({ key }));
  }

  async settle(request: SettleRequest): Promise<Reply<SettleValue>> {
    if (!(await this.#claim(request.operation))) return reused();
    return this.#ask(this.#shardOf(request.transactionId), (stub) => stub.settle(request));
  }

  async refund(request: RefundRequest): Promise<Reply<Transaction>> {
    if (!(await this.#claim(request.operation))) return reused();
    return this.#ask(this.#shardOf(request.transactionId), (stub) => stub.refund(request));
  }

  cancel(transactionId: TransactionId): Promise<Reply<Transaction>> {
    return this.#ask(this.#shardOf(transactionId), (stub) => stub.cancel({ transactionId }));
  }

  async recover(olderThanMs: number): Promise<number> {
    const createdBefore = instantOfMicros((Date.now() - olderThanMs) * 1000);
    let found = 0;
    for (let shard = 0; shard < this.#parts.shards && found < RECOVER_MAX; shard += 1) {
      const limit = RECOVER_MAX - found;
      found += await this.#ask(shard, (stub) => stub.recover({ createdBefore, limit }));
    }
    return found;
  }

  planSettle(question: SettleQuestion): Promise<Result<Plan>> {
    return this.#ask(this.#shardOf(question.transactionId), (stub) => stub.planSettle(question));
  }

  planRefund(question: RefundQuestion): Promise<Result<Plan>> {
    return this.#ask(this.#shardOf(question.transactionId), (stub) => stub.planRefund(question));
  }

  async survey(question: SurveyQuestion): Promise<Survey> {
    const parts = [...surveyByShard(question, this.#parts.shards)];
    return joinSurveys(
      await Promise.all(
        parts.map(([shard, part]) => this.#ask(shard, async (stub) => await stub.survey(part))),
      ),
    );
  }

  async byId(transactionId: TransactionId): Promise<Transaction | null> {
    const get = (id: TransactionId) =>
      this.#ask(this.#shardOf(id), (stub) => stub.get({ transactionId: id }));
    const found = await get(transactionId);
    if (found?.kind !== "pointer" || !isTransactionId(found.parentTransaction)) return found;
    // The reference of a split's leg: the leg itself lives with its split.
    return get(found.parentTransaction);
  }

  async byReference(reference: string): Promise<Transaction | null> {
    const posted = await this.byId(transactionIdOf(this.#parts.instance, reference));
    if (posted !== null || !reference.endsWith("_q")) return posted;
    const queued = await this.byId(transactionIdOf(this.#parts.instance, reference.slice(0, -2)));
    return queued === null || queued.skipQueue ? null : queued;
  }

  async mergeMetaData(transactionId: TransactionId, patch: string): Promise<MergeOutcome> {
    const merge = (id: TransactionId) =>
      this.#ask(this.#shardOf(id), (stub) => stub.mergeMetaData({ transactionId: id, patch }));
    const outcome = await merge(transactionId);
    // What has no record and is found all the same is the reference of a split's leg.
    const leg = outcome === "missing" ? await this.byId(transactionId) : null;
    return leg === null ? outcome : merge(leg.transactionId);
  }

  createBalance(profile: BalanceProfile): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    return this.#ask(this.#shardOf(profile.balanceId), (stub) => stub.createBalance({ profile }));
  }

  async updateBalance(
    balanceId: BalanceId,
    change: ProfileChange,
  ): Promise<BalanceSnapshot | null> {
    if (!isBalanceId(balanceId)) return null;
    return this.#ask(this.#shardOf(balanceId), (stub) => stub.updateBalance({ balanceId, change }));
  }

  balance(balanceId: BalanceId, version?: number): Promise<BalanceSnapshot | null> {
    return readInTurn(this.#parts, balanceId, version);
  }

  balanceAt(balanceId: BalanceId, moment: Instant): Promise<BalanceAt | null> {
    return askBalance(this.#parts, balanceId, async (stub) => stub.readAt({ moment }));
  }

  balanceLineage(balanceId: BalanceId): Promise<BalanceLineage | null> {
    return askBalance(this.#parts, balanceId, async (stub) => await stub.lineage());
  }

  lineageOf(transactionId: TransactionId): Promise<LineageFound | null> {
    return this.#ask(
      this.#shardOf(transactionId),
      async (stub): Promise<LineageFound | null> => await stub.lineage({ transactionId }),
    );
  }

  async queuedAmounts(balanceId: BalanceId): Promise<{ debit: bigint; credit: bigint }> {
    const sums = await this.#askAll((stub) => stub.queued({ balanceId }));
    return sums.reduce((sum, { debit, credit }) => ({
      debit: sum.debit + debit,
      credit: sum.credit + credit,
    }));
  }

  barrier(): Promise<boolean> {
    const { instance } = this.#parts;
    const shared = barriers.get(instance) ?? new SharedBarrier();
    barriers.set(instance, shared);
    return shared.pass(async () => {
      const passed = await this.#askAll((stub) => stub.barrier());
      return passed.every((flushed) => flushed);
    });
  }

  #claim(operation: OperationKey): Promise<boolean> {
    if (!operation.fromClient) return Promise.resolve(true);
    return this.#ask(this.#keyShardOf(operation), async (stub) => stub.claimKey(operation));
  }

  #keyShardOf({ key }: OperationKey): number {
    return shardOfKey(this.#parts.instance, key, this.#parts.shards);
  }

  #claimOf(leg: Posting): Claim {
    const posting = pointerTo(this.#parts.instance, leg);
    return { shard: this.#shardOf(posting.transactionId), posting };
  }

  #shardOf(id: TransactionId | BalanceId | BatchId): number {
    return shardOf(id, this.#parts.shards);
  }

  #ask<T>(shard: number, call: (stub: DurableObjectStub<JournalObject>) => Promise<T>): Promise<T> {
    return patiently(() => shardStub(this.#parts, shard), call);
  }

  /** Asks for many things, each in its shard: every shard at once, some of its things in a call. The answers in order. */
  async #askEach<T, R>(
    list: readonly T[],
    idOf: (each: T) => TransactionId,
    call: (stub: DurableObjectStub<JournalObject>, some: T[]) => Promise<R[]>,
  ): Promise<R[]> {
    const answers: R[] = [];
    const byShard = Map.groupBy(list.entries(), ([, each]) => this.#shardOf(idOf(each)));
    await Promise.all(
      [...byShard].map(async ([shard, entries]) => {
        for (let at = 0; at < entries.length; at += EACH_AT_ONCE) {
          const some = entries.slice(at, at + EACH_AT_ONCE);
          const things = some.map(([, each]) => each);
          const answered = await this.#ask(shard, (stub) => call(stub, things));
          some.forEach(([index], place) => {
            const answer = answered[place];
            if (answer !== undefined) answers[index] = answer;
          });
        }
      }),
    );
    return answers;
  }

  #askAll<T>(call: (stub: DurableObjectStub<JournalObject>) => Promise<T>): Promise<T[]> {
    const shards = Array.from({ length: this.#parts.shards }, (_none, shard) => shard);
    return Promise.all(shards.map((shard) => this.#ask(shard, call)));
  }
}

const reused = () => refuse(keyReused());

/** One at a time, so that only a piece of them is in memory twice. */
function* postingTexts(postings: readonly Posting[]): Generator<string> {
  for (const posting of postings) yield postingText(posting);
}
