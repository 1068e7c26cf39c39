import { DurableObject } from "cloudflare:workers";
import type { BalanceAt, BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceLineage } from "../../domain/lineage";
import { brokenMetaData, mergeMetaData } from "../../domain/metadata";
import { type Instant, instantOfMicros, laterOf } from "../../domain/time";
import type { EntryPlace, Evidence, EvidenceAsked } from "./evidence";
import { BalanceLedger, type BalanceState } from "./ledger";
import type {
  CreateAnswer,
  CreateRequest,
  ExecuteAnswer,
  ExecuteRequest,
  ProfileChange,
} from "./protocol";
import { BalanceStore } from "./store";

/** Under which the number of the newest change of the profile is kept. */
const TURN = "profile turn";

/**
 * One balance: it serialises its own debits and credits and is the truth about its amounts.
 * Every method decides and writes without an await in between, so no other call can slip in.
 */
export class BalanceObject extends DurableObject<Env> {
  readonly #store: BalanceStore;
  readonly #ledger: BalanceLedger;
  #state: BalanceState;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const name = ctx.id.name ?? "";
    this.#store = new BalanceStore(ctx.storage);
    this.#ledger = new BalanceLedger(this.#store, name.slice(name.lastIndexOf("/") + 1));
    this.#state = { balance: this.#store.load(), reserved: this.#store.reserved() };
  }

  /** Where a test lets this object die. */
  protected checkpoint(_step: string): void | Promise<void> {}

  /**
   * Carries out operations in order, all in one transaction. A repeat answers what the first call answered;
   * a refusal changes nothing; nothing is answered before it is durable.
   * It answers with a value, not with a promise, unless a checkpoint waits: the runtime hands that over at less cost.
   */
  execute(request: ExecuteRequest): ExecuteAnswer | Promise<ExecuteAnswer> {
    const received = this.checkpoint("execute:received");
    return received === undefined
      ? this.#carryOut(request)
      : received.then(() => this.#carryOut(request));
  }

  #carryOut({ operations }: ExecuteRequest): ExecuteAnswer | Promise<ExecuteAnswer> {
    let state = this.#state;
    // Clocks go back now and then; entries stay in the order of their time.
    const at = laterOf(instantOfMicros(Date.now() * 1000), state.balance?.at ?? "");
    const carryOut = () =>
      operations.map((operation) => {
        const step = this.#ledger.carryOut(state, operation, at);
        state = step.state;
        return step.answer;
      });
    // A change of a balance that exists is one insertion, the last thing that happens: it needs no savepoint.
    const [first] = operations;
    const isOneWrite =
      operations.length === 1 &&
      first?.kind === "change" &&
      state.balance?.snapshot.trackFundLineage === false;
    const answers = isOneWrite ? carryOut() : this.ctx.storage.transactionSync(carryOut);
    // Only now: a rolled-back transaction must not leave its amounts in memory.
    this.#state = state;
    const answer = { answers, snapshot: state.balance?.snapshot ?? null };
    const committed = this.checkpoint("execute:committed");
    return committed === undefined ? answer : committed.then(() => answer);
  }

  /** Makes the balance. A repeat of the call that made it (same `createdAt`) answers `created` again. */
  create({ profile }: CreateRequest): CreateAnswer {
    const balance =
      this.#state.balance ??
      this.ctx.storage.transactionSync(() => this.#store.create(profile, ""));
    this.#state = { ...this.#state, balance };
    const { snapshot, createdBy } = balance;
    const byHand = createdBy === "";
    return { created: byHand && snapshot.createdAt === profile.createdAt, byHand, snapshot };
  }

  /**
   * Changes the profile; null when there is no balance. One that comes after a later one, or again, changes nothing, and neither
   * does one by which the metadata would grow too long: the answer is the balance as it stands.
   */
  updateProfile(change: ProfileChange): BalanceSnapshot | null {
    const before = this.#state.balance;
    if (before === null) return null;
    const { identityId, mergeMetaData: patch, turn } = change;
    const { kv } = this.ctx.storage;
    // Answered before, or given up since: whoever sent it has gone on.
    if (turn !== undefined && turn <= (kv.get<number>(TURN) ?? 0)) return before.snapshot;
    const profile: BalanceProfile = {
      ...before.snapshot,
      ...(identityId === undefined ? {} : { identityId }),
      ...(patch === undefined ? {} : { metaData: mergeMetaData(before.snapshot.metaData, patch) }),
    };
    if (brokenMetaData(profile.metaData) !== null) return before.snapshot;
    const balance = this.ctx.storage.transactionSync(() => {
      if (turn !== undefined) kv.put(TURN, turn);
      return this.#store.saveProfile(before, profile);
    });
    this.#state = { ...this.#state, balance };
    return balance.snapshot;
  }

  /**
   * The balance as it stands, or with the amounts of an earlier version while its entry is kept; null when nobody has
   * made it. Asking makes nothing.
   */
  read({ version }: { version?: number } = {}): BalanceSnapshot | null {
    const snapshot = this.#state.balance?.snapshot ?? null;
    if (snapshot === null || version === undefined || version >= snapshot.version) return snapshot;
    const amounts = this.#store.amountsAt(version);
    return amounts === null ? snapshot : { ...snapshot, ...amounts, version };
  }

  /** What had settled by a moment, by effective dates; null when nobody has made the balance. */
  readAt({ moment }: { moment: Instant }): BalanceAt | null {
    const { balance } = this.#state;
    if (balance === null) return null;
    const { balanceId, currency } = balance.snapshot;
    return { balanceId, currency, ...this.#store.settledAt(moment, balance) };
  }

  /** The balance, and whose money it has; null when nobody has made it. */
  lineage(): BalanceLineage | null {
    const { balance } = this.#state;
    if (balance === null) return null;
    const { snapshot } = balance;
    return { balance: snapshot, funds: snapshot.trackFundLineage ? this.#store.funds.all() : null };
  }

  /** Entries after a version, as they are on disk, and the balance beside them; null when nobody has made it. */
  evidence(asked: EvidenceAsked): Evidence | null {
    const { balance, reserved } = this.#state;
    return balance === null ? null : this.#store.evidence(asked, balance.snapshot, reserved);
  }

  /** The entries of operations, as they are on disk; null for those that were not applied. */
  placesOf({ ops }: { ops: readonly string[] }): (EntryPlace | null)[] {
    return this.#store.placesOf(ops);
  }
}
