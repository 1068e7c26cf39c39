import type { BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import type { MetBalance, MetBalances } from "./met-balances";
import { Work } from "./row";

/** So many balances are read from their objects in one round. */
const MADE_MAX = 100;
/** What could not be read is left alone for so long, then for twice as long, up to the longest. */
const REST_FIRST_MS = 200;
const REST_MAX_MS = 5_000;

/** A balance on the shard's list, as its object has it. */
export interface Made {
  readonly balanceId: BalanceId;
  readonly snapshot: BalanceSnapshot;
  readonly noted: number;
  readonly announce: boolean;
}

/** What reading them needs. */
export interface MadeBalancesHost {
  /** The balance as its object has it; null when there is none. */
  readBalance(balanceId: BalanceId): Promise<BalanceSnapshot | null>;
  /** It is time to read again what could not be read; it was to leave at this moment of the rows' clock. */
  again(at: number): void;
  troubled(error: unknown): void;
}

/** Reads the balances that a shard has made or changed. One that cannot be read stays on the list, and keeps nobody else. */
export class MadeBalances {
  readonly #balances: Pick<MetBalances, "made" | "done">;
  readonly #host: MadeBalancesHost;
  /** Those that could not be read, and are left alone for a while. */
  readonly #unread = new Set<BalanceId>();
  #behindSince = Number.POSITIVE_INFINITY;
  #failures = 0;

  constructor(parts: {
    readonly balances: Pick<MetBalances, "made" | "done">;
    readonly host: MadeBalancesHost;
  }) {
    this.#balances = parts.balances;
    this.#host = parts.host;
  }

  /** When what could not be read was to leave, by the rows' clock; infinite when all could. */
  get behindSince(): number {
    return this.#behindSince;
  }

  /** Those on the list, and whether there are more. They were to leave at this moment of the rows' clock. */
  async read(at: number): Promise<{ readonly made: Made[]; readonly isMore: boolean }> {
    const most = MADE_MAX + this.#unread.size;
    const met = this.#balances.made(most);
    const asked = met.filter(({ balanceId }) => !this.#unread.has(balanceId));
    const failed: BalanceId[] = [];
    const read = await Promise.all(
      asked.map((each) =>
        this.#readOne(each).catch((error: unknown) => {
          this.#host.troubled(error);
          failed.push(each.balanceId);
          return [];
        }),
      ),
    );
    if (failed.length > 0) this.#rest(failed, at);
    else if (this.#unread.size === 0) this.#failures = 0;
    return { made: read.flat(), isMore: met.length === most };
  }

  async #readOne({ balanceId, work, noted }: MetBalance): Promise<Made[]> {
    const snapshot = await this.#host.readBalance(balanceId);
    const announce = (work & Work.Announce) !== 0;
    if (snapshot !== null) return [{ balanceId, snapshot, noted, announce }];
    // Nobody has made it: there is nothing to tell of it.
    this.#balances.done({ balanceId, noted, announce });
    return [];
  }

  #rest(failed: readonly BalanceId[], at: number): void {
    for (const balanceId of failed) this.#unread.add(balanceId);
    const rests = this.#behindSince !== Number.POSITIVE_INFINITY;
    this.#behindSince = Math.min(this.#behindSince, at);
    if (rests) return;
    const wait = Math.min(REST_MAX_MS, REST_FIRST_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    setTimeout(() => this.#wake(), wait);
  }

  #wake(): void {
    const at = this.#behindSince;
    this.#behindSince = Number.POSITIVE_INFINITY;
    this.#unread.clear();
    this.#host.again(at);
  }
}
