import type { BalanceId } from "../../domain/ids";

/** How many of something each balance has; one that has none takes no room. */
export class Tally {
  readonly #counts = new Map<BalanceId, number>();

  of(balanceId: BalanceId): number {
    return this.#counts.get(balanceId) ?? 0;
  }

  /** One more for each of them. */
  add(balanceIds: readonly BalanceId[]): void {
    for (const id of balanceIds) this.#counts.set(id, this.of(id) + 1);
  }

  /** One less for each of them. */
  remove(balanceIds: readonly BalanceId[]): void {
    for (const id of balanceIds) {
      const left = this.of(id) - 1;
      if (left === 0) this.#counts.delete(id);
      else this.#counts.set(id, left);
    }
  }
}
