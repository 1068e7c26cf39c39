import { type LedgerError, refusal } from "../../domain/error";
import type { LedgerEvent } from "../../domain/event";
import { type BatchId, shardOf } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Posting, Transaction } from "../../domain/transaction";
import { batchEvent } from "../../schemas/event";
import type { AlarmClock } from "./alarm-clock";
import { type Batch, type BatchItem, BatchStore } from "./batch-store";
import type { Resolution } from "./claims";
import { within } from "./deadline";
import type { Group, GroupSaga } from "./group-saga";
import type { BatchRequest, BatchValue, ItemResult, RecordRequest, Reply } from "./protocol";
import type { Records } from "./records";
import { keyReused, refuse, reply, storedKey } from "./replies";
import { type Outcome, Work } from "./row";
import type { JournalStore } from "./store";

/** Items that are taken to their shards together, and whose results are written together. */
const CHUNK = 500;
/** A batch that nobody drives is looked at again after this long, in milliseconds. */
const REDRIVE_MS = 10_000;
/** How long a request waits for a whole batch; after that its id tells. */
const PATIENCE_MS = 100_000;
/** The pause before a shard is asked again that could not say yet, in milliseconds. */
const AGAIN_MS = 250;
const ITEMS_MAX = 10_000;

/** What batches need of their shard. */
export interface BatchesHost {
  checkpoint(step: string): void | Promise<void>;
  /** Records postings in another shard, in order; repeated until it is answered. */
  recordMany(shard: number, requests: readonly RecordRequest[]): Promise<Reply<Transaction>[]>;
  /** Asks for a batch to be driven later, outside any request. */
  sendJob(batchId: BatchId): Promise<void>;
  readonly hasReceivers: boolean;
  sendEvents(events: readonly LedgerEvent[]): Promise<void>;
  troubled(error: unknown): void;
}

