import { type Amounts, applyChange, available, changed, NO_AMOUNTS } from "../../domain/balance";
import { type LedgerError, refusal } from "../../domain/error";
import { type BalanceId, GENERAL_LEDGER_ID, isBalanceId, sha256Hex } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { strategyOf } from "../../domain/lineage";
import { currencyMismatch, unknownBalance } from "../../domain/movement";
import { deficitOf } from "../../domain/reservation";
import { err, type Result } from "../../domain/result";
import type { Instant } from "../../domain/time";
import type {
  Answer,
  MoneyOperation,
  Operation,
  PostOperation,
  ReserveOperation,
  TracedAnswer,
  TraceOperation,
} from "./protocol";
import type { BalanceStore, StoredBalance, StoredEntry } from "./store";

/** A balance in the middle of a call, and what its reservations keep back. */
export interface BalanceState {
  readonly balance: StoredBalance | null;
  readonly reserved: bigint;
}

/** What an operation comes to. */
export interface Step {
  readonly state: BalanceState;
  readonly answer: Answer;
}

/**
 * Carries out operations on one balance: looks for a repeat, decides, and writes. Runs inside one transaction
 * and never awaits, so what it read is what it writes on.
 */
export class BalanceLedger {
  readonly #store: BalanceStore;
  /** The balance's id as the object's name has it; it exists only once it was made. */
  readonly #name: string;

  constructor(store: BalanceStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  carryOut(state: BalanceState, operation: Operation, at: Instant): Step {
    switch (operation.kind) {
      case "probe":
        return { state, answer: this.#probe(state) };
      case "cancel":
        return { state, answer: this.#cancel(state, operation.op) };
      case "change":
        return this.#change(state, operation, at);
      case "reserve":
        return this.#reserve(state, operation);
      case "post":
        return this.#post(state, operation, at);
      case "release":
        return this.#release(state, operation.op);
      case "trace":
        return { state, answer: this.#trace(state, operation) };
    }
  }

  #probe({ balance }: BalanceState): Answer {
    return balance === null
      ? { outcome: "refused", error: this.#unknown() }
      : { outcome: "known", currency: balance.snapshot.currency };
  }

  #cancel({ balance }: BalanceState, op: string): Answer {
    const entry = this.#store.entryOf(op);
    if (entry === null) {
      this.#store.cancel(op, Date.now());
      return { outcome: "cancelled" };
    }
    const { version, at } = entry;
    const answer = { outcome: "applied", version, at, created: balance?.createdBy === op } as const;
    if (balance === null || !balance.snapshot.trackFundLineage) return answer;
    const { allocationStrategy: strategy, identityId } = balance.snapshot;
    const pieces = this.#store.funds.moveOf(op)?.pieces ?? [];
    return { ...answer, traced: { outcome: "traced", pieces, strategy, identityId } };
  }

  #change(state: BalanceState, operation: MoneyOperation, at: Instant): Step {
    const { balance, reserved } = state;
    // What settles a hold cannot be worked out twice, and a cancelled operation must not be: those ask first.
    if (settles(operation) || this.#store.isCancelled(operation.op)) {
      const repeated = this.#repeatOf(state, operation);
      if (repeated !== null) return { state, answer: repeated };
    }
    const after = this.#decide(state, operation);
    if (!after.ok) {
      const refused: Answer = { outcome: "refused", error: after.error };
      return { state, answer: this.#repeatOf(state, operation) ?? refused };
    }

    // From here on the operation must succeed, or has done so before: its entry tells.
    const next = this.#store.append(this.#made(balance, operation, at), operation, after.value, at);
    if (next === null) {
      const repeated = this.#repeatOf(state, operation);
      invariant(repeated !== null, "an operation that has its entry is a repeat");
      return { state, answer: repeated };
    }
    const { version } = next.snapshot;
    return {
      state: { balance: next, reserved },
      answer: this.#applied(next, operation, { version, at }),
    };
  }

  /** The amounts after an operation, as if it were new. */
  #decide({ balance, reserved }: BalanceState, operation: MoneyOperation): Result<Amounts> {
    const refused = this.#refusalOf(balance, operation);
    if (refused !== null) return err(refused);
    return applyChange(balance?.snapshot ?? NO_AMOUNTS, operation, reserved);
  }

  /** The answer to an operation that was applied or cancelled before; null when it is new. */
  #repeatOf(state: BalanceState, operation: MoneyOperation): Answer | null {
    const { op, side, action, amount } = operation;
    const entry = this.#store.entryOf(op);
    if (entry === null) {
      if (!this.#store.isCancelled(op)) return null;
      // Who sends it again has forgotten why it was given up: mostly the reason still stands.
      const decided = settles(operation) ? null : this.#decide(state, operation);
      const error = decided === null || decided.ok ? cancelled() : decided.error;
      return { outcome: "refused", error };
    }
    if (entry.side !== side || entry.action !== action || entry.amount !== amount) {
      return { outcome: "fault", message: `operation ${op} was applied with other content` };
    }
    return this.#applied(state.balance, operation, entry);
  }

  /**
   * What was applied, as it is told. Whose money it was is worked out together with the change, so that nobody spends money
   * before it is known whose it is.
   */
  #applied(
    balance: StoredBalance | null,
    operation: MoneyOperation,
    { version, at }: Pick<StoredEntry, "version" | "at">,
  ): Answer {
    const created = balance?.createdBy === operation.op;
    const answer = { outcome: "applied", version, at, created } as const;
    if (balance === null || !balance.snapshot.trackFundLineage) return answer;
    return { ...answer, traced: this.#traced(balance, operation) };
  }

  #traced({ snapshot }: StoredBalance, change: MoneyOperation, available?: bigint): TracedAnswer {
    const { allocationStrategy: strategy, identityId } = snapshot;
    const pieces = this.#store.funds.trace(change, strategyOf(strategy), available);
    return { outcome: "traced", pieces, strategy, identityId };
  }

  /** Why a side cannot take an operation at all: it does not exist, or holds another currency. */
  #refusalOf(balance: StoredBalance | null, operation: MoneyOperation): LedgerError | null {
    if (balance === null) return operation.indicator === null ? this.#unknown() : null;
    const held = balance.snapshot.currency;
    return held === operation.currency
      ? null
      : currencyMismatch(this.#name, held, operation.currency);
  }

  #reserve(state: BalanceState, { op, changes }: ReserveOperation): Step {
    const { balance, reserved } = state;
    const held = this.#store.reservationOf(op);
    const digest = digestOf(changes);
    if (held !== null || this.#isPosted(changes)) {
      const same = held === null || held.digest === digest;
      return { state, answer: same ? { outcome: "reserved" } : otherContent(op) };
    }
    if (this.#store.isCancelled(op)) {
      return { state, answer: { outcome: "refused", error: cancelled() } };
    }
    for (const [index, change] of changes.entries()) {
      const error = this.#refusalOf(balance, change);
      if (error !== null) return { state, answer: { outcome: "refused", error, index } };
    }
    const deficit = deficitOf(balance?.snapshot ?? NO_AMOUNTS, reserved, changes);
    if (!deficit.ok) return { state, answer: { outcome: "refused", ...deficit.error } };
    this.#store.reserve(op, digest, deficit.value);
    return {
      state: { balance, reserved: reserved + deficit.value },
      answer: { outcome: "reserved" },
    };
  }

