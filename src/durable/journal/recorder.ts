import type { LedgerError } from "../../domain/error";
import type { TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { referenceUsed } from "../../domain/movement";
import type { Transaction } from "../../domain/transaction";
import { type Admission, arriving, following, type Request } from "./admission";
import { madeAt } from "./batch-store";
import { targetOf } from "./claims";
import { postingOf } from "./codec";
import type { ItemsRequest, OperationKey, RecordRequest, Reply } from "./protocol";
import type { Records } from "./records";
import { firstAnswer, keyReused, refuse, reply, storedKey, unknownOutcome } from "./replies";
import { type Claim, type Driven, isHidden, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** How many shards a journal has, if nobody says otherwise. */
const SHARDS = 16;

/** What the recorder needs of its shard. */
export interface RecorderHost {
  checkpoint(step: string): void | Promise<void>;
  /** A new row for a posting, not written yet. */
  newRow(posting: RecordRequest["posting"], key: string, fingerprint: string): Row;
  /** The row has been written: it is to be queued or driven. */
  inserted(rows: readonly Row[]): void;
  /** The end of a drive, or null when it takes longer than a request should. */
  driven(row: Row): Promise<Driven | null>;
}

/** Takes postings: one row a reference, whoever sends it and how often. */
export class Recorder {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #admission: Admission;
  readonly #host: RecorderHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly admission: Admission;
    readonly host: RecorderHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#admission = parts.admission;
    this.#host = parts.host;
  }

  /** Records a posting; a synchronous one is carried out before the answer. */
  record(request: RecordRequest): Promise<Reply<Transaction>> {
    const { posting, split, shards = SHARDS } = request;
    return this.#record(request, arriving(posting, shards, split?.legs));
  }

  async #record(request: RecordRequest, asked: Request): Promise<Reply<Transaction>> {
    const { posting, operation } = request;
    const key = storedKey(operation);
    for (;;) {
      // The same request may have been refused beside this one while this one waited.
      const refused = operation.fromClient ? this.#store.refusalOf(key) : null;
      if (refused !== null) return refuse(refused, true);
      // Asked before anything is written; but what was recorded before is answered, however much there is to do.
      const full = this.#admission.refusalOf(asked);
      const row = full === null ? this.#insert(request) : null;
      if (row !== null) {
        const inserted = this.#host.checkpoint("record:inserted");
        if (inserted !== undefined) await inserted;
        return posting.skipQueue ? await this.#driven(row) : reply(this.#records.shown(row));
      }
      const found = this.#records.find(posting.transactionId);
      if (found === null) {
        invariant(full !== null, "a row that cannot be inserted is there");
        return refuse(full);
      }
      if (found.operationKey === key) return this.#repeat(found, operation);
      if (!isHidden(found)) return this.#duplicate(found, operation);
      // Its outcome decides: a refusal frees the reference, and this request tries as its own.
      const driven = await this.#host.driven(found);
      if (driven === null) return unknownOutcome();
      if (driven.done) return this.#duplicate(found, operation);
    }
  }

  /**
   * The new row, written with its legs; null when its reference is taken. It is tried first and looked for afterwards,
   * because nearly every reference is new.
   */
  #insert(request: RecordRequest): Row | null {
    const { posting, split } = request;
    const row = this.#newRow(request, split?.claims ?? []);
    const legs = (split?.legs ?? []).map((leg) => ({
      ...this.#host.newRow(leg, "", ""),
      attempt: row.attempt,
    }));
    if (legs.length === 0) {
      if (!this.#records.insertAlone(row)) return null;
    } else {
      if (this.#records.find(posting.transactionId) !== null) return null;
      this.#store.transaction(() => {
        for (const each of [row, ...legs]) this.#store.insert(each);
      });
    }
    this.#host.inserted([row, ...legs]);
    return row;
  }

  async #driven(row: Row): Promise<Reply<Transaction>> {
    const driven = await this.#host.driven(row);
    if (driven === null) return unknownOutcome();
    return driven.done ? reply(firstAnswer(row, this.#records)) : refuse(driven.error);
  }

  /** Records items of a batch, each on its own; what is queued and new is written together. */
  async recordItems({
    batchId,
    batchMadeAt,
    items,
  }: ItemsRequest): Promise<(LedgerError | null)[]> {
    const requests = items.map(
      ([place, posting]): RecordRequest => ({
        posting: postingOf(posting),
        createdAt: madeAt(batchMadeAt, place),
        // Its place in its batch: a repeat finds what was recorded.
        operation: { key: `${batchId}:${place}`, fingerprint: "", fromClient: false },
      }),
    );
    const ids = new Set(requests.map(({ posting }) => posting.transactionId));
    const together = ids.size === requests.length && requests.every((each) => this.#hasRoom(each));
    const written = together ? await this.#insertTogether(requests) : new Set<TransactionId>();
    const errors: (LedgerError | null)[] = [];
    for (const request of requests) {
      const { posting } = request;
      const isWritten = written.has(posting.transactionId);
      const answer = isWritten ? null : await this.#record(request, ofBatch(posting));
      errors.push(answer === null || answer.ok ? null : answer.error);
    }
    return errors;
  }

  /** Whether there is room for a queued item, if its reference is new. */
  #hasRoom({ posting }: RecordRequest): boolean {
    return !posting.skipQueue && this.#admission.refusalOf(ofBatch(posting)) === null;
  }

  /** Writes those whose references are new; answers which. */
  async #insertTogether(requests: readonly RecordRequest[]): Promise<ReadonlySet<TransactionId>> {
    const rows = requests.map((request) => this.#newRow(request, []));
    const written = this.#store.transaction(() =>
      rows.filter((row) => this.#records.insertAlone(row)),
    );
    this.#host.inserted(written);
    await this.#host.checkpoint("record:inserted");
    return new Set(written.map(({ posting }) => posting.transactionId));
  }

  /** The refusal of a used reference, kept for repeats when the client named its request. */
  #duplicate(row: Row, operation: OperationKey): Reply<Transaction> {
    const error = referenceUsed(row.posting.reference, targetOf(row));
    if (operation.fromClient) {
      const key = storedKey(operation);
      this.#store.transaction(() => this.#store.rememberRefusal(key, error, Date.now()));
    }
    return refuse(error);
  }

  #newRow({ posting, operation, createdAt }: RecordRequest, claims: readonly Claim[]): Row {
    const made = this.#host.newRow(posting, storedKey(operation), operation.fingerprint);
    const row = createdAt === undefined ? made : { ...made, createdAt };
    // A split shows nothing of its own: its legs are projected and announced.
    return posting.kind === "split" ? { ...row, claims, work: Work.Drive } : row;
  }

  async #repeat(row: Row, operation: OperationKey): Promise<Reply<Transaction>> {
    if (row.fingerprint !== operation.fingerprint) return refuse(keyReused());
    if (row.status === "PENDING") {
      const driven = await this.#host.driven(row);
      if (driven === null) return unknownOutcome();
      if (!driven.done) return refuse(driven.error, true);
    }
    return reply(firstAnswer(row, this.#records), true);
  }
}

const ofBatch = (posting: RecordRequest["posting"]): Request =>
  following(posting.skipQueue, [posting]);
