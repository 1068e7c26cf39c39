/** What is known under so many keys at most: those that came last. One that is known keeps its place, whatever is set. */
export class Newest<K, V> {
  readonly #most: number;
  readonly #known = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#known.get(key);
  }

  /** Keeps a value under a key; the oldest key goes when there are too many. */
  set(key: K, value: V): void {
    this.#known.set(key, value);
    if (this.#known.size <= this.#most) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
