import { type BatchId, uuidOfKey } from "../../src/domain/ids";
import type { PostingRequest } from "../../src/domain/posting";
import type { Transaction } from "../../src/domain/transaction";
import type { Reply } from "../../src/durable/journal/protocol";
import { readBatch } from "../../src/services/batches/read";
import { type RecordedBatch, recordBatch } from "../../src/services/batches/record";
import { refundBatch } from "../../src/services/batches/refund";
import { settleBatch } from "../../src/services/batches/settle";
import type { LedgerContext } from "../../src/services/context";
import { recordTransaction } from "../../src/services/transactions/record";
import { contextOf } from "./context";
import {
  type BatchOp,
  CREDIT,
  type FollowOp,
  type GroupCommand,
  type Item,
  type Place,
  type PostOp,
  type SplitOp,
} from "./group-arbitraries";
import { anonymous, PLAIN_REQUEST } from "./postings";
import { named, type World } from "./world";

/** What a caller was told. `unknown`: neither yes nor no. */
export type Told<T> =
  | { readonly kind: "yes"; readonly value: T }
  | { readonly kind: "no"; readonly code: string; readonly details: unknown }
  | { readonly kind: "unknown" };

/** When something was asked: ticks order the beginnings and ends of a history's calls. */
interface Asked {
  readonly began: number;
  readonly ended: number;
}

export interface SentBatch extends Asked {
  readonly batchId: BatchId;
  readonly op: BatchOp;
  readonly told: Told<RecordedBatch>;
}

export interface SentTransaction extends Asked {
  readonly op: PostOp | SplitOp;
  readonly told: Told<Transaction>;
}

export interface SentFollowUp extends Asked {
  readonly op: FollowOp;
  /** The batch that it is about; null when it is about a reference. */
  readonly batchId: BatchId | null;
  readonly told: Told<Transaction>;
}

/** What somebody saw who asked for a batch, and then for its items, one after the other. */
export interface Watched {
  readonly batchId: BatchId;
  readonly status: string | null;
  readonly items: readonly (Transaction | null)[];
}

/** All that was sent and seen in a history. */
export interface Calls {
  readonly batches: readonly SentBatch[];
  readonly transactions: readonly SentTransaction[];
  readonly followUps: readonly SentFollowUp[];
  readonly watched: readonly Watched[];
}

/** Where a history is played. */
export interface Setting {
  readonly world: World;
  readonly places: ReadonlyMap<Place, string>;
  readonly prefix: string;
}

