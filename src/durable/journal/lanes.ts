import type { BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Answer, ExecuteAnswer, Operation } from "../balance/protocol";
import type { Turn } from "./turn";

/** At most this many operations travel in one call to a balance. */
const BATCH_MAX = 200;
/** At most this many lanes open in one turn: a large group must not keep others from theirs. */
const OPEN_MAX = 16;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 5_000;

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
  /** Lanes that are to open, in the order in which they came. */
  #opening: (readonly [BalanceId, Lane])[] = [];

  constructor(parts: { readonly host: LaneHost; readonly turn: Turn }) {
    this.#host = parts.host;
    this.#turn = parts.turn;
  }

  /** Sends an operation; resolves when the balance has answered it, and never rejects. */
  submit(balanceId: BalanceId, operation: Operation): Promise<LaneAnswer> {
    return new Promise((resolve) => {
      const waiting = { operation, resolve, attempts: 0 };
      const lane = this.#lanes.get(balanceId);
      if (lane !== undefined) {
        lane.waiting.push(waiting);
        return;
      }
      const opened: Lane = { waiting: [waiting], failures: 0, sinceMs: Date.now() };
      this.#lanes.set(balanceId, opened);
      this.#opening.push([balanceId, opened]);
      if (this.#opening.length === 1) void this.#openLanes();
    });
  }

  /** How long the call to a balance that is under way has been tried, in milliseconds; 0 when there is none. */
  tryingForMs(balanceId: BalanceId): number {
    const lane = this.#lanes.get(balanceId);
    return lane === undefined ? 0 : Date.now() - lane.sinceMs;
  }

  /** Opens lanes in the next turn: what comes in until then leaves with them, and gets its turn before what they lead to. */
  async #openLanes(): Promise<void> {
    do {
      await this.#turn.next();
      for (const [balanceId, lane] of this.#opening.splice(0, OPEN_MAX)) {
        void this.#run(balanceId, lane);
      }
    } while (this.#opening.length > 0);
  }

  async #run(balanceId: BalanceId, lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      // After trouble one at a time: a poison operation must not take the others with it.
      const batch = lane.waiting.splice(0, lane.failures > 1 ? 1 : BATCH_MAX);
      try {
        await this.#send(balanceId, batch);
        lane.failures = 0;
        lane.sinceMs = Date.now();
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

  async #send(balanceId: BalanceId, batch: readonly Waiting[]): Promise<void> {
    const operations = batch.map((waiting) => waiting.operation);
    const { answers, snapshot } = await this.#host.execute(balanceId, operations);
    invariant(answers.length === batch.length, "a balance answers every operation");
    if (snapshot !== null && answers.some(hasMoved)) this.#host.observed(snapshot);
    batch.forEach(({ resolve, attempts }, index) => {
      const answer = answers[index];
      if (answer !== undefined) resolve({ answer, doubt: attempts > 0 });
    });
  }
}

/** Whether an operation led to the balance's newest state: by itself, or as part of a group. */
const hasMoved = ({ outcome }: Answer): boolean => outcome === "applied" || outcome === "posted";

const backoffMs = (failures: number): number =>
  Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 12)) * (0.5 + Math.random());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
