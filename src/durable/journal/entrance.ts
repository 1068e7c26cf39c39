import type { BalanceId } from "../../domain/ids";
import type { Turn } from "../turn";

/** So many of one balance begin together, however many come. More are a crowd. */
const CROWD = 16;
/** More than these do not wait: with a turn of ten milliseconds, five seconds' worth of a crowd. */
const WAITING_MAX = 500;

/**
 * Where requests that queue begin: those that come in the same turn together, but of a balance for which there is a crowd one in a
 * turn. They are cheap to take and are answered at once, so they come faster than anything else, and would leave no time for
 * others.
 */
export class Entrance {
  readonly #turn: Turn;
  readonly #waiting = new Map<BalanceId, number>();
  /** Balances in a crowd for which one has begun in this turn. */
  readonly #begun = new Set<BalanceId>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Whether no more may wait for one of these: whoever comes passes at once, to be told so. */
  isFull(balanceIds: readonly BalanceId[]): boolean {
    return balanceIds.some((id) => this.#waitingFor(id) >= WAITING_MAX);
  }

  /** Resolves in the turn in which a request for these balances may begin, in the order in which they came. */
  async pass(balanceIds: readonly BalanceId[]): Promise<void> {
    if (this.isFull(balanceIds)) return this.#turn.next();
    for (const id of balanceIds) this.#waiting.set(id, this.#waitingFor(id) + 1);
    do await this.#turn.next();
    while (!this.#mayBegin(balanceIds));
    for (const id of balanceIds) {
      const left = this.#waitingFor(id) - 1;
      if (left === 0) this.#waiting.delete(id);
      else this.#waiting.set(id, left);
    }
  }

  #mayBegin(balanceIds: readonly BalanceId[]): boolean {
    const crowded = balanceIds.filter((id) => this.#waitingFor(id) > CROWD);
    if (crowded.some((id) => this.#begun.has(id))) return false;
    if (crowded.length > 0 && this.#begun.size === 0) {
      void this.#turn.next().then(() => this.#begun.clear());
    }
    for (const id of crowded) this.#begun.add(id);
    return true;
  }

  #waitingFor(balanceId: BalanceId): number {
    return this.#waiting.get(balanceId) ?? 0;
  }
}