  #post(state: BalanceState, { op, changes }: PostOperation, at: Instant): Step {
    const held = this.#store.reservationOf(op);
    if (held === null) return { state, answer: this.#repeatOfPost(state, op, changes) };
    if (held.digest !== digestOf(changes)) return { state, answer: otherContent(op) };

    // Reserved for: from here on every change must succeed.
    let { balance } = state;
    const versions: number[] = [];
    const created = balance === null;
    for (const change of changes) {
      const made = this.#made(balance, change, at);
      balance = this.#store.append(made, change, changed(made.snapshot, change), at);
      invariant(balance !== null, "what is reserved for was not applied before");
      versions.push(balance.snapshot.version);
      if (balance.snapshot.trackFundLineage) this.#store.funds.expect(change);
    }
    this.#store.endReservation(op);
    const reserved = state.reserved - held.deficit;
    return { state: { balance, reserved }, answer: posted(balance, versions, created) };
  }

  #repeatOfPost({ balance }: BalanceState, op: string, changes: readonly MoneyOperation[]): Answer {
    const versions = changes.flatMap((change) => this.#store.entryOf(change.op)?.version ?? []);
    if (versions.length !== changes.length) {
      return { outcome: "fault", message: `nothing is reserved for ${op}` };
    }
    return posted(balance, versions, balance?.createdBy === changes[0]?.op);
  }

  /** Whose money a posted change was: what others have spent of it meanwhile was nobody's. */
  #trace({ balance }: BalanceState, { op, change }: TraceOperation): Answer {
    if (balance === null || this.#store.entryOf(change.op) === null) {
      return { outcome: "fault", message: `${op} was not applied` };
    }
    return this.#traced(balance, change, available(balance.snapshot));
  }

  #release(state: BalanceState, op: string): Step {
    const held = this.#store.reservationOf(op);
    this.#store.cancel(op, Date.now());
    if (held === null) return { state, answer: { outcome: "released" } };
    this.#store.endReservation(op);
    const reserved = state.reserved - held.deficit;
    return { state: { ...state, reserved }, answer: { outcome: "released" } };
  }

  #isPosted(changes: readonly MoneyOperation[]): boolean {
    const [first] = changes;
    return first !== undefined && this.#store.entryOf(first.op) !== null;
  }

  /** The balance, made by its indicator when this operation is its first. */
  #made(balance: StoredBalance | null, operation: MoneyOperation, at: Instant): StoredBalance {
    if (balance !== null) return balance;
    const { currency, indicator, op } = operation;
    const profile = {
      balanceId: this.#id(),
      ledgerId: GENERAL_LEDGER_ID,
      identityId: "",
      currency,
      indicator: indicator ?? "",
      createdAt: at,
      metaData: null,
      trackFundLineage: false,
      allocationStrategy: "FIFO",
    };
    return this.#store.create(profile, op);
  }

  #id(): BalanceId {
    invariant(isBalanceId(this.#name), "a balance object is named by its balance id");
    return this.#name;
  }

  #unknown(): LedgerError {
    return unknownBalance(this.#name);
  }
}

/** What was posted, as it is told. */
function posted(balance: StoredBalance | null, versions: number[], created: boolean): Answer {
  const answer = { outcome: "posted", versions, created } as const;
  return balance?.snapshot.trackFundLineage === true ? { ...answer, tracked: true } : answer;
}

const settles = ({ action }: MoneyOperation): boolean => action === "commit" || action === "void";

const cancelled = (): LedgerError =>
  refusal("TXN_VALIDATION_ERROR", "the operation was cancelled before it was applied");

const otherContent = (op: string): Answer => ({
  outcome: "fault",
  message: `${op} is reserved with other content`,
});

const digestOf = (changes: readonly MoneyOperation[]): string =>
  sha256Hex(
    JSON.stringify(
      changes.map(({ op, side, action, amount }) => [op, side, action, amount.toString()]),
    ),
  );
