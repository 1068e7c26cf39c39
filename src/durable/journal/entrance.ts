import type { BalanceId } from "../../domain/ids";
import type { Turn } from "../turn";

/** So many of one balance begin together. More are a crowd. */
const CROWD = 16;
/** Of a crowd one begins in so many turns: what it leads to has its turn in them, and so have others. */
const CROWD_TURNS = 5;
/** More than these do not wait: it takes about five seconds until so many have begun where a turn takes two milliseconds. */
const WAITING_MAX = 500;

/**
 * Where requests that queue begin: those that come in the same turn together, but of a balance for which there is a crowd one in
 * some turns. They are cheap to take and are answered at once, so they come faster than anything else, and would leave no time
 * for others.
 */
export class Entrance {
  readonly #turn: Turn;
  readonly #waiting = new Map<BalanceId, number>();
  /** Balances with a crowd of which one has just begun. */
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
    if (crowded.length > 0) void this.#pause(crowded);
    return true;
  }

  async #pause(crowded: readonly BalanceId[]): Promise<void> {
    for (const id of crowded) this.#begun.add(id);
    for (let passed = 0; passed < CROWD_TURNS; passed += 1) await this.#turn.next();
    for (const id of crowded) this.#begun.delete(id);
  }

  #waitingFor(balanceId: BalanceId): number {
    return this.#waiting.get(balanceId) ?? 0;
  }
}
