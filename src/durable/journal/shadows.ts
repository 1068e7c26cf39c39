import { isTransactionId, shardOf, type TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Traced } from "../../domain/lineage";
import { settlesHold } from "../../domain/saga";
import { type Shadow, shadowPostings } from "../../domain/shadow";
import { holdTimer } from "../../domain/timer";
import { atOnce } from "../at-once";
import type { AlarmClock } from "./alarm-clock";
import type { LineageFound, RecordRequest, Reply, SettleRequest, SettleValue } from "./protocol";
import type { Records } from "./records";
import { isAtRest, isUnfinished, needs, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** So many records at once have their shadows made, and so many shadows of each. */
const RECORDS_AT_ONCE = 4;
const SHADOWS_AT_ONCE = 4;
/** A shard that had no room is asked again after this long, in milliseconds, so many times. */
const AGAIN_MS = 250;
const ATTEMPTS = 20;

/** What shadows need of their shard. */
export interface ShadowsHost {
  readonly instance: string;
  checkpoint(step: string): void | Promise<void>;
  isDriving(row: Row): boolean;
  /** Drives a record to its end. */
  drive(row: Row): Promise<unknown>;
  /** How many shards the instance's journal has. May throw: then it is asked again later. */
  shards(): Promise<number>;
  /** Records a posting in a shard, and carries it out; throws when it is not answered. */
  record(shard: number, request: RecordRequest): Promise<Reply<unknown>>;
  /** Commits or voids a hold in a shard; throws when it is not answered. */
  settle(shard: number, request: SettleRequest): Promise<Reply<SettleValue>>;
  troubled(error: unknown): void;
}

/**
 * Makes the transactions that tell in shadow balances whose money a record has moved. They follow the record, and a row is
 * not settled before they are made: what fails is tried again by the alarm, for as long as it takes.
 */
export class Shadows {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #alarm: AlarmClock;
  readonly #host: ShadowsHost;
  readonly #waiting: Row[] = [];
  readonly #making = new Map<TransactionId, Promise<void>>();
  #running = 0;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly alarm: AlarmClock;
    readonly host: ShadowsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#alarm = parts.alarm;
    this.#host = parts.host;
  }

  /** A record has moved somebody's money: its shadows are made when it is its turn. */
  add(row: Row): void {
    this.#waiting.push(row);
    this.#next();
  }

  /** Whose money a record moved, of a split its legs, once it is told in shadow balances. */
  async found(row: Row): Promise<LineageFound> {
    const moved = row.posting.kind === "split" ? this.#records.legsOf(row) : [row];
    await Promise.all(moved.map((each) => this.make(each)));
    return {
      allocation: moved.flatMap(({ outcome }) => outcome?.traced?.released ?? []),
      shadows: moved.flatMap(({ outcome }) => outcome?.shadows ?? []),
    };
  }

  /** Makes the shadows of a record, if there are any left to make. Repeatable; throws when they could not be made. */
  make(row: Row): Promise<void> {
    const id = row.posting.transactionId;
    const making = this.#making.get(id);
    if (making !== undefined) return making;
    if (!needs(row, Work.Shadow)) return Promise.resolve();
    const made = this.#make(row).finally(() => this.#making.delete(id));
    this.#making.set(id, made);
    return made;
  }

  #next(): void {
    while (this.#running < RECORDS_AT_ONCE) {
      const row = this.#waiting.shift();
      if (row === undefined) return;
      this.#running += 1;
      this.make(row)
        .catch((error: unknown) => {
          this.#host.troubled(error);
          this.#alarm.by(row.dueMs);
        })
        .finally(() => {
          this.#running -= 1;
          this.#next();
        });
    }
  }

  async #make(row: Row): Promise<void> {
    const traced = row.outcome?.traced;
    invariant(traced !== undefined, "what is told of was traced");
    await this.#host.checkpoint("shadows:begun");
    const shards = await this.#host.shards();
    const shadows = settlesHold(row.posting)
      ? await this.#settleThose(row, traced, shards)
      : await this.#recordThem(row, traced, shards);
    await this.#host.checkpoint("shadows:made");
    this.#made(row, shadows);
  }

  #made(row: Row, shadows: readonly TransactionId[]): void {
    invariant(row.outcome !== null, "what was traced has its outcome");
    row.outcome = { ...row.outcome, shadows };
    row.work &= ~Work.Shadow;
    const timer = needs(row, Work.Timer) ? holdTimer(row.posting) : null;
    if (timer !== null) row.dueMs = timer.atMs;
    this.#store.transaction(() => this.#store.save(row));
    if (timer !== null) this.#alarm.by(row.dueMs);
    if (isAtRest(row) && !this.#host.isDriving(row)) this.#records.drop(row);
  }

  #recordThem(row: Row, traced: Traced, shards: number): Promise<TransactionId[]> {
    const shadows = shadowPostings(this.#host.instance, row, traced);
    return atOnce(SHADOWS_AT_ONCE, shadows, (shadow) => this.#record(shadow, shards));
  }

  /** Under the first of its references that no client has used. */
  async #record(shadow: Shadow, shards: number): Promise<TransactionId> {
    for (const tried of shadow) {
      const { transactionId } = tried;
      const operation = { key: `shadow:${transactionId}`, fingerprint: "", fromClient: false };
      const request = { posting: tried, operation, shards };
      const shard = shardOf(transactionId, shards);
      const answer = await untilThereIsRoom(() => this.#host.record(shard, request));
      await this.#host.checkpoint("shadows:recorded");
      if (answer.ok) return transactionId;
      if (answer.error.code !== "TXN_DUPLICATE_REFERENCE") throw new Error(answer.error.message);
    }
    throw new Error(`all references of a shadow are used: ${shadow[0].reference}`);
  }

  /** A void takes all that remains of a shadow: what its commits take of it must be gone by then. */
  async #commitsFirst({ posting }: Row): Promise<void> {
    for (const settlement of this.#records.settlementsOf(posting.transactionId)) {
      if (settlement.posting.kind !== "commit") continue;
      if (isUnfinished(settlement)) await this.#host.drive(settlement);
      await this.make(settlement);
    }
  }

  /** The shadows of a hold are holds: what settles it settles as much of them. */
  async #settleThose(row: Row, traced: Traced, shards: number): Promise<TransactionId[]> {
    const { parentTransaction, transactionId, kind } = row.posting;
    const action = kind === "void" ? "void" : "commit";
    const hold = isTransactionId(parentTransaction) ? this.#records.find(parentTransaction) : null;
    invariant(hold !== null, "a settlement has its hold");
    await this.make(hold);
    if (action === "void") await this.#commitsFirst(hold);
    const shadows = await atOnce(SHADOWS_AT_ONCE, piecesOf(traced), async ({ at, amount }) => {
      const shadow = shadowAt(hold, at);
      const operation = { key: `shadow:${transactionId}`, fingerprint: "", fromClient: false };
      const request = {
        transactionId: shadow,
        action,
        amount: { unit: "minor", value: amount },
        skipQueue: true,
        operation,
      } as const;
      const shard = shardOf(shadow, shards);
      const answer = await untilThereIsRoom(() => this.#host.settle(shard, request));
      await this.#host.checkpoint("shadows:settled");
      if (answer.ok) return [answer.value.transaction.transactionId];
      // A client may have settled it by its id: then there is nothing left of it to settle.
      if (answer.error.code.startsWith("TXN_")) return [];
      throw new Error(answer.error.message);
    });
    return shadows.flat();
  }
}

/** Where a piece is: by the side of the record and its provider. */
type Place = readonly [side: "released" | "received", provider: string];

const piecesOf = ({ released, received }: Traced): { at: Place; amount: bigint }[] => [
  ...released.map(({ provider, amount }) => ({ at: ["released", provider] as const, amount })),
  ...received.map(({ provider, amount }) => ({ at: ["received", provider] as const, amount })),
];

/** The shadow of a hold's piece. */
function shadowAt({ outcome }: Row, [side, provider]: Place): TransactionId {
  invariant(outcome?.traced !== undefined, "what is settled of a hold was traced with it");
  const places = piecesOf(outcome.traced);
  const index = places.findIndex(({ at }) => at[0] === side && at[1] === provider);
  const shadow = outcome.shadows?.[index];
  invariant(shadow !== undefined, "a hold's pieces have their shadows");
  return shadow;
}

/** The answer to a call, made again while there is no room for it. */
async function untilThereIsRoom<T>(call: () => Promise<Reply<T>>): Promise<Reply<T>> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await call();
    const isFull = !answer.ok && answer.error.code === "GEN_OVERLOADED";
    if (!isFull || attempt === ATTEMPTS) return answer;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
