import type { BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Answer, ExecuteAnswer, Operation } from "../balance/protocol";
import type { Turn } from "../turn";

/**
 * At most this many operations travel in one call to a balance, and after so many others get a turn: a balance answers nobody
 * else while it carries them out.
 */
const BATCH_MAX = 50;
/**
 * At most this many lanes open in one turn, by who waits for them: a client for what is carried out at once, nobody for what is
 * queued. Few of the latter at a time: their calls and what follows from them keep every request of the turn waiting. But a share
 * of them in each turn, or clients would queue more than is applied, until there is no room for more.
 */
const OPEN_MAX = { client: () => 16, nobody: (lanes: number) => Math.max(3, Math.ceil(lanes / 8)) };
/**
 * A balance is busy when so many operations that clients wait for leave for it in one call. For so many such calls after it lanes wait
 * for the next turn, in which others join them; when nothing would join them, waiting costs more than it brings.
 */
const BUSY = { operations: 3, calls: 32 };
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 5_000;

/** Who waits for an operation. */
export type Waiter = keyof typeof OPEN_MAX;

const WAITERS: readonly Waiter[] = ["client", "nobody"];

/** An answer, and whether an earlier attempt of the same operation ended in doubt. */
export interface LaneAnswer {
  readonly answer: Answer;
  readonly doubt: boolean;
}

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (answer: LaneAnswer) => void;
  attempts: number;
}

interface Lane {
  /** Who waited when it opened. */
  waiter: Waiter;
  waiting: Waiting[];
  failures: number;
  /** Since when what leaves first has been tried. */
  sinceMs: number;
}

/** What a lane needs of its shard. */
export interface LaneHost {
  /** One call to a balance object, on a new stub. May throw: then its outcome is unknown. */
  execute(balanceId: BalanceId, operations: readonly Operation[]): Promise<ExecuteAnswer>;
  /** The newest state of a balance, before the operations that led to it are answered. */
  observed(snapshot: BalanceSnapshot): void;
  /** Trouble worth a line in the log. */
  troubled(balanceId: BalanceId, error: unknown, attempts: number): void;
}

/**
 * One call at a time to each balance: while it is under way, further operations for that balance wait and
 * leave together as the next call. An operation is sent again, under the same id, until it is answered.
 */
export class Lanes {
  readonly #lanes = new Map<BalanceId, Lane>();
  readonly #host: LaneHost;
  readonly #turn: Turn;
  /** Lanes that are to open, in the order in which they came, by who waits for what is in them. */
  readonly #opening = { client: new Map<BalanceId, Lane>(), nobody: new Map<BalanceId, Lane>() };
  /** How many lanes have opened without waiting since the last turn. */
  #openedAtOnce = 0;
  /** How many calls are to leave before lanes may open without waiting. */
  #busyFor = 0;

  constructor(parts: { readonly host: LaneHost; readonly turn: Turn }) {
    this.#host = parts.host;
    this.#turn = parts.turn;
  }

  /** Sends an operation; resolves when the balance has answered it, and never rejects. What a client waits for goes first. */
  submit(
    balanceId: BalanceId,
    operation: Operation,
    waiter: Waiter = "client",
  ): Promise<LaneAnswer> {
    return new Promise((resolve) => {
      const waiting = { operation, resolve, attempts: 0 };
      const lane = this.#lanes.get(balanceId);
      if (lane === undefined) this.#open(balanceId, waiting, waiter);
      else {
        lane.waiting.push(waiting);
        if (waiter === "client") this.#hurry(balanceId);
      }
    });
  }

  /** How long the call to a balance that is under way has been tried, in milliseconds; 0 when there is none. */
  tryingForMs(balanceId: BalanceId): number {
    const lane = this.#lanes.get(balanceId);
    return lane === undefined ? 0 : Date.now() - lane.sinceMs;
  }