/** Drives batches: the batch's row is the coordinator's log, its items live in the shards of their references. */
export class Batches {
  readonly #store: JournalStore;
  readonly #batches: BatchStore;
  readonly #records: Records;
  readonly #saga: GroupSaga;
  readonly #alarm: AlarmClock;
  readonly #host: BatchesHost;
  readonly #driving = new Map<BatchId, Promise<void>>();

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly saga: GroupSaga;
    readonly alarm: AlarmClock;
    readonly host: BatchesHost;
  }) {
    this.#store = parts.store;
    this.#batches = new BatchStore(parts.store.sql);
    this.#records = parts.records;
    this.#saga = parts.saga;
    this.#alarm = parts.alarm;
    this.#host = parts.host;
  }

  /** Takes a batch; a synchronous one is at its end when it is answered. A repeat answers the first one's batch. */
  async record(request: BatchRequest): Promise<Reply<BatchValue>> {
    const { batchId, options, operation } = request;
    const key = storedKey(operation);
    const found = this.find(batchId);
    if (found !== null && found.fingerprint !== operation.fingerprint) return refuse(keyReused());
    const batch = found ?? this.#insert(request, key);
    await this.#host.checkpoint("batch:inserted");
    if (options.runAsync || (options.atomic && !options.skipQueue)) {
      if (batch.work !== 0) await this.#host.sendJob(batchId);
      return reply(this.#shown(batch), found !== null);
    }
    await within(PATIENCE_MS, this.drive(batchId));
    return reply(this.#shown(this.find(batchId) ?? batch), found !== null);
  }

  /** The batch with the results of its items; null when there is none. */
  read(batchId: BatchId): BatchValue | null {
    const batch = this.find(batchId);
    return batch === null ? null : this.#shown(batch);
  }

  /** Drives a batch to its end, or joins the drive that is under way. */
  drive(batchId: BatchId): Promise<void> {
    const running = this.#driving.get(batchId);
    if (running !== undefined) return running;
    const drive = this.#run(batchId).finally(() => this.#driving.delete(batchId));
    this.#driving.set(batchId, drive);
    return drive;
  }

  /** What the batch decided about one of its items. Waits for its end. */
  async resolve(asked: { group: BatchId; attempt: string; member: string }): Promise<Resolution> {
    const batch = this.find(asked.group);
    if (batch === null || batch.attempt !== asked.attempt) return GONE;
    await this.drive(asked.group);
    const { decision } = this.find(asked.group) ?? batch;
    if (decision === null) return GONE;
    const outcomes = decision.commit ? await this.#saga.post(this.#groupOf(batch)) : new Map();
    return { decision, outcome: outcomes.get(asked.member) ?? null };
  }

  /** Drives what an earlier life left behind. */
  async recover(): Promise<void> {
    if (!this.#store.isUsed) return;
    for (const { batchId } of this.#batches.unsettled(20)) {
      await this.drive(batchId).catch((error: unknown) => this.#host.troubled(error));
    }
  }

  /** Whether any batch has work left. */
  get hasWork(): boolean {
    return this.#store.isUsed && this.#batches.unsettled(1).length > 0;
  }

  find(batchId: BatchId): Batch | null {
    return this.#store.isUsed ? this.#batches.find(batchId) : null;
  }

  #insert({ batchId, options, items, shards, operation }: BatchRequest, key: string): Batch {
    const batch: Batch = {
      batchId,
      attempt: crypto.randomUUID().slice(0, 8),
      createdAt: this.#records.now(),
      operationKey: key,
      fingerprint: operation.fingerprint,
      shards,
      options,
      count: items.length,
      status: "processing",
      done: 0,
      decision: null,
      work: Work.Drive,
      endedAt: null,
    };
    this.#store.transaction(() => this.#batches.insert(batch, items));
    this.#alarm.by(Date.now() + REDRIVE_MS);
    return batch;
  }

  async #run(batchId: BatchId): Promise<void> {
    const batch = this.find(batchId);
    if (batch === null || batch.work === 0) return;
    if ((batch.work & Work.Drive) !== 0) {
      if (batch.options.atomic) await this.#runAtomic(batch);
      else if (batch.options.skipQueue) await this.#runInOrder(batch);
      else await this.#runQueued(batch);
    }
    await this.#announce(batch);
  }

  /** All or nothing: two phases over every shard and balance that the items touch. */
  async #runAtomic(batch: Batch): Promise<void> {
    const group = this.#groupOf(batch);
    if (batch.decision === null) {
      const refused = doubled(group) ?? (await this.#saga.prepare(group));
      // The point of no return: what is written here holds, whatever crashes.
      batch.decision = refused === null ? { commit: true } : { commit: false, ...refused };
      this.#store.transaction(() => this.#batches.save(batch));
      await this.#host.checkpoint("batch:decided");
    }
    const { decision } = batch;
    const outcomes = decision.commit ? await this.#saga.post(group) : new Map<string, Outcome>();
    if (!decision.commit) await this.#saga.release(group);
    await this.#saga.settleClaims(group, decision, outcomes);
    const results = group.members.map(({ posting }, index): ItemResult => {
      if (decision.commit)
        return succeeded(posting, batch.options.inflight ? "INFLIGHT" : "APPLIED");
      const { error } = decision;
      if (index === decision.index) return failed(posting, error);
      return failed(posting, refusal("GEN_CONFLICT", `the batch was refused: ${error.message}`));
    });
    this.#finish(batch, results, decision.commit ? null : decision);
  }

  /** One after another; the first refusal stops the rest, and what went before stays. */
  async #runInOrder(batch: Batch): Promise<void> {
    const results: ItemResult[] = [];
    let stopped: { error: LedgerError; index: number } | null = null;
    for (const item of this.#batches.items(batch.batchId, 0, ITEMS_MAX)) {
      if (stopped !== null) {
        results.push(skipped(item.posting));
        continue;
      }
      const home = this.#homeOf(batch, item.posting);
      const [answer] = await this.#record(home, [requestOf(batch, item)]);
      await this.#host.checkpoint("batch:item-recorded");
      if (answer === undefined) break;
      results.push(resultOf(item.posting, answer));
      if (!answer.ok) stopped = { error: answer.error, index: item.sequence - 1 };
    }
    this.#finish(batch, results, stopped);
  }

  /** Each on its own, through the queue: chunk by chunk, every shard at once. */
  async #runQueued(batch: Batch): Promise<void> {
    while (batch.done < batch.count) {
      const items = this.#batches.items(batch.batchId, batch.done, CHUNK);
      const byShard = new Map<number, BatchItem[]>();
      for (const item of items) {
        const home = this.#homeOf(batch, item.posting);
        byShard.set(home, [...(byShard.get(home) ?? []), item]);
      }
      const results = new Map<number, ItemResult>();
      await Promise.all(
        [...byShard].map(async ([shard, mine]) => {
          const requests = mine.map((item) => requestOf(batch, item));
          const answers = await this.#record(shard, requests);
          mine.forEach(({ sequence, posting }, index) => {
            const answer = answers[index];
            if (answer !== undefined) results.set(sequence, resultOf(posting, answer));
          });
        }),
      );
      await this.#host.checkpoint("batch:chunk-recorded");
      batch.done += items.length;
      this.#store.transaction(() => {
        for (const [sequence, result] of results) {
          this.#batches.saveResult(batch.batchId, sequence, result);
        }
        this.#batches.save(batch);
      });
    }
    this.#finish(batch, [], null);
  }

  /** The answers of a shard, asked again while any of them is not definite. */
  async #record(
    shard: number,
    requests: readonly RecordRequest[],
  ): Promise<readonly Reply<Transaction>[]> {
    for (;;) {
      const answers = await this.#host.recordMany(shard, requests);
      if (answers.every(isDefinite)) return answers;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #finish(
    batch: Batch,
    results: readonly ItemResult[],
    refused: { readonly error: LedgerError; readonly index?: number } | null,
  ): void {
    const { batchId, options, count } = batch;
    batch.status = refused !== null ? "failed" : options.inflight ? "inflight" : "applied";
    batch.done = count;
    batch.endedAt = this.#records.now();
    if (refused !== null) batch.decision = { commit: false, ...refused };
    batch.work = options.runAsync ? Work.Announce : 0;
    this.#store.transaction(() => {
      results.forEach((result, index) => {
        this.#batches.saveResult(batchId, index + 1, result);
      });
      this.#batches.save(batch);
    });
  }

  async #announce(batch: Batch): Promise<void> {
    if ((batch.work & Work.Announce) === 0) return;
    await this.#host.checkpoint("batch:finished");
    if (this.#host.hasReceivers) {
      await this.#host.sendEvents([eventOf(batch)]);
    }
    batch.work = 0;
    this.#store.transaction(() => this.#batches.save(batch));
  }

  #groupOf(batch: Batch): Group {
    const { batchId, attempt, createdAt } = batch;
    const postings = this.#batches
      .items(batchId, 0, ITEMS_MAX)
      .map(({ posting }): Posting => ({ ...posting, group: batchId }));
    return {
      id: batchId,
      attempt,
      members: postings.map((posting) => ({ posting, attempt, createdAt })),
      claims: postings.map((posting) => ({ shard: this.#homeOf(batch, posting), posting })),
    };
  }

  #homeOf({ shards }: Batch, { transactionId }: Posting): number {
    return shardOf(transactionId, shards);
  }

  #shown(batch: Batch): BatchValue {
    const { batchId, status, options, count, done, createdAt, decision } = batch;
    const refused = decision !== null && !decision.commit ? decision : null;
    return {
      batchId,
      status,
      options,
      count,
      done,
      createdAt,
      error: refused?.error ?? null,
      failedAt: refused?.index ?? null,
      results: this.#batches
        .items(batchId, 0, ITEMS_MAX)
        .map(({ posting, result }) => result ?? pending(posting)),
    };
  }
}

