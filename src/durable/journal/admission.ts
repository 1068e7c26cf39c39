import type { LedgerError } from "../../domain/error";
import type { BalanceId } from "../../domain/ids";
import type { Posting } from "../../domain/transaction";
import type { Turn } from "../turn";
import type { Entrance } from "./entrance";
import type { Lanes } from "./lanes";
import { type Arrival, type Bounds, Load } from "./load";
import type { Records } from "./records";
import { overloaded } from "./replies";
import type { Row } from "./row";

/**
 * New ones of one balance at once, in the whole journal: about twice what a balance and the way to it keep busy. Each shard
 * has its share; not below the least, since references are not spread that evenly.
 */
const AT_ONCE = 128;
const SHARE_MIN = 16;
/**
 * Synchronous records under way. A shard answers some 500 requests a second, and a healthy transfer is over in 10 to 20 ms: ten
 * at once are full speed, whatever is above waits. In all a second's work; one at a time on a balance that was overrun, which is
 * up to a fifth of what the shard can do. One call settles up to 100, which must fit on one balance. It is wide again when those
 * who were turned away, and come again every other second, would have found a place.
 */
const UNDER_WAY: Bounds = {
  inAll: 512,
  onBalance: "share",
  following: 128,
  whenNarrowed: 1,
  wideBelow: 64,
};
/**
 * QUEUED records that are not applied yet. In all what can be applied before their sweep of 30 s; on one balance some seconds of
 * its work; its share when it was overrun, some hundred a second. Who queues is answered at once and comes again at once, so it is
 * wide again only when hardly anybody is turned away.
 */
const WAITING: Bounds = {
  inAll: 10_000,
  onBalance: 1_000,
  following: 4_000,
  whenNarrowed: "share",
  wideBelow: 24,
};
/**
 * Turns for which a new synchronous record of a balance that was overrun keeps its place, and its client waits: in them others come
 * to theirs. With nobody else there they are over in some milliseconds.
 */
const REST_TURNS = 8;
/** Rows with work left, also those that only D1 has to hear of: about 30 MB. */
const ROWS_MAX = 20_000;
/** Characters of their descriptions and metadata: an object has 128 MB, which it may share. */
const CHARACTERS_MAX = 16_000_000;
/** A balance whose call has been tried for this long is not waited for: as long as a request waits at most. */
const STUCK_MS = 15_000;

/** What a shard is asked to take. */
export interface Request extends Arrival {
  readonly skipQueue: boolean;
}

/**
 * Counts what a shard has taken and not finished, and says when it takes no more. It is asked before anything is written, so
 * a refusal leaves nothing behind; what was taken is never refused for want of room.
 */
export class Admission {
  readonly #records: Pick<Records, "liveCount" | "liveCharacters">;
  readonly #lanes: Pick<Lanes, "tryingForMs">;
  readonly #entrance: Pick<Entrance, "isFull">;
  readonly #turn: Turn;
  readonly #underWay = new Load(UNDER_WAY);
  readonly #waiting = new Load(WAITING);
  readonly #held = new Map<Row, readonly BalanceId[]>();

  constructor(parts: {
    readonly records: Pick<Records, "liveCount" | "liveCharacters">;
    readonly lanes: Pick<Lanes, "tryingForMs">;
    readonly entrance: Pick<Entrance, "isFull">;
    readonly turn: Turn;
  }) {
    this.#records = parts.records;
    this.#lanes = parts.lanes;
    this.#entrance = parts.entrance;
    this.#turn = parts.turn;
  }

  /** `GEN_OVERLOADED` when there is no room for it: then nothing of it may be written. Null: it may be taken. */
  refusalOf(request: Request): LedgerError | null {
    const { skipQueue, balanceIds } = request;
    const { liveCount, liveCharacters } = this.#records;
    if (liveCount >= ROWS_MAX || liveCharacters >= CHARACTERS_MAX) {
      return overloaded("too many transactions wait to be recorded", "later");
    }
    const load = skipQueue ? this.#underWay : this.#waiting;
    if (load.isFull(request)) {
      return overloaded("too many transactions are under way", skipQueue ? "soon" : "later");
    }
    const full = load.fullBalance(request);
    if (full !== null) return overloaded(`too many transactions of ${full} are under way`, "soon");
    if (!skipQueue) return this.#refusalAtEntrance(request);
    const stuck = balanceIds.find((id) => this.#lanes.tryingForMs(id) >= STUCK_MS);
    return stuck === undefined ? null : overloaded(`${stuck} does not answer`, "later");
  }

  #refusalAtEntrance({ balanceIds, follows }: Request): LedgerError | null {
    if (follows || !this.#entrance.isFull(balanceIds)) return null;
    return overloaded("too many transactions of a balance come at once", "soon");
  }

  /** Counts a record from now on, with its legs if it is a split. Counting it again changes nothing. */
  hold(row: Row, legs: readonly Row[] = []): void {
    const { posting, status } = row;
    // Legs and items of a batch are counted with what they belong to; what is due comes a few at a time.
    const counts = posting.group === null && (status === "PENDING" || status === "QUEUED");
    if (!counts || this.#held.has(row)) return;
    const balanceIds = balancesMoved(
      posting,
      legs.map((leg) => leg.posting),
    );
    this.#held.set(row, balanceIds);
    this.#loadOf(posting).add(balanceIds);
  }

  /** A record is at its end. Who is told of it waits for the promise, if there is one: its place is free only then. */
  release(row: Row): Promise<void> | undefined {
    const balanceIds = this.#held.get(row);
    if (balanceIds === undefined) return undefined;
    const { posting } = row;
    const rests = posting.skipQueue && isNew(posting) && this.#underWay.isNarrowed(balanceIds);
    if (rests) return this.#rest(row, balanceIds);
    this.#free(row, balanceIds);
    return undefined;
  }

  async #rest(row: Row, balanceIds: readonly BalanceId[]): Promise<void> {
    for (let passed = 0; passed < REST_TURNS; passed += 1) await this.#turn.next();
    this.#free(row, balanceIds);
  }

  #free(row: Row, balanceIds: readonly BalanceId[]): void {
    this.#held.delete(row);
    this.#loadOf(row.posting).remove(balanceIds);
  }

  #loadOf({ skipQueue }: Posting): Load {
    return skipQueue ? this.#underWay : this.#waiting;
  }
}

/** A posting that is new, with its legs if it is a split, in a journal of so many shards. */
export const arriving = (
  posting: Posting,
  shards: number,
  legs: readonly Posting[] = [],
): Request => ({
  skipQueue: posting.skipQueue,
  balanceIds: balancesMoved(posting, legs),
  follows: false,
  share: Math.max(SHARE_MIN, Math.floor(AT_ONCE / shards)),
});

/** What follows from what was taken before, and moves the balances of these postings. */
export const following = (skipQueue: boolean, postings: readonly Posting[]): Request => ({
  skipQueue,
  balanceIds: balancesOf(postings),
  follows: true,
  share: 0,
});

/** The balances that a posting moves, each once; those of its legs if it is a split. */
export const balancesMoved = (posting: Posting, legs: readonly Posting[] = []): BalanceId[] =>
  legs.length === 0 ? sidesOf(posting) : balancesOf(legs);

/** Whether nothing was taken before it that it follows from. */
const isNew = ({ kind }: Posting): boolean => kind === "post" || kind === "split";

const sidesOf = ({ source, destination }: Posting): BalanceId[] => [
  source.balanceId,
  destination.balanceId,
];

const balancesOf = (postings: readonly Posting[]): BalanceId[] => [
  ...new Set(postings.flatMap(sidesOf)),
];
