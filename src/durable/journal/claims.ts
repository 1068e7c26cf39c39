import type { TransactionId } from "../../domain/ids";
import type { ClaimAnswer, ClaimRequest } from "./groups";
import type { Records } from "./records";
import { type Driven, isHidden, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** A claim whose group is silent is looked into after this long, in milliseconds. */
const ASK_MS = 10_000;

/** What claims need of their shard. */
export interface ClaimsHost {
  checkpoint(step: string): void | Promise<void>;
  inserted(rows: readonly Row[]): void;
  /** Drives a row to its end. */
  drive(row: Row): Promise<Driven>;
  /** Asks a group what it decided, in whatever shard it lives; waits for its decision. */
  resolve(coordinator: number, group: string, attempt: string): Promise<"kept" | "void">;
}

/**
 * References that groups of other shards have taken here: a row each, which keeps the reference from anybody else
 * and leads to the group's leg once the group has decided for it.
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
    for (const { posting } of request.claims) {
      for (;;) {
        const found = this.#records.find(posting.transactionId);
        if (found === null) break;
        if (isOf(found, request)) break;
        if (!isHidden(found)) return { ok: false, takenBy: targetOf(found) };
        // Its outcome decides; a group never waits on itself.
        const driven = await this.#host.drive(found);
        if (driven.done) return { ok: false, takenBy: targetOf(found) };
      }
      if (this.#records.find(posting.transactionId) === null) this.#insert(request, posting);
    }
    await this.#host.checkpoint("claim:taken");
    return { ok: true };
  }

  /** A group decided: its references here are kept for good, or free again. Repeatable. */
  settle(request: ClaimRequest, commit: boolean): void {
    this.#store.transaction(() => {
      for (const { posting } of request.claims) {
        const found = this.#records.find(posting.transactionId);
        if (found !== null && found.status === "CLAIMED" && isOf(found, request)) {
          this.#end(found, commit);
        }
      }
    });
  }

  /** Finds out what became of a claim that is met while it waits. */
  async resolve(row: Row): Promise<Driven> {
    const { group } = row.posting;
    if (row.status === "CLAIMED" && group !== null && row.coordinator !== null) {
      const outcome = await this.#host.resolve(row.coordinator, group, row.attempt);
      await this.#host.checkpoint("claim:resolved");
      const standing = this.#records.find(row.posting.transactionId);
      if (standing?.status === "CLAIMED" && standing.attempt === row.attempt) {
        this.#store.transaction(() => this.#end(standing, outcome === "kept"));
      }
    }
    const left = this.#records.find(row.posting.transactionId);
    if (left !== null && left.attempt === row.attempt && left.status === "POINTER") {
      return { done: true, row: left };
    }
    const message = "the reference is free again";
    return { done: false, row, error: { code: "GEN_CONFLICT", message } };
  }

  #insert(request: ClaimRequest, posting: Row["posting"]): void {
    const row: Row = {
      posting,
      attempt: request.attempt,
      createdAt: this.#records.now(),
      operationKey: "",
      fingerprint: "",
      claims: [],
      coordinator: request.coordinator,
      decision: null,
      status: "CLAIMED",
      metaData: null,
      revision: 1,
      work: Work.Drive,
      outcome: null,
      rejectionReason: "",
      dueMs: Date.now() + ASK_MS,
      doubt: false,
    };
    this.#store.transaction(() => this.#store.insert(row));
    this.#host.inserted([row]);
  }

  #end(row: Row, commit: boolean): void {
    if (commit) {
      row.status = "POINTER";
      row.work = 0;
      this.#store.save(row);
    } else {
      this.#store.free(row);
    }
    this.#records.drop(row);
  }
}

const isOf = (row: Row, { group, attempt }: ClaimRequest): boolean =>
  row.posting.group === group && row.attempt === attempt;

/** The transaction that a row stands for: a pointer's leg, else itself. A pointer names its leg as its parent. */
export function targetOf({ posting }: Row): TransactionId {
  if (posting.kind !== "pointer") return posting.transactionId;
  return `txn_${posting.parentTransaction.slice("txn_".length)}`;
}
