import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import type { BalanceObject } from "../balance/object";
import type { ProfileChange } from "../balance/protocol";
import type { AlarmClock } from "./alarm-clock";
import type { Flusher } from "./flusher";
import { Work } from "./row";
import type { JournalStore } from "./store";

/** A balance that was noted and not yet made is looked at again after this long, in milliseconds. */
const RETRY_MS = 10_000;
const PAGE = 100;

/** What the book needs of its shard. */
export interface BalanceBookHost {
  checkpoint(step: string): void | Promise<void>;
  /** One repeatable call to a balance object; throws when it is not answered. */
  ask<T>(
    balanceId: BalanceId,
    call: (stub: DurableObjectStub<BalanceObject>) => Promise<T>,
  ): Promise<T>;
}

/**
 * The balances that a shard has made or changed: each is noted before anything happens to it, so that its
 * row in D1 and its event follow even after a crash. A rebuild of D1 walks these lists.
 */
export class BalanceBook {
  readonly #store: JournalStore;
  readonly #flusher: Flusher;
  readonly #alarm: AlarmClock;
  readonly #host: BalanceBookHost;
  readonly #changing = new Map<BalanceId, Promise<void>>();

  constructor(parts: {
    readonly store: JournalStore;
    readonly flusher: Flusher;
    readonly alarm: AlarmClock;
    readonly host: BalanceBookHost;
  }) {
    this.#store = parts.store;
    this.#flusher = parts.flusher;
    this.#alarm = parts.alarm;
    this.#host = parts.host;
  }

  /** Makes a balance; `created` is false when one of that id exists. */
  async create(profile: BalanceProfile): Promise<{ created: boolean; snapshot: BalanceSnapshot }> {
    const { balanceId } = profile;
    this.#store.transaction(() => this.#store.balances.note(profile, Work.Project | Work.Announce));
    this.#alarm.by(Date.now() + RETRY_MS);
    await this.#host.checkpoint("balance:noted");
    const answer = await this.#host.ask(balanceId, (stub) => stub.create({ profile }));
    await this.#host.checkpoint("balance:made");
    // The note may be that of another call for the same balance: it stands if any of them made it.
    if (answer.byHand) this.#store.balances.confirm(balanceId);
    else this.#store.balances.unmeet(balanceId, profile.createdAt);
    this.#flusher.markBalances();
    const { created, snapshot } = answer;
    return { created, snapshot };
  }

  /** Changes a balance's profile, one change after the other; null when there is no such balance. */
  update(balanceId: BalanceId, change: ProfileChange): Promise<BalanceSnapshot | null> {
    const before = this.#changing.get(balanceId) ?? Promise.resolve();
    const changed = before.then(() => this.#update(balanceId, change));
    const end = changed
      .catch(() => {})
      .then(() => {
        if (this.#changing.get(balanceId) === end) this.#changing.delete(balanceId);
      });
    this.#changing.set(balanceId, end);
    return changed;
  }

  async #update(balanceId: BalanceId, change: ProfileChange): Promise<BalanceSnapshot | null> {
    if ((await this.#host.ask(balanceId, (stub) => stub.read())) === null) return null;
    this.#store.balances.meet(balanceId, Work.Project);
    this.#alarm.by(Date.now() + RETRY_MS);
    const turn = this.#store.balances.numberOf(balanceId);
    await this.#host.checkpoint("profile:noted");
    const snapshot = await this.#host.ask(balanceId, (stub) =>
      stub.updateProfile({ ...change, turn }),
    );
    await this.#host.checkpoint("profile:changed");
    // Once more: a round in between may have taken the old profile to D1 and struck the note off.
    this.#store.balances.meet(balanceId, Work.Project);
    this.#flusher.markBalances();
    return snapshot;
  }

  /** An operation made a balance by its indicator. */
  made(balanceId: BalanceId): void {
    this.#store.balances.meet(balanceId, Work.Project | Work.Announce);
    this.#flusher.markBalances();
  }

  /** A batch moved these balances. */
  moved(balanceIds: Iterable<BalanceId>): void {
    this.#store.transaction(() => {
      for (const balanceId of balanceIds) this.#store.balances.meet(balanceId, Work.Project);
    });
    this.#flusher.markBalances();
  }

  /** Goes on with what an earlier life of the shard left behind. Each balance fails alone; throws when any did. */
  async recover(): Promise<void> {
    const met = this.#store.balances.unsettled(PAGE);
    const unmade = met.flatMap(({ profile }) => (profile === null ? [] : [profile]));
    const made = await Promise.allSettled(unmade.map((profile) => this.create(profile)));
    if (met.length > 0) this.#flusher.markBalances();
    for (const each of made) if (each.status === "rejected") throw each.reason;
  }

  /** Whether any balance has work left. */
  get hasWork(): boolean {
    return this.#store.balances.unsettled(1).length > 0;
  }
}
