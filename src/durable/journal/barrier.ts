/**
 * One barrier at a time for many lists: a list that comes while one is under way waits for the next, because
 * the one under way may have passed a shard before the list's own write.
 */
export class SharedBarrier {
  #running: Promise<boolean> | null = null;
  #next: Promise<boolean> | null = null;

  /** Passes a barrier that starts no earlier than this call. */
  pass(run: () => Promise<boolean>): Promise<boolean> {
    if (this.#running === null) return this.#start(run);
    this.#next ??= this.#running
      .catch(() => false)
      .then(() => {
        this.#next = null;
        return this.#start(run);
      });
    return this.#next;
  }

  #start(run: () => Promise<boolean>): Promise<boolean> {
    const running = run().finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }
}
