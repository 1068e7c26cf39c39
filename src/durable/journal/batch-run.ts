import { isQueued } from "../../domain/batch";
import type { LedgerError } from "../../domain/error";
import { type BalanceId, shardOf } from "../../domain/ids";
import { referenceUsed } from "../../domain/movement";
import { atOnce } from "../at-once";
import {
  type Batch,
  type BatchFailure,
  type BatchStore,
  madeAt,
  type Step,
  type StepDecision,
} from "./batch-store";
import type { Resolution } from "./claims";
import type { Group, GroupSaga } from "./group-saga";
import type { ItemsRequest } from "./protocol";
import type { Records } from "./records";
import { type Outcome, Work } from "./row";
import type { JournalStore } from "./store";

/** The pause before a shard is asked again that could not say yet, in milliseconds. */
const AGAIN_MS = 250;
const SHARDS_AT_ONCE = 64;

/** What carrying out a batch needs of its shard. */
export interface BatchRunHost {
  checkpoint(step: string): void | Promise<void>;
  /** Records items in another shard, in order; repeated until it is answered. */
  recordItems(shard: number, request: ItemsRequest): Promise<(LedgerError | null)[]>;
  /** Notes balances that were moved: their rows in D1 follow, even after a crash. */
  balancesMoved(balanceIds: Iterable<BalanceId>): void;
}

/** Who waits for something of a batch while it is carried out. */
export interface BatchWatch {
  /** All references of the first step are taken: whoever asks for an item from now on waits for its outcome. */
  claimed(): void;
  /** A step came to its end, in all its shards. */
  ended(attempt: string, decision: StepDecision, outcomes: ReadonlyMap<string, Outcome>): void;
}

/**
 * Carries out a batch from wherever it stands: what was done is written down, and every step can be repeated. Its row is
 * the coordinator's log; its items become rows in the shards of their references.
 */
