import type { BalanceId } from "../../domain/ids";
import type { Turn } from "../turn";
import { Tally } from "./tally";

/** So many of one balance begin together. More are a crowd. */
const CROWD = 48;
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
  readonly #waiting = new Tally();
  /** Of a balance with a crowd: the turn in which the next may begin. */
  readonly #nextIn = new Map<BalanceId, number>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Whether no more may wait for one of these: whoever comes passes at once, to be told so. */
  isFull(balanceIds: readonly BalanceId[]): boolean {
    return balanceIds.some((id) => this.#waiting.of(id) >= WAITING_MAX);
  }

  /** Resolves in the turn in which a request for these balances may begin, in the order in which they came. */
  async pass(balanceIds: readonly BalanceId[]): Promise<void> {
    if (this.isFull(balanceIds)) return this.#turn.next();
    this.#waiting.add(balanceIds);
    do await this.#turn.next();
    while (!this.#mayBegin(balanceIds));
    this.#waiting.remove(balanceIds);
    if (this.#nextIn.size === 0) return;
    for (const id of balanceIds) if (this.#waiting.of(id) <= CROWD) this.#nextIn.delete(id);
  }

  #mayBegin(balanceIds: readonly BalanceId[]): boolean {
    const { passed } = this.#turn;
    const crowded = balanceIds.filter((id) => this.#waiting.of(id) > CROWD);
    if (crowded.some((id) => passed < (this.#nextIn.get(id) ?? 0))) return false;
    for (const id of crowded) this.#nextIn.set(id, passed + CROWD_TURNS);
    return true;
  }
}