  #open(balanceId: BalanceId, first: Waiting, waiter: Waiter): void {
    const lane: Lane = { waiter, waiting: [first], failures: 0, sinceMs: Date.now() };
    this.#lanes.set(balanceId, lane);
    if (waiter === "client" && this.#takesPlace()) {
      void this.#run(balanceId, lane);
      return;
    }
    const isIdle = !this.#isOpening;
    this.#opening[waiter].set(balanceId, lane);
    if (isIdle) void this.#openLanes();
  }

  /** Takes one of the places of this turn: there are some while no balance is busy, and nothing waits that would go before it. */
  #takesPlace(): boolean {
    if (this.#busyFor > 0 || this.#opening.client.size > 0) return false;
    if (this.#openedAtOnce === OPEN_MAX.client()) return false;
    if (this.#openedAtOnce === 0) {
      void this.#turn.next().then(() => {
        this.#openedAtOnce = 0;
      });
    }
    this.#openedAtOnce += 1;
    return true;
  }

  #noteBusy(operations: number): void {
    if (operations >= BUSY.operations) this.#busyFor = BUSY.calls;
    else if (this.#busyFor > 0) this.#busyFor -= 1;
  }

  /** A client waits for what is in a lane: one that is to open does so among those of clients. */
  #hurry(balanceId: BalanceId): void {
    const { client, nobody } = this.#opening;
    const lane = nobody.get(balanceId);
    if (lane === undefined) return;
    nobody.delete(balanceId);
    lane.waiter = "client";
    client.set(balanceId, lane);
  }

  get #isOpening(): boolean {
    return this.#opening.client.size + this.#opening.nobody.size > 0;
  }

  /** Opens lanes in the next turn: what comes in until then leaves with them, and gets its turn before what they lead to. */
  async #openLanes(): Promise<void> {
    while (this.#isOpening) {
      await this.#turn.next();
      for (const waiter of WAITERS) {
        const opening = this.#opening[waiter];
        for (const [balanceId, lane] of take(opening, OPEN_MAX[waiter](opening.size))) {
          void this.#run(balanceId, lane);
        }
      }
    }
  }

  async #run(balanceId: BalanceId, lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      // After trouble one at a time: a poison operation must not take the others with it.
      const batch = lane.waiting.splice(0, lane.failures > 1 ? 1 : BATCH_MAX);
      if (lane.waiter === "client") this.#noteBusy(batch.length);
      try {
        const operations = batch.map((waiting) => waiting.operation);
        this.#deliver(batch, await this.#host.execute(balanceId, operations));
        lane.failures = 0;
        lane.sinceMs = Date.now();
        if (batch.length === BATCH_MAX) await this.#turn.next();
      } catch (error) {
        lane.failures += 1;
        for (const waiting of batch) waiting.attempts += 1;
        this.#host.troubled(balanceId, error, lane.failures);
        if (batch.length === 1) lane.waiting.push(...batch);
        else lane.waiting.unshift(...batch);
        await pause(backoffMs(lane.failures));
      }
    }
    this.#lanes.delete(balanceId);
  }

  #deliver(batch: readonly Waiting[], { answers, snapshot }: ExecuteAnswer): void {
    invariant(answers.length === batch.length, "a balance answers every operation");
    if (snapshot !== null && answers.some(hasMoved)) this.#host.observed(snapshot);
    batch.forEach(({ resolve, attempts }, index) => {
      const answer = answers[index];
      if (answer !== undefined) resolve({ answer, doubt: attempts > 0 });
    });
  }
}

/** Takes the first out of a map, at most `count`. */
function take<K, V>(from: Map<K, V>, count: number): [K, V][] {
  const taken: [K, V][] = [];
  for (const each of from) {
    if (taken.length === count) break;
    taken.push(each);
    from.delete(each[0]);
  }
  return taken;
}

/** Whether an operation led to the balance's newest state: by itself, or as part of a group. */
const hasMoved = ({ outcome }: Answer): boolean => outcome === "applied" || outcome === "posted";

const backoffMs = (failures: number): number =>
  Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 12)) * (0.5 + Math.random());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
