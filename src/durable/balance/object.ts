import { DurableObject } from "cloudflare:workers";
import { applyChange } from "../../domain/balance";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import { refusal } from "../../domain/error";
import { GENERAL_LEDGER_ID, isBalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { mergeMetaData } from "../../domain/metadata";
import { type Instant, instantOfMicros } from "../../domain/time";
import type {
  Answer,
  CreateAnswer,
  CreateRequest,
  ExecuteAnswer,
  ExecuteRequest,
  MoneyOperation,
  Operation,
  ProfileChange,
} from "./protocol";
import { BalanceStore, type StoredBalance } from "./store";

/**
 * One balance: it serialises its own debits and credits and is the truth about its amounts.
 * Every method decides and writes without an await in between, so no other call can slip in.
 */
export class BalanceObject extends DurableObject<Env> {
  readonly #store: BalanceStore;
  #balance: StoredBalance | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new BalanceStore(ctx.storage);
    this.#balance = this.#store.load();
  }

  /** Where a test lets this object die. */
  protected checkpoint(_step: string): void | Promise<void> {}

  /**
   * Carries out operations in order, all in one transaction. A repeat answers what the first call answered;
   * a refusal changes nothing; nothing is answered before it is durable.
   */
  async execute({ operations }: ExecuteRequest): Promise<ExecuteAnswer> {
    await this.checkpoint("execute:received");
    const at = instantOfMicros(Date.now() * 1000);
    let balance = this.#balance;
    const answers = this.ctx.storage.transactionSync(() =>
      operations.map((operation) => {
        const step = this.#carryOut(balance, operation, at);
        balance = step.balance;
        return step.answer;
      }),
    );
    // Only now: a rolled-back transaction must not leave its amounts in memory.
    this.#balance = balance;
    await this.checkpoint("execute:committed");
    return { answers, snapshot: balance?.snapshot ?? null };
  }

  /** Makes the balance. A repeat of the call that made it (same `createdAt`) answers `created` again. */
  create({ profile }: CreateRequest): CreateAnswer {
    if (this.#balance === null) {
      this.#balance = this.ctx.storage.transactionSync(() => this.#store.create(profile, ""));
    }
    const { snapshot, createdBy } = this.#balance;
    return { created: createdBy === "" && snapshot.createdAt === profile.createdAt, snapshot };
  }

  /** Changes the profile; null when there is no balance. Repeats are harmless. */
  updateProfile(change: ProfileChange): BalanceSnapshot | null {
    const before = this.#balance;
    if (before === null) return null;
    const { identityId, mergeMetaData: patch } = change;
    const profile: BalanceProfile = {
      ...before.snapshot,
      ...(identityId === undefined ? {} : { identityId }),
      ...(patch === undefined ? {} : { metaData: mergeMetaData(before.snapshot.metaData, patch) }),
    };
    this.#balance = this.ctx.storage.transactionSync(() =>
      this.#store.saveProfile(before, profile),
    );
    return this.#balance.snapshot;
  }

  /** The balance as it stands; null when nobody has made it. Asking makes nothing. */
  read(): BalanceSnapshot | null {
    return this.#balance?.snapshot ?? null;
  }

  #carryOut(
    balance: StoredBalance | null,
    operation: Operation,
    at: Instant,
  ): { balance: StoredBalance | null; answer: Answer } {
    switch (operation.kind) {
      case "probe":
        return { balance, answer: probed(balance) };
      case "cancel":
        return { balance, answer: this.#cancel(balance, operation.op) };
      case "change":
        return this.#change(balance, operation, at);
    }
  }

  #cancel(balance: StoredBalance | null, op: string): Answer {
    const entry = this.#store.entryOf(op);
    if (entry === null) {
      this.#store.cancel(op, Date.now());
      return { outcome: "cancelled" };
    }
    return {
      outcome: "applied",
      version: entry.version,
      at: entry.at,
      created: balance?.createdBy === op,
    };
  }

  #change(
    balance: StoredBalance | null,
    operation: MoneyOperation,
    at: Instant,
  ): { balance: StoredBalance | null; answer: Answer } {
    const { op } = operation;
    const entry = this.#store.entryOf(op);
    if (entry !== null) {
      const { side, action, amount, version } = entry;
      const same =
        side === operation.side && action === operation.action && amount === operation.amount;
      const answer: Answer = same
        ? { outcome: "applied", version, at: entry.at, created: balance?.createdBy === op }
        : { outcome: "fault", message: `operation ${op} was applied with other content` };
      return { balance, answer };
    }
    if (this.#store.isCancelled(op)) {
      const error = refusal("TXN_VALIDATION_ERROR", "the operation was cancelled");
      return { balance, answer: { outcome: "refused", error } };
    }
    const refused = (error: ReturnType<typeof refusal>) =>
      ({ balance, answer: { outcome: "refused", error } }) as const;
    const name = this.ctx.id.name?.slice(this.ctx.id.name.lastIndexOf("/") + 1) ?? "";
    if (balance === null && operation.indicator === null) {
      return refused(refusal("TXN_NOT_FOUND", `there is no balance ${name}`));
    }
    const held = balance?.snapshot.currency ?? operation.currency;
    if (held !== operation.currency) {
      return refused(currencyMismatch(name, held, operation.currency));
    }
    const before = balance?.snapshot ?? {
      credit: 0n,
      debit: 0n,
      inflightCredit: 0n,
      inflightDebit: 0n,
    };
    const after = applyChange(before, operation);
    if (!after.ok) return refused(after.error);

    // From here on the operation must succeed.
    const made = balance ?? this.#createByIndicator(name, operation, at);
    const next = this.#store.append(made, operation, after.value, at);
    return {
      balance: next,
      answer: { outcome: "applied", version: next.snapshot.version, at, created: balance === null },
    };
  }

  #createByIndicator(name: string, operation: MoneyOperation, at: Instant): StoredBalance {
    invariant(isBalanceId(name), "a balance object is named by its balance id");
    const profile: BalanceProfile = {
      balanceId: name,
      ledgerId: GENERAL_LEDGER_ID,
      identityId: "",
      currency: operation.currency,
      indicator: operation.indicator ?? "",
      createdAt: at,
      metaData: null,
      trackFundLineage: false,
      allocationStrategy: "FIFO",
    };
    return this.#store.create(profile, operation.op);
  }
}

const probed = (balance: StoredBalance | null): Answer =>
  balance === null
    ? { outcome: "refused", error: refusal("TXN_NOT_FOUND", "there is no such balance") }
    : { outcome: "known", currency: balance.snapshot.currency };

/** Both balances must be in the transaction's currency (an intended difference from Blnk). */
export const currencyMismatch = (balanceId: string, held: string, asked: string) =>
  refusal(
    "TXN_VALIDATION_ERROR",
    `balance ${balanceId} is in ${held}, the transaction is in ${asked}`,
  );
