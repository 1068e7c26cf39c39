/** An alarm that should have rung this long ago was dropped: it failed too often. In milliseconds. */
const DROPPED_MS = 60_000;

/** The one alarm of a shard: it rings at the earliest moment that anybody asked for. */
export class AlarmClock {
  readonly #ctx: DurableObjectState;
  #ringsMs = Number.POSITIVE_INFINITY;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** Whether it is set and will ring, as far as this life of the shard knows. */
  get isSet(): boolean {
    const isDropped = this.#ringsMs < Date.now() - DROPPED_MS;
    return this.#ringsMs !== Number.POSITIVE_INFINITY && !isDropped;
  }

  /** Sees to it that the alarm rings at a moment or before, now if it is over. Part of the transaction under way. */
  by(moment: number): void {
    const ms = Math.max(moment, Date.now());
    if (this.#ringsMs <= ms) return;
    this.#ringsMs = ms;
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(ms));
  }

  /** Sets it anew, whatever it was set to; infinite turns it off. */
  reset(ms: number): void {
    this.#ringsMs = Number.POSITIVE_INFINITY;
    if (ms === Number.POSITIVE_INFINITY) this.#ctx.waitUntil(this.#ctx.storage.deleteAlarm());
    else this.by(ms);
  }
}
