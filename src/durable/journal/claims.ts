import type { LedgerError } from "../../domain/error";
import type { TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { OutcomeUnknown, within } from "./deadline";
import { succeed, writeRefusal } from "./endings";
import type { ClaimAnswer, ClaimRequest, ClaimSettlement } from "./group-saga";
import type { Records } from "./records";
import { type Decision, type Driven, isHidden, type Outcome, type Row, rowOf, Work } from "./row";
import type { JournalStore } from "./store";

/** A claim whose group is silent is looked into after this long, in milliseconds. */
const ASK_MS = 10_000;

/** What a group answers about one of its members: its decision, and what became of the member. */
export interface Resolution {
  readonly decision: Decision;
  readonly outcome: Outcome | null;
}

/** What claims need of their shard. */
export interface ClaimsHost {
  checkpoint(step: string): void | Promise<void>;
  inserted(rows: readonly Row[]): void;
  finished(row: Row): void;
  /** Drives a row to its end. */
  drive(row: Row): Promise<Driven>;
  /** Asks a group what it decided, in whatever shard it lives; waits for its end. */
  resolve(
    coordinator: number,
    asked: { group: string; attempt: string; member: TransactionId },
  ): Promise<Resolution>;
}

/**
 * References that groups have taken here: a row each, which keeps the reference from anybody else. Once the group
 * has decided for it, it is a batch's own record, or leads to the leg of a split.
 */
export class Claims {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #host: ClaimsHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly host: ClaimsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#host = parts.host;
  }

  /** Takes references for a group, or says which transaction has one of them. Repeatable. */
  async take(request: ClaimRequest): Promise<ClaimAnswer> {
    for (;;) {
      const others = request.claims.flatMap(({ posting }) => {
        const found = this.#records.find(posting.transactionId);
        return found === null || isOf(found, request) ? [] : [{ found, posting }];
      });
      const taken = others.find(({ found }) => !isHidden(found));
      if (taken !== undefined) {
        const { reference } = taken.posting;
        return { ok: false, reference, takenBy: targetOf(taken.found) };
      }
      const [waiting] = others;
      if (waiting === undefined) break;
      // Its outcome decides; a group never waits on itself.
      if (!(await this.#ended(waiting.found, request.patienceMs))) {
        const { reference } = waiting.posting;
        return { ok: false, reference, takenBy: targetOf(waiting.found), busy: true };
      }
    }
    this.#insert(request);
    await this.#host.checkpoint("claim:taken");
    return { ok: true };
  }

  /** A group decided: its references here are kept for good, or free again. Repeatable. */
  settle({ ids, decision, outcomes, ...group }: ClaimSettlement): void {
    const rows = ids.flatMap((id) => {
      const found = this.#records.find(id);
      return found?.status === "CLAIMED" && isOf(found, group) ? [found] : [];
    });
    this.#end(rows, decision, outcomes);
  }

  /**
   * Resolves when every queued batch has decided that has references here now: its items may have been told of, and D1 hears of them
   * only then. One item of a batch stands for all, since a decision ends them together. `OutcomeUnknown` when a batch cannot be asked.
   */
  async decided(): Promise<void> {
    const waiting = new Map<string | null, Row>();
    for (const row of this.#records.live) {
      const { group, kind, skipQueue } = row.posting;
      if (row.status === "CLAIMED" && kind !== "pointer" && !skipQueue) waiting.set(group, row);
    }
    const ends = await Promise.allSettled(
      [...waiting.values()].map((row) => this.#host.drive(row)),
    );
    if (ends.some(({ status }) => status === "rejected")) throw new OutcomeUnknown(UNDECIDED);
  }

  /** Finds out what became of a claim that is met while it waits. */
  async resolve(row: Row): Promise<Driven> {
    const { group, transactionId } = row.posting;
    if (row.status === "CLAIMED" && group !== null && row.coordinator !== null) {
      const asked = { group, attempt: row.attempt, member: transactionId };
      const { decision, outcome } = await this.#host.resolve(row.coordinator, asked);
      await this.#host.checkpoint("claim:resolved");
      const standing = this.#records.find(transactionId);
      if (standing?.status === "CLAIMED" && standing.attempt === row.attempt) {
        const outcomes = new Map(outcome === null ? [] : [[transactionId, outcome]]);
        this.#end([standing], decision, outcomes);
      }
    }
    const left = this.#records.find(transactionId);
    if (left !== null && left.attempt === row.attempt) return { done: true, row: left };
    return { done: false, row, error: freed };
  }

  /** Waits for the end of a row; false when the patience is over before it. */
  async #ended(row: Row, patienceMs: number | undefined): Promise<boolean> {
    const end = this.#host.drive(row);
    try {
      await (patienceMs === undefined ? end : within(patienceMs, end));
      return true;
    } catch (error) {
      if (patienceMs !== undefined && error instanceof OutcomeUnknown) return false;
      throw error;
    }
  }

  #insert(request: ClaimRequest): void {
    const { attempt, coordinator } = request;
    const rows = request.claims
      .filter(({ posting }) => this.#records.find(posting.transactionId) === null)
      .map(({ posting, createdAt = this.#records.now() }): Row => {
        const row = rowOf({ posting, operationKey: "", fingerprint: "", createdAt });
        const dueMs = Date.now() + ASK_MS;
        return { ...row, attempt, coordinator, status: "CLAIMED", work: Work.Drive, dueMs };
      });
    this.#store.transaction(() => {
      for (const row of rows) this.#store.insert(row);
    });
    this.#host.inserted(rows);
  }

  #end(rows: readonly Row[], decision: Decision, outcomes: ReadonlyMap<string, Outcome>): void {
    this.#store.transaction(() => {
      for (const row of rows) this.#endOne(row, decision, outcomes.get(row.posting.transactionId));
    });
    for (const row of rows) {
      if (row.work === 0 || row.status === "CLAIMED") this.#records.drop(row);
      else this.#host.finished(row);
    }
  }

  #endOne(row: Row, decision: Decision, outcome: Outcome | undefined): void {
    const isPointer = row.posting.kind === "pointer";
    if (!decision.commit) {
      if (isPointer || decision.untold === true) this.#store.free(row);
      else writeRefusal(this.#store, row, decision.error);
      return;
    }
    if (isPointer) {
      row.status = "POINTER";
      row.work = 0;
    } else {
      invariant(outcome !== undefined, "a posted member has its versions");
      succeed(row, outcome);
    }
    this.#store.save(row);
  }
}

const UNDECIDED = "a batch cannot be asked what it decided";

const freed: LedgerError = { code: "GEN_CONFLICT", message: "the reference is free again" };

const isOf = (row: Row, { group, attempt }: Pick<ClaimRequest, "group" | "attempt">): boolean =>
  row.posting.group === group && row.attempt === attempt;

/** The transaction that a row stands for: a pointer's leg, else itself. A pointer names its leg as its parent. */
export function targetOf({ posting }: Row): TransactionId {
  if (posting.kind !== "pointer") return posting.transactionId;
  return `txn_${posting.parentTransaction.slice("txn_".length)}`;
}

/** The answer about a group that is gone: whatever it claimed is free. */
export const VOID: Resolution = {
  decision: {
    commit: false,
    error: { code: "GEN_CONFLICT", message: "the batch does not exist any more" },
  },
  outcome: null,
};
