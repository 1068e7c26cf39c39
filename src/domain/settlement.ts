import { signOf, toMajorUnits, toMinorUnits } from "./amount";
import { type LedgerError, refusal } from "./error";
import {
  partialRefundReference,
  refundReference,
  settlementReference,
  transactionIdOf,
} from "./ids";
import { brokenMetaData, mergeMetaData } from "./metadata";
import { err, ok, type Result } from "./result";
import { rowHash } from "./row-hash";
import { queueMarks, withoutReservedKeys } from "./shown-metadata";
import { OF_OUR_OWN, type Posting, type Transaction } from "./transaction";

/** How much of a hold a commit asks for: minor units, major units as text, or all that remains. */
export type CommitAmount =
  | { readonly unit: "minor"; readonly value: bigint }
  | { readonly unit: "major"; readonly value: string }
  | null;

/** What was decided under a hold already: its commits and voids, in whatever state, none rejected. */
export interface SettlementsSoFar {
  readonly committed: bigint;
  readonly voided: boolean;
}

/**
 * How many minor units a commit or void settles, or why it may not
 * (contract/transactions.md section 7.4, in its order).
 */
export function settlementAmount(
  hold: Posting,
  soFar: SettlementsSoFar,
  action: "commit" | "void",
  asked: CommitAmount,
): Result<bigint> {
  if (soFar.voided) return err(refusal("TXN_ALREADY_VOIDED", "the hold was voided before"));
  const remaining = hold.preciseAmount - soFar.committed;
  if (remaining <= 0n) {
    return err(
      refusal("TXN_ALREADY_COMMITTED", `the hold is fully committed: cannot ${action} it`),
    );
  }
  if (action === "void") return ok(remaining);
  return commitAmount(hold, remaining, asked);
}

function commitAmount(hold: Posting, remaining: bigint, asked: CommitAmount): Result<bigint> {
  // The sign is that of what was asked: rounded, a little and less than nothing look like zero, which is all.
  const sign = asked === null ? 0 : signOf(asked.value.toString());
  if (asked === null || sign === 0) return ok(remaining);
  if (sign < 0) {
    return err(refusal("GEN_BAD_REQUEST", "the amount of a commit cannot be negative"));
  }
  const amount = asked.unit === "minor" ? asked.value : toMinorUnits(asked.value, hold.precision);
  if (amount === 0n) {
    const message = "the amount of a commit comes to less than the smallest unit";
    return err(refusal("TXN_INVALID_AMOUNT", message));
  }
  if (amount > hold.preciseAmount)
    return err(exceeded(hold, "was held", hold.preciseAmount, amount));
  if (amount > remaining) return err(exceeded(hold, "remains", remaining, amount));
  return ok(amount);
}

function exceeded(hold: Posting, what: string, limit: bigint, asked: bigint): LedgerError {
  const show = (minor: bigint) => `${hold.currency} ${toMajorUnits(minor, hold.precision)}`;
  return refusal(
    "TXN_COMMIT_AMOUNT_EXCEEDED",
    `cannot commit ${show(asked)}: only ${show(limit)} ${what}`,
  );
}

/** The record of a commit or void under a hold; one operation key always makes the same one. */
export function settlementOf(
  hold: Transaction,
  action: "commit" | "void",
  amount: bigint,
  how: { readonly instance: string; readonly operationKey: string; readonly skipQueue: boolean },
): Posting {
  const reference = settlementReference(hold.transactionId, how.operationKey);
  return {
    ...derivedFrom(hold, reference, how.instance, amount),
    kind: action,
    inflight: false,
    skipQueue: how.skipQueue,
    metaData: settledMetaData(hold),
  };
}

/** The hold's own metadata, and what it carried as a queued one: a settlement is a copy of its hold (section 7.3). */
const settledMetaData = (hold: Transaction): string | null =>
  hold.skipQueue ? hold.metaData : mergeMetaData(hold.metaData, JSON.stringify(queueMarks(hold)));