function eventOf({ batchId, status, count, endedAt, createdAt, decision }: Batch): LedgerEvent {
  invariant(status !== "processing", "a batch is announced at its end");
  const error = decision !== null && !decision.commit ? decision.error.message : "";
  return batchEvent({ batchId, status, count, endedAt: endedAt ?? createdAt, error });
}

/** Two items of one batch with one reference: the later one is the reason. */
function doubled({ members }: Group): { error: LedgerError; index: number } | null {
  const seen = new Map<string, string>();
  for (const [index, { posting }] of members.entries()) {
    const { transactionId, reference } = posting;
    if (seen.has(transactionId)) {
      const message = `reference ${reference} is used twice in the batch`;
      const details = { transaction_id: transactionId };
      return { index, error: refusal("TXN_DUPLICATE_REFERENCE", message, details) };
    }
    seen.set(transactionId, reference);
  }
  return null;
}

/** The request for one item: its key is its place in its batch, so that a repeat finds it. */
const requestOf = (batch: Batch, { sequence, posting }: BatchItem): RecordRequest => ({
  posting,
  operation: {
    key: `${batch.batchId}:${batch.attempt}:${sequence}`,
    fingerprint: "",
    fromClient: false,
  },
});

const base = ({ reference, transactionId }: Posting) => ({ reference, transactionId });

const succeeded = (posting: Posting, status: Transaction["status"]): ItemResult => ({
  ...base(posting),
  outcome: "succeeded",
  status,
  error: null,
});

const failed = (posting: Posting, error: LedgerError): ItemResult => ({
  ...base(posting),
  outcome: "failed",
  status: null,
  error,
});

const skipped = (posting: Posting): ItemResult => ({
  ...base(posting),
  outcome: "skipped",
  status: null,
  error: null,
});

const pending = (posting: Posting): ItemResult => ({
  ...base(posting),
  outcome: "pending",
  status: null,
  error: null,
});

const isDefinite = (answer: Reply<Transaction>): boolean =>
  answer.ok ||
  (answer.error.code !== "GEN_OUTCOME_UNKNOWN" && answer.error.code !== "GEN_OVERLOADED");

const resultOf = (posting: Posting, answer: Reply<Transaction>): ItemResult =>
  answer.ok ? succeeded(posting, answer.value.status) : failed(posting, answer.error);

/** The answer about a batch that is gone: whatever it claimed is free. */
const GONE: Resolution = {
  decision: { commit: false, error: refusal("GEN_CONFLICT", "the batch does not exist any more") },
  outcome: null,
};
