/** A moment that a test lets come, and that others wait for. */
export class Moment {
  #hasCome = false;

  comes(): void {
    this.#hasCome = true;
  }

  /** Waits by a timer of the waiting object's own: a promise of another object must not hold it up. */
  async came(): Promise<void> {
    while (!this.#hasCome) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
