import { OutcomeUnknown, within } from "./deadline";

/** A barrier that takes longer is given up: whoever started it may be gone, and then it never ends. */
const LATE_MS = 3_000;

interface Running {
  readonly number: number;
  readonly passed: Promise<boolean>;
}

/**
 * One barrier at a time for many lists: a list that comes while one is under way waits for the next, because
 * the one under way may have passed a shard before the list's own write. A request that is cut off takes its barrier
 * with it, so nobody waits for another's longer than a moment, and everybody by a timer of their own.
 */
export class SharedBarrier {
  #running: Running | null = null;
  #started = 0;

  /** Passes a barrier that starts no earlier than this call; false when it takes too long. */
  async pass(run: () => Promise<boolean>): Promise<boolean> {
    const before = this.#started;
    // One that started before this call is only waited for: the first to be through starts the next, for all.
    while (this.#running !== null && this.#running.number <= before) {
      const { number, passed } = this.#running;
      await orLate(passed).catch(() => false);
      if (this.#running?.number === number) this.#running = null;
    }
    return orLate((this.#running ?? this.#start(run)).passed);
  }

  #start(run: () => Promise<boolean>): Running {
    this.#started += 1;
    const running: Running = { number: this.#started, passed: run() };
    this.#running = running;
    return running;
  }
}

/** What the barrier came to; false when it fails or is late. */
async function orLate(passed: Promise<boolean>): Promise<boolean> {
  try {
    return await within(LATE_MS, passed);
  } catch (error) {
    if (error instanceof OutcomeUnknown) return false;
    throw error;
  }
}