/** The clients of a history: sends its commands, and remembers what they were told. */
export class Player {
  readonly #batches: SentBatch[] = [];
  readonly #transactions: SentTransaction[] = [];
  readonly #followUps: SentFollowUp[] = [];
  readonly #watched: Watched[] = [];
  readonly #world: World;
  readonly #places: ReadonlyMap<Place, string>;
  readonly #prefix: string;
  readonly #context: LedgerContext;
  /** The batches that were sent, and the keys of those that the client named. */
  readonly #sent: {
    readonly batchId: BatchId;
    readonly op: BatchOp;
    readonly key: string | null;
  }[] = [];
  #ticks = 0;

  constructor({ world, places, prefix }: Setting) {
    this.#world = world;
    this.#places = places;
    this.#prefix = prefix;
    this.#context = contextOf(world);
  }

  /** What was sent, seen and told so far. */
  get calls(): Calls {
    return {
      batches: this.#batches,
      transactions: this.#transactions,
      followUps: this.#followUps,
      watched: this.#watched,
    };
  }

  /** Sends a command as often as it says, all at once. */
  async send(command: GroupCommand, deliveries = 0): Promise<void> {
    const { op, sends } = command;
    const key = command.named ? crypto.randomUUID() : null;
    const each = async (): Promise<void> => {
      switch (op.kind) {
        case "batch":
          return this.#sendBatch(op, key, deliveries);
        case "post":
        case "split":
          return this.#sendTransaction(op, key);
        case "watch":
          return this.#watch(op.of);
        default:
          return this.#follow(op, key);
      }
    };
    await Promise.all(Array.from({ length: sends }, each));
  }

  /** A client that sends a named batch again is told of the first one. */
  async repeatNamed(): Promise<void> {
    await Promise.all(
      this.#sent.map(({ op, key }) => (key === null ? undefined : this.#sendBatch(op, key, 0))),
    );
  }

  async #sendBatch(op: BatchOp, key: string | null, deliveries: number): Promise<void> {
    const uuid = key === null ? crypto.randomUUID() : uuidOfKey(this.#world.instance, key, "batch");
    const batchId = `bulk_${uuid}` as const;
    if (this.#sent.every((each) => each.batchId !== batchId)) this.#sent.push({ batchId, op, key });
    const context = { ...this.#context, uuid: () => uuid };
    const { kind: _batch, items, ...options } = op;
    const operation = key === null ? anonymous() : named(key);
    const requests = items.map((item) => this.#requestOf(item));
    const began = this.#tick();
    const told = await toldOf(recordBatch(context, { requests, options, operation }));
    this.#batches.push({ batchId, op, told, began, ended: this.#tick() });
    if (!op.runAsync || told.kind !== "yes") return;
    const deliver = () => this.#world.batchShard(batchId).driveBatch({ batchId });
    await Promise.allSettled(Array.from({ length: deliveries }, deliver));
  }

  async #sendTransaction(op: PostOp | SplitOp, key: string | null): Promise<void> {
    const request = op.kind === "post" ? this.#requestOf(op.item) : this.#splitOf(op);
    const { inflight, skipQueue } = op;
    const operation = key === null ? anonymous() : named(key);
    const began = this.#tick();
    const told = await toldOf(
      recordTransaction(this.#context, {
        request: { ...request, inflight, skipQueue },
        operation,
      }),
    );
    this.#transactions.push({ op, told, began, ended: this.#tick() });
  }

  async #follow(op: FollowOp, key: string | null): Promise<void> {
    const operation = key === null ? anonymous() : named(key);
    const { kind, of, skipQueue } = op;
    const began = this.#tick();
    const batchId = typeof of === "number" ? this.#batchAt(of) : null;
    if (typeof of === "number" && batchId === null) return;
    // A batch is refunded as a whole.
    const minor = kind === "refund" && batchId !== null ? null : op.amount;
    const amount = minor === null ? null : ({ unit: "minor", value: minor } as const);
    const how = { amount, skipQueue, operation };
    const transactionId = this.#world.idOf(`${this.#prefix}${of}`);
    const refund = { ...how, description: "", metaData: null };
    const asked =
      kind === "refund"
        ? batchId === null
          ? this.#world.journal.refund({ ...refund, transactionId })
          : refundBatch(this.#context, { ...refund, batchId })
        : (batchId === null
            ? this.#world.journal.settle({ ...how, action: kind, transactionId })
            : settleBatch(this.#context, { ...how, action: kind, batchId })
          ).then((reply) => (reply.ok ? { ...reply, value: reply.value.transaction } : reply));
    const told = await toldOf(asked);
    this.#followUps.push({
      op: { ...op, amount: minor },
      batchId,
      told,
      began,
      ended: this.#tick(),
    });
  }

  async #watch(of: number): Promise<void> {
    const batchId = this.#batchAt(of);
    const sent = this.#sent.find((each) => each.batchId === batchId);
    if (batchId === null || sent === undefined) return;
    const read = await readBatch(this.#context, batchId);
    if (!read.ok) return;
    const items: (Transaction | null)[] = [];
    try {
      for (const { reference } of sent.op.items) {
        items.push(await this.#world.read(`${this.#prefix}${reference}`));
      }
    } catch {
      // Nobody answered: what was seen by then counts.
    }
    this.#watched.push({ batchId, status: read.value.batch.status, items });
  }

  /** One of the batches that were sent by now. */
  #batchAt(number: number): BatchId | null {
    return this.#sent[number % Math.max(1, this.#sent.length)]?.batchId ?? null;
  }

  #requestOf({ reference, from, to, amount }: Item): PostingRequest {
    return {
      ...REQUEST,
      reference: `${this.#prefix}${reference}`,
      preciseAmount: amount,
      source: this.#nameOf(from),
      destination: this.#nameOf(to),
      ...mayOwe(from),
    };
  }

  #splitOf({ reference, place, shared, shares, amount }: SplitOp): PostingRequest {
    const list = shares.map(({ of, distribution }) => ({
      identifier: this.#nameOf(of),
      distribution,
      preciseDistribution: "",
    }));
    const single = this.#nameOf(place);
    const sides =
      shared === "sources"
        ? { sources: list, destination: single }
        : { source: single, destinations: list, ...mayOwe(place) };
    return {
      ...REQUEST,
      reference: `${this.#prefix}${reference}`,
      preciseAmount: amount,
      ...sides,
    };
  }

  #nameOf(place: Place): string {
    return this.#places.get(place) ?? place;
  }

  #tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }
}

const REQUEST: PostingRequest = { ...PLAIN_REQUEST, description: "of a history" };

const mayOwe = (place: Place): Partial<PostingRequest> => {
  if (place === "@world") return { allowOverdraft: true };
  return place === "@credit" ? { overdraftLimit: `0.${CREDIT}` } : {};
};

async function toldOf<T>(asked: Promise<Reply<T>>): Promise<Told<T>> {
  try {
    const reply = await asked;
    if (reply.ok) return { kind: "yes", value: reply.value };
    const { code, details } = reply.error;
    return code === "GEN_OUTCOME_UNKNOWN" ? { kind: "unknown" } : { kind: "no", code, details };
  } catch {
    return { kind: "unknown" };
  }
}
