import type { BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Answer, ExecuteAnswer, Operation } from "../balance/protocol";

/** At most this many operations travel in one call to a balance. */
const BATCH_MAX = 200;
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
  #turn: Promise<void> | null = null;

  constructor(host: LaneHost) {
    this.#host = host;
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
      void this.#nextTurn().then(() => this.#run(balanceId, opened));
    });
  }

  /** How long the call to a balance that is under way has been tried, in milliseconds; 0 when there is none. */
  tryingForMs(balanceId: BalanceId): number {
    const lane = this.#lanes.get(balanceId);
    return lane === undefined ? 0 : Date.now() - lane.sinceMs;
  }

  /**
   * The next turn of the event loop, one for all lanes that open in this one. What comes in meanwhile leaves with them,
   * and gets its turn before what they lead to.
   */
  #nextTurn(): Promise<void> {
    this.#turn ??= pause(0).then(() => {
      this.#turn = null;
    });
    return this.#turn;
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