export class BatchRun {
  readonly #store: JournalStore;
  readonly #batches: BatchStore;
  readonly #records: Records;
  readonly #saga: GroupSaga;
  readonly #host: BatchRunHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly batches: BatchStore;
    readonly records: Records;
    readonly saga: GroupSaga;
    readonly host: BatchRunHost;
  }) {
    this.#store = parts.store;
    this.#batches = parts.batches;
    this.#records = parts.records;
    this.#saga = parts.saga;
    this.#host = parts.host;
  }

  /** Brings the batch to its end. */
  async run(batch: Batch, watch: BatchWatch): Promise<void> {
    if (isQueued(batch.options)) await this.#recordAll(batch);
    else await this.#runSteps(batch, watch);
  }

  /** Each item on its own, through the queue: piece by piece, every shard at once. */
  async #recordAll(batch: Batch): Promise<void> {
    const { batchId } = batch;
    while (batch.done < batch.count) {
      const piece = this.#batches.pieceAfter(batchId, batch.done);
      const byShard = Map.groupBy(piece, ({ id }) => shardOf(id, batch.shards));
      const failed = await atOnce(SHARDS_AT_ONCE, [...byShard], async ([shard, items]) => {
        const errors = await this.#record(shard, {
          batchId,
          batchMadeAt: batch.createdAt,
          items: items.map(({ sequence, posting }) => [sequence, posting]),
        });
        return items.flatMap(({ sequence }, index) => {
          const error = errors[index] ?? null;
          return error === null ? [] : [{ sequence, error }];
        });
      });
      await this.#host.checkpoint("batch:chunk-recorded");
      batch.done = piece.at(-1)?.sequence ?? batch.count;
      this.#store.transaction(() => {
        for (const { sequence, error } of failed.flat()) {
          this.#batches.saveError(batchId, sequence, error);
        }
        this.#batches.save(batch);
      });
    }
    this.#end(batch, null);
  }

  /** The answers of a shard, asked again while any of them is not definite. */
  async #record(shard: number, request: ItemsRequest): Promise<readonly (LedgerError | null)[]> {
    for (;;) {
      const errors = await this.#host.recordItems(shard, request);
      if (errors.every(isDefinite)) return errors;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /**
   * Step by step, each all or nothing over every shard and balance that it touches. A batch that is not atomic is carried
   * out in order up to the first item that is refused: what stands before that one is tried again without it.
   */
  async #runSteps(batch: Batch, watch: BatchWatch): Promise<void> {
    for (;;) {
      const step = batch.step ?? this.#begin(batch, this.#next(batch));
      const group = this.#groupOf(batch, step);
      const decision = step.decision ?? (await this.#decide(batch, { step, group, watch }));
      if (decision.commit || decision.untold !== true) watch.claimed();
      const failure = await this.#follow(batch, { step, group, decision, watch });
      if (failure !== null || (batch.step === null && batch.done === batch.count)) {
        this.#end(batch, failure);
        return;
      }
    }
  }

  #next({ batchId, options, done, count }: Batch): { from: number; to: number } {
    return {
      from: done,
      to: options.atomic
        ? count
        : (this.#batches.pieceAfter(batchId, done).at(-1)?.sequence ?? done),
    };
  }

  #begin(batch: Batch, { from, to }: { from: number; to: number }): Step {
    const step = { from, to, attempt: crypto.randomUUID().slice(0, 8), decision: null };
    batch.step = step;
    this.#store.transaction(() => this.#batches.save(batch));
    return step;
  }

  async #decide(
    batch: Batch,
    { step, group, watch }: { step: Step; group: Group; watch: BatchWatch },
  ): Promise<StepDecision> {
    const refused = doubled(group) ?? (await this.#saga.prepare(group, () => watch.claimed()));
    const decision: StepDecision =
      refused === null ? { commit: true } : { commit: false, ...refused };
    // The point of no return: what is written here holds, whatever crashes.
    step.decision = decision;
    this.#store.transaction(() => this.#batches.save(batch));
    await this.#host.checkpoint("batch:decided");
    return decision;
  }

  /** Carries a decision out everywhere; answers why the batch ends with it, or null. */
  async #follow(
    batch: Batch,
    {
      step,
      group,
      decision,
      watch,
    }: { step: Step; group: Group; decision: StepDecision; watch: BatchWatch },
  ): Promise<BatchFailure | null> {
    const outcomes = decision.commit ? await this.#post(group) : new Map<string, Outcome>();
    // Nothing was reserved for what was refused before.
    if (!decision.commit && decision.untold !== true) await this.#saga.release(group);
    await this.#saga.settleClaims(group, decision, outcomes);
    watch.ended(step.attempt, decision, outcomes);
    if (decision.commit) {
      batch.done = step.to;
      batch.step = null;
      this.#store.transaction(() => this.#batches.save(batch));
      await this.#host.checkpoint("batch:step-ended");
      return null;
    }
    const { error, index, untold } = decision;
    if (!batch.options.atomic && index > 0) {
      this.#begin(batch, { from: step.from, to: step.from + index });
      await this.#host.checkpoint("batch:step-ended");
      return null;
    }
    return { error, index: index < 0 ? index : step.from + index, untold: untold === true };
  }

  /**
   * Moves the money. The items are rows of other shards, which take them alone to D1: the balances are noted here, before
   * the step can end.
   */
  async #post(group: Group): Promise<Map<string, Outcome>> {
    const outcomes = await this.#saga.post(group);
    this.#host.balancesMoved(
      new Set(
        group.members.flatMap(({ posting: { source, destination } }) => [
          source.balanceId,
          destination.balanceId,
        ]),
      ),
    );
    return outcomes;
  }

  #end(batch: Batch, failure: BatchFailure | null): void {
    const { runAsync, atomic, inflight, skipQueue } = batch.options;
    batch.status = failure !== null ? "failed" : inflight ? "inflight" : "applied";
    batch.failure = failure;
    batch.step = null;
    batch.endedAt = this.#records.now();
    // A queued atomic one was answered before its end, unless nothing of it was told.
    const failedLater = failure !== null && atomic && !skipQueue && !failure.untold;
    batch.work = runAsync || failedLater ? Work.Announce : 0;
    this.#store.transaction(() => this.#batches.save(batch));
  }

  #groupOf(batch: Batch, { from, to, attempt }: Step): Group {
    const { batchId } = batch;
    const members = this.#batches.items(batchId, from, to).map(({ sequence, posting }) => ({
      posting: { ...posting, group: batchId },
      attempt,
      createdAt: madeAt(batch.createdAt, sequence),
    }));
    const claims = members.map(({ posting, createdAt }) => ({
      shard: shardOf(posting.transactionId, batch.shards),
      posting,
      createdAt,
    }));
    return { id: batchId, attempt, members, claims };
  }
}

/** Two items of one batch with one reference: the later one is the reason. */
function doubled({ members }: Group) {
  const seen = new Set<string>();
  for (const [index, { posting }] of members.entries()) {
    const { transactionId, reference } = posting;
    if (seen.has(transactionId)) {
      return { index, error: referenceUsed(reference, transactionId), untold: true } as const;
    }
    seen.add(transactionId);
  }
  return null;
}

const isDefinite = (error: LedgerError | null): boolean =>
  error === null || (error.code !== "GEN_OUTCOME_UNKNOWN" && error.code !== "GEN_OVERLOADED");

/** The answer about a batch, or an attempt, that is gone: whatever it claimed is free. */
export const GONE: Resolution = {
  decision: {
    commit: false,
    error: { code: "GEN_CONFLICT", message: "the batch does not exist any more" },
    untold: true,
  },
  outcome: null,
};
