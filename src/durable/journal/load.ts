import type { BalanceId } from "../../domain/ids";
import { elapsedMs } from "../elapsed";
import { Tally } from "./tally";

/** How many records are taken before they are at their end. */
export interface Bounds {
  readonly inAll: number;
  /** On one balance, so that a flooded one leaves places to the others: so many, or the share that the arrival names. */
  readonly onBalance: number | "share";
  /** The same for what follows from what was taken before. */
  readonly following: number;
  /** The same for a balance that was overrun. */
  readonly whenNarrowed: number | "share";
  /** Such a balance is wide again after a span in which fewer than this were turned away. */
  readonly wideBelow: number;
}

/** What is to be taken. */
export interface Arrival {
  /** The balances that it moves, each once. */
  readonly balanceIds: readonly BalanceId[];
  /** Whether it follows from what was taken before: an item of a batch, a commit, a void, a refund. */
  readonly follows: boolean;
  /** How many of one balance may be in this shard at once, when it is new. */
  readonly share: number;
}

/** What follows is turned away later than what is new, at so many in all: it frees what is held, or ends what was begun. */
const FOLLOWING = 4;
/** How long those are counted who are turned away from a narrowed balance. */
const SPAN_MS = 4_000;

/** A balance that was overrun: how many were turned away in this span. */
interface Narrowed {
  sinceMs: number;
  turnedAway: number;
}

/**
 * Records that were taken and are not at their end, in all and by balance. A balance that comes to a bound was overrun, and
 * gets few places until fewer want them: full of its own it would still take all the time of its shard.
 */
export class Load {
  readonly #bounds: Bounds;
  readonly #byBalance = new Tally();
  readonly #narrowed = new Map<BalanceId, Narrowed>();
  #total = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  add(balanceIds: readonly BalanceId[]): void {
    this.#total += 1;
    this.#byBalance.add(balanceIds);
  }

  remove(balanceIds: readonly BalanceId[]): void {
    this.#total -= 1;
    this.#byBalance.remove(balanceIds);
  }

  /** Whether there are as many as there may be in all. */
  isFull({ follows }: Arrival): boolean {
    return this.#total >= this.#bounds.inAll * (follows ? FOLLOWING : 1);
  }

  /** The balance that has no place for one more, or null. */
  fullBalance({ balanceIds, follows, share }: Arrival): BalanceId | null {
    for (const id of balanceIds) {
      const isFull = follows
        ? this.#byBalance.of(id) >= this.#bounds.following
        : this.#isOverrun(id, share);
      if (isFull) return id;
    }
    return null;
  }

  /** Whether one of them was overrun, and has few places. */
  isNarrowed(balanceIds: readonly BalanceId[]): boolean {
    return this.#narrowed.size > 0 && balanceIds.some((id) => this.#isNarrow(id));
  }

  #isOverrun(balanceId: BalanceId, share: number): boolean {
    const isNarrow = this.#narrowed.size > 0 && this.#isNarrow(balanceId);
    const bound = isNarrow ? this.#bounds.whenNarrowed : this.#bounds.onBalance;
    if (this.#byBalance.of(balanceId) < (bound === "share" ? share : bound)) return false;
    const narrowed = this.#narrowed.get(balanceId);
    if (narrowed === undefined) this.#narrow(balanceId);
    else narrowed.turnedAway += 1;
    return true;
  }

  #narrow(balanceId: BalanceId): void {
    // Nobody may ask for those again.
    for (const id of this.#narrowed.keys()) this.#isNarrow(id);
    this.#narrowed.set(balanceId, { sinceMs: Date.now(), turnedAway: 1 });
  }

  #isNarrow(balanceId: BalanceId): boolean {
    const narrowed = this.#narrowed.get(balanceId);
    if (narrowed === undefined) return false;
    const nowMs = Date.now();
    const spanMs = elapsedMs(narrowed.sinceMs, nowMs);
    if (spanMs < SPAN_MS) return true;
    if (narrowed.turnedAway < this.#bounds.wideBelow || spanMs >= 2 * SPAN_MS) {
      this.#narrowed.delete(balanceId);
      return false;
    }
    narrowed.sinceMs = nowMs;
    narrowed.turnedAway = 0;
    return true;
  }
}
