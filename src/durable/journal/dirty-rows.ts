import { elapsedMs } from "../elapsed";
import type { Row } from "./row";

/** A QUEUED row goes to D1 when it has been so for this long: most are final before, and are written there once. */
const QUEUED_MS = 5_000;

/** Since when a row has something new for D1: as a number of their clock, and in milliseconds. */
interface Since {
  readonly at: number;
  readonly sinceMs: number;
}

/** Rows that have something new for D1, in the order in which they got it. */
export class DirtyRows {
  readonly #rows = new Map<Row, Since>();
  /** Those of them that are as they will stay for a while. */
  readonly #ready = new Set<Row>();
  #clock = 0;

  /** How many rows are as they will stay for a while. */
  get readyCount(): number {
    return this.#ready.size;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** The number of the newest moment. */
  get clock(): number {
    return this.#clock;
  }

  /** A new moment, later than all before. */
  tick(): number {
    return ++this.#clock;
  }

  /** When the oldest row came; infinite when there is none. */
  get oldest(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { at } of this.#rows.values()) first = Math.min(first, at);
    return first;
  }

  has(row: Row): boolean {
    return this.#rows.has(row);
  }

  add(row: Row): void {
    if (!this.#rows.has(row)) this.#rows.set(row, { at: this.tick(), sinceMs: Date.now() });
    if (row.status !== "QUEUED") this.#ready.add(row);
  }

  forget(row: Row): void {
    this.#rows.delete(row);
    this.#ready.delete(row);
  }

  /** Takes out at most `limit` rows, the oldest or only those that are ready, and says when the oldest of them came. */
  take(limit: number, order: "oldest" | "ready"): { rows: Row[]; oldest: number } {
    this.#ripen();
    const rows: Row[] = [];
    let oldest = Number.POSITIVE_INFINITY;
    for (const row of order === "ready" ? this.#ready : this.#rows.keys()) {
      if (rows.length === limit) break;
      oldest = Math.min(oldest, this.#rows.get(row)?.at ?? oldest);
      this.forget(row);
      rows.push(row);
    }
    return { rows, oldest };
  }

  /** Puts rows back that were taken, as old as the oldest of them. One that failed all by itself lets the others go first. */
  putBack(taken: readonly Row[], at: number): void {
    const since = { at, sinceMs: Date.now() };
    const rest = [...this.#rows].filter(([row]) => !taken.includes(row));
    const back = taken.map((row) => [row, since] as const);
    this.#rows.clear();
    for (const [row, each] of back.length === 1 ? [...rest, ...back] : [...back, ...rest]) {
      this.#rows.set(row, each);
    }
    for (const row of taken) if (row.status !== "QUEUED") this.#ready.add(row);
  }

  /** A row that stays QUEUED is shown as such in the end. */
  #ripen(): void {
    const nowMs = Date.now();
    for (const [row, { sinceMs }] of this.#rows) {
      if (elapsedMs(sinceMs, nowMs) >= QUEUED_MS) this.#ready.add(row);
    }
  }
}