/**
 * How much of each movement a refund gives back, in their order, or why it may not. `open` is what of each was not
 * given back before; `asked` null is all of it.
 */
export function refundAmounts(
  open: readonly bigint[],
  precision: bigint,
  asked: CommitAmount,
): Result<bigint[]> {
  const all = open.reduce((sum, amount) => sum + amount, 0n);
  if (all === 0n) return err(refusal("GEN_CONFLICT", "it has been refunded before"));
  if (asked === null) return ok([...open]);
  const amount = asked.unit === "minor" ? asked.value : toMinorUnits(asked.value, precision);
  if (amount <= 0n) {
    return err(refusal("TXN_INVALID_AMOUNT", "the amount of a refund must be positive"));
  }
  if (amount > all) {
    const message = "the amount is more than what is left to refund";
    return err(refusal("GEN_BAD_REQUEST", message, { refundable: all.toString() }));
  }
  const parts: bigint[] = [];
  let rest = amount;
  for (const left of open) {
    parts.push(left);
    if (left > rest) parts[parts.length - 1] = rest;
    rest -= parts.at(-1) ?? 0n;
  }
  return ok(parts);
}

/** The record that gives back what a transaction moved, or a part of it: sides swapped, never refused for funds. */
export function refundOf(
  refunded: Transaction,
  amount: bigint,
  how: {
    readonly instance: string;
    readonly operationKey: string;
    readonly skipQueue: boolean;
    readonly description: string;
    readonly metaData: string | null;
  },
): Posting {
  const { transactionId, preciseAmount } = refunded;
  const reference =
    amount === preciseAmount
      ? refundReference(transactionId)
      : partialRefundReference(transactionId, how.operationKey);
  const { source, destination } = refunded;
  const posting = derivedFrom(refunded, reference, how.instance, amount);
  return {
    ...posting,
    kind: "refund",
    source: destination,
    destination: source,
    hash: hashOf(posting, destination.balanceId, source.balanceId),
    overdraft: { kind: "unlimited" },
    allowOverdraft: true,
    inflight: false,
    skipQueue: how.skipQueue,
    description: how.description === "" ? refunded.description : how.description,
    metaData: refundedMetaData(refunded, how.metaData),
  };
}

/** Why a refund cannot add this metadata to what its original has, or null. What adds nothing is never too long. */
export function brokenRefundMetaData(
  refunded: Transaction,
  added: string | null,
): LedgerError | null {
  const broken = added === null ? null : brokenMetaData(refundedMetaData(refunded, added));
  return broken === null ? null : refusal("TXN_VALIDATION_ERROR", `meta_data: ${broken}`);
}

/** The original's own keys, those of the refund over them: what the ledger wrote there was about the original. */
function refundedMetaData(refunded: Transaction, added: string | null): string | null {
  const kept = refunded.metaData === null ? null : withoutReservedKeys(refunded.metaData);
  return added === null ? kept : mergeMetaData(kept, added);
}

/** A posting that follows from a record: its own reference and amount, the rest copied, dated now. */
function derivedFrom(
  parent: Transaction,
  reference: string,
  instance: string,
  amount: bigint,
): Posting {
  const major = toMajorUnits(amount, parent.precision);
  const posting: Posting = {
    ...OF_OUR_OWN,
    transactionId: transactionIdOf(instance, reference),
    kind: parent.kind,
    parentTransaction: parent.transactionId,
    reference,
    currency: parent.currency,
    description: parent.description,
    source: { balanceId: parent.source.balanceId, indicator: null },
    destination: { balanceId: parent.destination.balanceId, indicator: null },
    preciseAmount: amount,
    precision: parent.precision,
    amount: major,
    amountString: major,
    hash: "",
    metaData: parent.metaData,
  };
  const { source, destination } = posting;
  return { ...posting, hash: hashOf(posting, source.balanceId, destination.balanceId) };
}

const hashOf = (posting: Posting, source: string, destination: string): string =>
  rowHash({ ...posting, source, destination });
