import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
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
import type { Result } from "../../domain/result";
import { instantOfMicros } from "../../domain/time";
import type { Posting, Transaction } from "../../domain/transaction";
import { balanceStub } from "../balance/client";
import type { BalanceObject } from "../balance/object";
import type { ProfileChange } from "../balance/protocol";
import { patiently } from "../patiently";
import { SharedBarrier } from "./barrier";
import type { JournalObject } from "./object";
import type {
  BatchRequest,
  BatchValue,
  Journal,
  MergeOutcome,
  OperationKey,
  Plan,
  PostRequest,
  Recorded,
  RecordRequest,
  RefundQuestion,
  RefundRequest,
  Reply,
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

const barriers = new Map<string, SharedBarrier>();

/** The journal as the Worker sees it: every call finds its shard, and is repeated when its reply is lost. */
export class JournalClient implements Journal {
  readonly #parts: JournalParts;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  async record({ posting, legs = [], operation }: PostRequest): Promise<Reply<Transaction>> {
    if (!(await this.#claim(operation))) return reused();
    const request: RecordRequest =
      legs.length === 0
        ? { posting, operation }
        : { posting, operation, split: { legs, claims: legs.map((leg) => this.#claimOf(leg)) } };
    const shard = this.#shardOf(posting.transactionId);
    const answer: Reply<Recorded> = await this.#ask(shard, async (stub) => stub.record(request));
    return answer.ok ? { ...answer, value: { ...posting, ...answer.value } } : answer;
  }

  async recordBatch(request: Omit<BatchRequest, "shards">): Promise<Reply<BatchValue>> {
    if (!(await this.#claim(request.operation))) return reused();
    const whole = { ...request, shards: this.#parts.shards };
    return this.#ask(this.#shardOf(request.batchId), (stub) => stub.recordBatch(whole));
  }

  batch(batchId: BatchId): Promise<BatchValue | null> {
    return this.#ask(this.#shardOf(batchId), async (stub) => await stub.batch({ batchId }));
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
    const found = await this.#ask(this.#shardOf(transactionId), (stub) =>
      stub.get({ transactionId }),
    );
    if (found?.kind !== "pointer" || !isTransactionId(found.parentTransaction)) return found;
    // The reference of a split's leg: the leg itself lives with its split.
    const leg = found.parentTransaction;
    return this.#ask(this.#shardOf(leg), (stub) => stub.get({ transactionId: leg }));
  }

  async byReference(reference: string): Promise<Transaction | null> {
    const posted = await this.byId(transactionIdOf(this.#parts.instance, reference));
    if (posted !== null || !reference.endsWith("_q")) return posted;
    const queued = await this.byId(transactionIdOf(this.#parts.instance, reference.slice(0, -2)));
    return queued === null || queued.skipQueue ? null : queued;
  }

  mergeMetaData(transactionId: TransactionId, patch: string): Promise<MergeOutcome> {
    const shard = this.#shardOf(transactionId);
    return this.#ask(shard, (stub) => stub.mergeMetaData({ transactionId, patch }));
  }

  createBalance(profile: BalanceProfile): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    const shard = this.#shardOf(profile.balanceId);
    return this.#ask(shard, (stub) => stub.createBalance({ profile }));
  }

  async updateBalance(
    balanceId: BalanceId,
    change: ProfileChange,
  ): Promise<BalanceSnapshot | null> {
    if (!isBalanceId(balanceId)) return null;
    return this.#ask(this.#shardOf(balanceId), (stub) => stub.updateBalance({ balanceId, change }));
  }

  async balance(balanceId: BalanceId, version?: number): Promise<BalanceSnapshot | null> {
    if (!isBalanceId(balanceId)) return null;
    const { balances, instance } = this.#parts;
    return patiently(
      () => balanceStub(balances, instance, balanceId),
      async (stub) => stub.read(version === undefined ? {} : { version }),
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
    const { instance, shards } = this.#parts;
    const shard = shardOfKey(instance, operation.key, shards);
    return this.#ask(shard, async (stub) => stub.claimKey(operation));
  }

  /** The row that keeps a leg's reference where everybody looks for it, and leads to the leg. */
  #claimOf(leg: Posting): Claim {
    const transactionId = transactionIdOf(this.#parts.instance, leg.reference);
    const posting: Posting = {
      ...leg,
      kind: "pointer",
      transactionId,
      parentTransaction: leg.transactionId,
      skipQueue: true,
      metaData: null,
    };
    return { shard: this.#shardOf(transactionId), posting };
  }

  #shardOf(id: TransactionId | BalanceId | BatchId): number {
    return shardOf(id, this.#parts.shards);
  }

  #ask<T>(shard: number, call: (stub: DurableObjectStub<JournalObject>) => Promise<T>): Promise<T> {
    return patiently(() => shardStub(this.#parts, shard), call);
  }

  #askAll<T>(call: (stub: DurableObjectStub<JournalObject>) => Promise<T>): Promise<T[]> {
    const shards = Array.from({ length: this.#parts.shards }, (_none, shard) => shard);
    return Promise.all(shards.map((shard) => this.#ask(shard, call)));
  }
}

const reused = () => refuse(keyReused());
