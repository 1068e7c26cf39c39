/** Thrown when a drive outlasts the patience of a request: the row lives on, its outcome is not known yet. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}

/** The value of a promise, or `OutcomeUnknown` when it takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new OutcomeUnknown("the outcome is not known yet")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Waiter {
  /** The tick at which it gives up. */
  readonly until: number;
  readonly giveUp: () => void;
}

/** How far a shared deadline may be overrun, in milliseconds. */
const TICK_MS = 1_000;

/**
 * The same deadline for many promises of one object, by one timer: a timer for each would cost more than the wait. It counts
 * ticks, because the clock may be set back.
 */
export class Patience {
  /** Whole ticks that are surely as long as the deadline. */
  readonly #patience: number;
  /** In the order in which they give up. */
  readonly #waiters = new Set<Waiter>();
  #ticks = 0;
  #ticking = false;

  /** @param ms how long it waits, in milliseconds */
  constructor(ms: number) {
    this.#patience = Math.ceil(ms / TICK_MS) + 1;
  }

  /** The value of a promise, or `OutcomeUnknown` when it takes longer, by up to a second more. */
  within<T>(promise: Promise<T>): Promise<T> {
    return this.#wait(promise, (_resolve, reject) =>
      reject(new OutcomeUnknown("the outcome is not known yet")),
    );
  }

  /** The same, with null when it takes longer. */
  orNull<T>(promise: Promise<T>): Promise<T | null> {
    return this.#wait<T | null>(promise, (resolve) => resolve(null));
  }

  #wait<T>(
    promise: Promise<T>,
    late: (resolve: (value: T) => void, reject: (error: OutcomeUnknown) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = () => late(resolve, reject);
      const waiter = { until: this.#ticks + this.#patience, giveUp };
      this.#waiters.add(waiter);
      const end =
        <V>(settle: (value: V) => void) =>
        (value: V): void => {
          this.#waiters.delete(waiter);
          settle(value);
        };
      promise.then(end(resolve), end(reject));
      if (!this.#ticking) this.#tick();
    });
  }

  #tick(): void {
    this.#ticking = true;
    setTimeout(() => {
      this.#ticking = false;
      this.#ticks += 1;
      for (const waiter of this.#waiters) {
        if (waiter.until > this.#ticks) break;
        this.#waiters.delete(waiter);
        waiter.giveUp();
      }
      if (this.#waiters.size > 0) this.#tick();
    }, TICK_MS);
  }
}
