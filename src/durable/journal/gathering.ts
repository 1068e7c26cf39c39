/** Things leave together that come within this time, or within several while many come in each. */
const WAIT_MS = 100;
/** So many in one such time are many: then it is worth waiting for more. */
const MANY = 5;
/** At most so many such times, and no longer once there are so many. */
const WAITS = 10;
const FULL = 500;

/**
 * Gathers things that are cheaper together: a tenth of a second when few come, up to a second under load. The first of a group
 * waits longest.
 */
export class Gathering<T> {
  readonly #leave: (group: T[]) => void;
  #group: T[] = [];

  /** @param leave takes a group, in the order in which it came */
  constructor(leave: (group: T[]) => void) {
    this.#leave = leave;
  }

  add(one: T): void {
    this.#group.push(one);
    if (this.#group.length === 1) this.#wait(1);
  }

  #wait(waits: number): void {
    const before = this.#group.length;
    setTimeout(() => {
      const group = this.#group;
      if (waits < WAITS && group.length < FULL && group.length - before >= MANY) {
        this.#wait(waits + 1);
        return;
      }
      this.#group = [];
      this.#leave(group);
    }, WAIT_MS);
  }
}
