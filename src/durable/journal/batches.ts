import { type BatchValue, type ItemResult, isAnsweredFirst } from "../../domain/batch";
import { type LedgerError, refusal } from "../../domain/error";
import type { LedgerEvent } from "../../domain/event";
import type { BatchId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { batchEvent } from "../../schemas/event";
import type { AlarmClock } from "./alarm-clock";
import { resultOf, shownBatch } from "./batch-results";
import { BatchRun, type BatchRunHost, type BatchWatch, GONE } from "./batch-run";
import { type Batch, BatchStore, type StepDecision } from "./batch-store";
import type { Resolution } from "./claims";
import { within } from "./deadline";
import type { GroupSaga } from "./group-saga";
import type { BatchPart, BatchRequest, OperationKey, Reply } from "./protocol";
import type { Records } from "./records";
import { keyReused, overloaded, refuse, reply, unknownOutcome } from "./replies";
import { type Outcome, Work } from "./row";
import type { JournalStore } from "./store";

/** A batch that nobody drives is looked at again after this long, in milliseconds. */
const REDRIVE_MS = 10_000;
/** How long a request waits for a whole batch; after that its id tells. */
const PATIENCE_MS = 100_000;
/** Batches of one shard that are not at their end; past it new ones are turned away before they are written. */
const UNENDED_MAX = 100;
/** Items of batches that are carried out at this moment; past it no batch is taken that is waited for. Two of the largest. */
const ITEMS_MAX = 20_000;
/** Items whose batch never came are forgotten after this long, in milliseconds. */
const STAGED_MS = 3_600_000;

/** What batches need of their shard. */
export interface BatchesHost extends BatchRunHost {
  /** Asks for a batch to be driven later, outside any request. */
  sendJob(batchId: BatchId): Promise<void>;
  readonly hasReceivers: boolean;
  sendEvents(events: readonly LedgerEvent[]): Promise<void>;
  troubled(error: unknown): void;
}

/** A drive of a batch, and what it has come to. */
interface Drive {
  readonly end: Promise<void>;
  readonly claimed: Promise<void>;
  /** Those who wait for the end of a step, by its attempt. */
  readonly steps: Map<string, PromiseWithResolvers<StepEnd>>;
}

interface StepEnd {
  readonly decision: StepDecision;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** The batches of a shard: taken, driven, and read. */
export class Batches {
  readonly #store: JournalStore;
  readonly #batches: BatchStore;
  readonly #records: Records;
  readonly #run: BatchRun;
  readonly #alarm: AlarmClock;
  readonly #host: BatchesHost;
  readonly #drives = new Map<BatchId, Drive>();
  #items = 0;

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
    this.#run = new BatchRun({ ...parts, batches: this.#batches });
    this.#alarm = parts.alarm;
    this.#host = parts.host;
  }

  /** Takes some of a batch's items, before the batch itself. Repeatable. */
  stage({ batchId, after, postings }: BatchPart): void {
    if (this.find(batchId) !== null) return;
    this.#store.transaction(() => this.#batches.stage(batchId, after, postings, Date.now()));
  }

  /**
   * Takes a batch whose items are here or come with it. A synchronous one is at its end when it is answered; of a queued
   * atomic one all references are taken. A repeat answers the first one's batch.
   */
  async record(request: BatchRequest): Promise<Reply<BatchValue>> {
    const { batchId, options, operation } = request;
    const found = this.find(batchId);
    const refused = found === null ? this.#refusalOf(request) : ofAnother(found, operation);
    if (refused !== null) {
      if (found === null) this.#forget(batchId);
      return refuse(refused);
    }
    const batch = found ?? this.#insert(request);
    if (batch === null) return unknownOutcome();
    await this.#host.checkpoint("batch:inserted");
    if (batch.work !== 0) {
      if (options.runAsync) await this.#host.sendJob(batchId);
      else await within(PATIENCE_MS, this.#firstWord(batch));
    }
    return reply(shownBatch(this.find(batchId) ?? batch), found !== null);
  }

  /** The batch; null when there is none. */
  read(batchId: BatchId): BatchValue | null {
    const batch = this.find(batchId);
    return batch === null ? null : shownBatch(batch);
  }

  /** What became of its items, after a place up to another. */
  results(batchId: BatchId, after: number, upTo: number): ItemResult[] {
    const batch = this.find(batchId);
    if (batch === null) return [];
    return this.#batches.itemRows(batchId, after, upTo).map((item) => resultOf(batch, item));
  }

  /** Drives a batch to its end, or joins the drive that is under way. */
  drive(batchId: BatchId): Promise<void> {
    return this.#drive(batchId).end;
  }

  /** What the batch decided about one of its items. Waits for the end of the item's step. */
  async resolve(asked: { group: BatchId; attempt: string; member: string }): Promise<Resolution> {
    const batch = this.find(asked.group);
    if (batch === null || batch.step?.attempt !== asked.attempt) return GONE;
    const { steps, end } = this.#drive(asked.group);
    const step = steps.get(asked.attempt) ?? Promise.withResolvers<StepEnd>();
    steps.set(asked.attempt, step);
    const ended = await Promise.race([step.promise, end]);
    if (ended === undefined) return GONE;
    return { decision: ended.decision, outcome: ended.outcomes.get(asked.member) ?? null };
  }

  /** Drives what an earlier life left behind. */
  async recover(): Promise<void> {
    if (!this.#store.isUsed) return;
    const left = this.#batches.unsettled(UNENDED_MAX).map(({ batchId }) => batchId);
    // What is driven already is left alone: it may take long.
    const idle = left.filter((batchId) => !this.#drives.has(batchId));
    await Promise.allSettled(idle.map((batchId) => this.drive(batchId)));
  }

  /** Forgets items whose batch never came. */
  forgetStaged(): void {
    if (this.#store.isUsed) this.#batches.forgetStaged(Date.now() - STAGED_MS);
  }

  /** Whether any batch has work left. */
  get hasWork(): boolean {
    return this.#store.isUsed && this.#batches.unsettled(1).length > 0;
  }

  /** Whether an attempt of one of its steps is under way. */
  isUnderWay(batchId: BatchId, attempt: string): boolean {
    const batch = this.find(batchId);
    return batch !== null && (batch.work & Work.Drive) !== 0 && batch.step?.attempt === attempt;
  }

  find(batchId: BatchId): Batch | null {
    return this.#store.isUsed ? this.#batches.find(batchId) : null;
  }

  #refusalOf({ options: { runAsync }, after, postings }: BatchRequest): LedgerError | null {
    const tooMany =
      this.#store.isUsed && this.#batches.unsettled(UNENDED_MAX).length === UNENDED_MAX;
    if (runAsync) {
      return tooMany
        ? refusal("GEN_RATE_LIMITED", "too many batches run in the background; try again later")
        : null;
    }
    return tooMany || this.#items + after + postings.length > ITEMS_MAX
      ? overloaded("too many batches are under way", "later")
      : null;
  }

  /** The items of a batch that was not taken. */
  #forget(batchId: BatchId): void {
    if (!this.#store.isUsed) return;
    this.#store.transaction(() => this.#batches.forgetStagedOf(batchId));
  }

  /** Null when not all of its items are here. */
  #insert({ batchId, options, after, postings, shards, operation }: BatchRequest): Batch | null {
    const batch: Batch = {
      batchId,
      createdAt: this.#records.now(),
      fingerprint: operation.fingerprint,
      shards,
      options,
      count: after + postings.length,
      status: "processing",
      done: 0,
      step: null,
      failure: null,
      work: Work.Drive,
      endedAt: null,
    };
    const isWhole = this.#store.transaction(() => {
      this.#batches.stage(batchId, after, postings, Date.now());
      if (this.#batches.staged(batchId) !== batch.count) return false;
      this.#batches.insert(batch);
      return true;
    });
    if (!isWhole) return null;
    this.#alarm.by(Date.now() + REDRIVE_MS);
    return batch;
  }

  /** When a request is answered: a batch in the queue is driven on after it. */
  #firstWord({ batchId, options }: Batch): Promise<void> {
    const { claimed, end } = this.#drive(batchId);
    return isAnsweredFirst(options) ? Promise.race([claimed, end]) : end;
  }

  #drive(batchId: BatchId): Drive {
    const running = this.#drives.get(batchId);
    if (running !== undefined) return running;
    const claimed = Promise.withResolvers<void>();
    const steps: Drive["steps"] = new Map();
    const end = this.#carryOut(batchId, claimed.resolve, steps).finally(() =>
      this.#drives.delete(batchId),
    );
    // Whoever waits for it hears of it; a batch that nobody waits for any more is driven again by the alarm.
    end.catch((error: unknown) => this.#host.troubled(error));
    const drive = { end, claimed: claimed.promise, steps };
    this.#drives.set(batchId, drive);
    return drive;
  }

  async #carryOut(batchId: BatchId, claimed: () => void, steps: Drive["steps"]): Promise<void> {
    const batch = this.find(batchId);
    if (batch === null || batch.work === 0) return;
    const watch: BatchWatch = {
      claimed,
      ended: (attempt, decision, outcomes) => {
        steps.get(attempt)?.resolve({ decision, outcomes });
        steps.delete(attempt);
      },
    };
    this.#items += batch.count;
    try {
      if ((batch.work & Work.Drive) !== 0) await this.#run.run(batch, watch);
    } finally {
      this.#items -= batch.count;
    }
    await this.#announce(batch);
  }

  async #announce(batch: Batch): Promise<void> {
    if ((batch.work & Work.Announce) === 0) return;
    await this.#host.checkpoint("batch:finished");
    if (this.#host.hasReceivers) await this.#host.sendEvents([eventOf(batch)]);
    batch.work = 0;
    this.#store.transaction(() => this.#batches.save(batch));
  }
}

function eventOf({ batchId, status, count, endedAt, createdAt, failure }: Batch): LedgerEvent {
  invariant(status !== "processing", "a batch is announced at its end");
  const error = failure?.error.message ?? "";
  return batchEvent({ batchId, status, count, endedAt: endedAt ?? createdAt, error });
}

/** The refusal of a batch id that another request has used. */
const ofAnother = ({ fingerprint }: Batch, operation: OperationKey): LedgerError | null =>
  fingerprint === operation.fingerprint ? null : keyReused();
