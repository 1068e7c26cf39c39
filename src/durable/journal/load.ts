import type { BalanceId } from "../../domain/ids";

/** How many records are taken before they are at their end. */
export interface Bounds {
  readonly inAll: number;
  /** On one balance, so that a flooded one leaves places to the others. */
  readonly onBalance: number;
  /** The same for a balance that was overrun. */
  readonly whenNarrowed: number;
}

/** What is to be taken. */
export interface Arrival {
  /** The balances that it moves, each once. */
  readonly balanceIds: readonly BalanceId[];
  /** Whether it follows from what was taken before: an item of a batch, a commit, a void, a refund. */
  readonly follows: boolean;
}

/**
 * What follows is turned away later than what is new, at so many times the bounds: it frees what is held, or ends what was
 * begun. One call brings up to 100 of them, which must fit on one balance.
 */
const FOLLOWING = 4;
/** A narrowed balance is widened again, to twice as much, when fewer than this were turned away in a span. */
const OVERRUN_MIN = 16;
const SPAN_MS = 1_000;
/** A narrowed balance that nobody asks for is forgotten. */
const FORGET_MS = 10_000;

/** A balance that was overrun: how many it takes now, and how many were turned away in this span. */
interface Narrowed {
  bound: number;
  sinceMs: number;
  turnedAway: number;
}

/**
 * Records that were taken and are not at their end, in all and by balance. A balance that comes to its bound was overrun, and
 * gets few places until fewer want them: full of its own it would still take all the time of its shard.
 */
export class Load {
  readonly #bounds: Bounds;
  readonly #byBalance = new Map<BalanceId, number>();
  readonly #narrowed = new Map<BalanceId, Narrowed>();
  #total = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  add(balanceIds: readonly BalanceId[]): void {
    this.#total += 1;
    for (const id of balanceIds) this.#byBalance.set(id, this.#on(id) + 1);
  }

  remove(balanceIds: readonly BalanceId[]): void {
    this.#total -= 1;
    for (const id of balanceIds) {
      const left = this.#on(id) - 1;
      if (left === 0) this.#byBalance.delete(id);
      else this.#byBalance.set(id, left);
    }
  }

  /** Whether there are as many as there may be in all. */
  isFull({ follows }: Arrival): boolean {
    return this.#total >= this.#bounds.inAll * (follows ? FOLLOWING : 1);
  }

  /** The balance that has no place for one more, or null. */
  fullBalance({ balanceIds, follows }: Arrival): BalanceId | null {
    for (const id of balanceIds) {
      const count = this.#on(id);
      const isFull = follows
        ? count >= this.#bounds.onBalance * FOLLOWING
        : this.#isOverrun(id, count);
      if (isFull) return id;
    }
    return null;
  }

  #on(balanceId: BalanceId): number {
    return this.#byBalance.get(balanceId) ?? 0;
  }

  #isOverrun(balanceId: BalanceId, count: number): boolean {
    const bound = this.#narrowed.size === 0 ? null : this.#boundOf(balanceId);
    if (count < (bound ?? this.#bounds.onBalance)) return false;
    const narrowed = this.#narrowed.get(balanceId);
    if (narrowed === undefined) this.#narrow(balanceId);
    else narrowed.turnedAway += 1;
    return true;
  }

  #narrow(balanceId: BalanceId): void {
    const nowMs = Date.now();
    for (const [id, { sinceMs }] of this.#narrowed) {
      if (nowMs - sinceMs > FORGET_MS) this.#narrowed.delete(id);
    }
    const bound = this.#bounds.whenNarrowed;
    this.#narrowed.set(balanceId, { bound, sinceMs: nowMs, turnedAway: 1 });
  }

  /** What an overrun balance takes now; null when it was none, or is none any more. */
  #boundOf(balanceId: BalanceId): number | null {
    const narrowed = this.#narrowed.get(balanceId);
    if (narrowed === undefined) return null;
    const nowMs = Date.now();
    const spans = Math.floor((nowMs - narrowed.sinceMs) / SPAN_MS);
    if (spans === 0) return narrowed.bound;
    const calm = narrowed.turnedAway < OVERRUN_MIN ? spans : spans - 1;
    narrowed.bound *= 2 ** Math.min(calm, 10);
    narrowed.sinceMs = nowMs;
    narrowed.turnedAway = 0;
    if (narrowed.bound < this.#bounds.onBalance) return narrowed.bound;
    this.#narrowed.delete(balanceId);
    return null;
  }
}
