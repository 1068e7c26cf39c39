/**
 * The next turn of an object's event loop, with one timer for all who wait for it. The runtime works depth first: a request, its
 * calls and their replies run to the end before the next request is read. Who waits for a turn lets what has arrived
 * come to the same point, and goes on together with it.
 */
export class Turn {
  #next: Promise<void> | null = null;
  #passed = 0;

  /** How many turns have passed for which somebody waited. */
  get passed(): number {
    return this.#passed;
  }

  /** Resolves in the next turn. */
  next(): Promise<void> {
    this.#next ??= new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
      this.#next = null;
      this.#passed += 1;
    });
    return this.#next;
  }
}
