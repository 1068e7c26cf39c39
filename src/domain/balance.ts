import { type LedgerError, refusal } from "./error";
import { invariant } from "./invariant";
import { err, ok, type Result } from "./result";
import type { Overdraft } from "./transaction";

/** The amounts of one balance, all in minor units. */
export interface Amounts {
  readonly credit: bigint;
  readonly debit: bigint;
  readonly inflightCredit: bigint;
  readonly inflightDebit: bigint;
}

/** What an operation does to the side it is sent to (contract/transactions.md section 2.1). */
export type Action = "apply" | "hold" | "commit" | "void";

/** One change of one balance. */
export interface Change {
  readonly side: "source" | "destination";
  readonly action: Action;
  /** Minor units, positive. */
  readonly amount: bigint;
  /** Looked at only when money is taken or held: a commit, a void and a credit are never refused. */
  readonly overdraft: Overdraft;
}

export const NO_AMOUNTS: Amounts = {
  credit: 0n,
  debit: 0n,
  inflightCredit: 0n,
  inflightDebit: 0n,
};

/** What settled: credits less debits. May be negative. */
export const settled = (amounts: Amounts): bigint => amounts.credit - amounts.debit;

/** What can be spent: settled money less what is held. Money held for this balance does not count. */
export const available = (amounts: Amounts): bigint => settled(amounts) - amounts.inflightDebit;

/** Minor units that a source lacks to lose `amount` under its overdraft rule (contract/transactions.md section 2.3); zero when it may. */
export function shortfallOf(spendable: bigint, amount: bigint, overdraft: Overdraft): bigint {
  if (overdraft.kind === "unlimited" || spendable >= amount) return 0n;
  const within = overdraft.kind === "limited" ? spendable + overdraft.limit : spendable;
  return within >= amount ? 0n : amount - within;
}

/** Whether a source may lose `amount`, and if not, why. */
export function checkFunds(
  spendable: bigint,
  amount: bigint,
  overdraft: Overdraft,
): LedgerError | null {
  if (shortfallOf(spendable, amount, overdraft) === 0n) return null;
  return overdraft.kind === "limited"
    ? refusal("TXN_VALIDATION_ERROR", "the transaction exceeds the overdraft limit of its source")
    : refusal("TXN_INSUFFICIENT_FUNDS", "insufficient funds in the source balance");
}

/**
 * The amounts after a change, or why it is refused. Only a source that loses or holds money can be refused;
 * a commit or void beyond what is held is a bug of ours, because the journal decides those.
 *
 * @param reserved minor units that reservations of batches keep back
 */
export function applyChange(before: Amounts, change: Change, reserved = 0n): Result<Amounts> {
  invariant(change.amount > 0n, "a change has a positive amount");
  const takesMoney =
    change.side === "source" && (change.action === "apply" || change.action === "hold");
  if (takesMoney) {
    const refused = checkFunds(available(before) - reserved, change.amount, change.overdraft);
    if (refused !== null) return err(refused);
  }

  return ok(changed(before, change));
}

/** The amounts after a change that was checked, or reserved for, before. */
export function changed(before: Amounts, change: Change): Amounts {
  const after = change.side === "source" ? debited(before, change) : credited(before, change);
  invariant(
    after.inflightDebit >= 0n && after.inflightCredit >= 0n,
    "no more is settled than was held",
  );
  return after;
}

function debited(before: Amounts, { action, amount }: Change): Amounts {
  switch (action) {
    case "apply":
      return { ...before, debit: before.debit + amount };
    case "hold":
      return { ...before, inflightDebit: before.inflightDebit + amount };
    case "commit":
      return {
        ...before,
        inflightDebit: before.inflightDebit - amount,
        debit: before.debit + amount,
      };
    case "void":
      return { ...before, inflightDebit: before.inflightDebit - amount };
  }
}

function credited(before: Amounts, { action, amount }: Change): Amounts {
  switch (action) {
    case "apply":
      return { ...before, credit: before.credit + amount };
    case "hold":
      return { ...before, inflightCredit: before.inflightCredit + amount };
    case "commit":
      return {
        ...before,
        inflightCredit: before.inflightCredit - amount,
        credit: before.credit + amount,
      };
    case "void":
      return { ...before, inflightCredit: before.inflightCredit - amount };
  }
}
