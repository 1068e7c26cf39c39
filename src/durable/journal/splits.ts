import type { LedgerError } from "../../domain/error";
import { invariant } from "../../domain/invariant";
import { settledStatus } from "../../domain/saga";
import { succeed, writeRefusal } from "./endings";
import type { Group, GroupSaga } from "./group-saga";
import type { Records } from "./records";
import { type Decision, type Driven, isUnfinished, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** How long a synchronous split waits for others that want a reference of its legs, in milliseconds. */
const PATIENCE_MS = 3_000;

/** What splits need of their shard. */
export interface SplitsHost {
  checkpoint(step: string): void | Promise<void>;
  finished(row: Row): void;
}

/** Drives splits: the parent's row is the coordinator's log, its legs are rows beside it. */
export class Splits {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #saga: GroupSaga;
  readonly #host: SplitsHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly saga: GroupSaga;
    readonly host: SplitsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#saga = parts.saga;
    this.#host = parts.host;
  }

  /** Drives a split to its end. */
  async drive(parent: Row): Promise<Driven> {
    const legs = this.#records.legsOf(parent);
    const { attempt, claims, posting } = parent;
    // Whoever wants the reference of a synchronous split waits for it from its first moment, before it takes any other: so it may
    // not wait for them without end. Nobody waits for a queued one, whose reference is taken for good.
    const patienceMs = posting.skipQueue ? PATIENCE_MS : undefined;
    const group = { id: posting.transactionId, attempt, claims, members: legs, patienceMs };
    const decision = parent.decision ?? (await this.#decide(parent, group));
    if (decision.commit) {
      await this.#commit(parent, legs, group, decision);
      return { done: true, row: parent };
    }
    await this.#abort(parent, legs, group, decision);
    return posting.skipQueue
      ? { done: false, row: parent, error: decision.error }
      : { done: true, row: parent };
  }

  /** Decides against a split that is not decided yet, and drives it to that end. */
  async cancel(parent: Row, error: LedgerError): Promise<Driven> {
    if (parent.decision === null) {
      parent.decision = { commit: false, error };
      this.#store.transaction(() => this.#store.save(parent));
      await this.#host.checkpoint("split:decided");
    }
    return this.drive(parent);
  }

  async #decide(parent: Row, group: Group): Promise<Decision> {
    const refused = await this.#saga.prepare(group);
    const decision: Decision =
      refused === null ? { commit: true } : { commit: false, error: refused.error };
    // The point of no return: what is written here holds, whatever crashes.
    parent.decision = decision;
    this.#store.transaction(() => this.#store.save(parent));
    await this.#host.checkpoint("split:decided");
    return decision;
  }

  async #commit(
    parent: Row,
    legs: readonly Row[],
    group: Group,
    decision: Decision,
  ): Promise<void> {
    if (legs.some(isUnfinished)) {
      const outcomes = await this.#saga.post(group);
      for (const leg of legs) {
        if (!isUnfinished(leg)) continue;
        const outcome = outcomes.get(leg.posting.transactionId);
        invariant(outcome !== undefined, "a posted leg has its versions");
        succeed(leg, outcome);
        this.#host.finished(leg);
      }
    }
    await this.#saga.settleClaims(group, decision, new Map());
    if (!isUnfinished(parent)) return;
    parent.status = settledStatus(parent.posting);
    parent.revision += 1;
    // Nothing of its own is projected or announced: its legs are. The flusher writes its end.
    parent.work = Work.Project;
    parent.doubt = false;
    this.#host.finished(parent);
  }

  async #abort(
    parent: Row,
    legs: readonly Row[],
    group: Group,
    decision: Extract<Decision, { commit: false }>,
  ): Promise<void> {
    if (!isUnfinished(parent)) return;
    await this.#saga.release(group);
    await this.#saga.settleClaims(group, decision, new Map());
    const { skipQueue } = parent.posting;
    this.#store.transaction(() => {
      for (const leg of legs) writeRefusal(this.#store, leg, decision.error);
      writeRefusal(this.#store, parent, decision.error);
      if (skipQueue) return;
      // Nothing of its own is announced: its legs are. The flusher lets go of it.
      parent.work = Work.Project;
      this.#store.save(parent);
    });
    for (const row of [...legs, parent]) {
      if (skipQueue) this.#records.drop(row);
      else this.#host.finished(row);
    }
    await this.#host.checkpoint("split:refused");
  }
}
