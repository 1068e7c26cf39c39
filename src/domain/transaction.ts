import type { BalanceId, BatchId, TransactionId } from "./ids";
import type { Instant } from "./time";

/** The states that a client can see. Final: APPLIED, VOID, REJECTED; INFLIGHT is settled by children. */
export type TransactionStatus =
  | "QUEUED"
  | "SCHEDULED"
  | "APPLIED"
  | "INFLIGHT"
  | "VOID"
  | "REJECTED";

/**
 * What a record does: `post` moves or holds money; commit, void and refund follow from an earlier record; `split`
 * stands for its legs, which move the money; `pointer` keeps the reference of a leg where readers look for it.
 */
export type TransactionKind = "post" | "commit" | "void" | "refund" | "split" | "pointer";

/** One entry of `sources` or `destinations` as it was posted, with the leg that it made ("" when it made none). */
export interface ShownShare {
  readonly identifier: string;
  readonly distribution: string;
  readonly preciseDistribution: string;
  readonly transactionId: string;
}

/** What a source may owe: nothing, anything, or at most `limit` minor units. */
export type Overdraft =
  | { readonly kind: "none" }
  | { readonly kind: "unlimited" }
  | { readonly kind: "limited"; readonly limit: bigint };

/** One side of a transaction: the balance, and the indicator it was named by, if it was. */
export interface Side {
  readonly balanceId: BalanceId;
  /** `@world`: the balance makes itself on first use. Null when it was named by its id. */
  readonly indicator: string | null;
}

/** What a client asked for, resolved and checked: immutable once it is recorded. */
export interface Posting {
  readonly transactionId: TransactionId;
  readonly kind: TransactionKind;
  /** The record that this one follows from, or the batch it belongs to; "" for a root. */
  readonly parentTransaction: string;
  readonly reference: string;
  readonly currency: string;
  readonly description: string;
  readonly source: Side;
  readonly destination: Side;
  /** Minor units, not negative. Zero is recorded and then refused, as on the reference. */
  readonly preciseAmount: bigint;
  /** Minor units in a major unit: 100 for cents. At least 1. */
  readonly precision: bigint;
  /** Major units as decimal text, as the client wrote them: echoed, and hashed. */
  readonly amount: string;
  /** Shown on the answer to a post with `precise_amount`; "" otherwise. */
  readonly amountString: string;
  readonly overdraft: Overdraft;
  readonly allowOverdraft: boolean;
  /** `overdraft_limit` as decimal text in major units, echoed. "0" when absent. */
  readonly overdraftLimit: string;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  readonly atomic: boolean;
  /** The three dates as the client wrote them, offset and all; "" when absent. */
  readonly scheduledFor: string;
  readonly inflightExpiryDate: string;
  readonly inflightCommitDate: string;
  /** UTC; null means the moment of recording. */
  readonly effectiveDate: Instant | null;
  /** As the client wrote it, offset and all; "" when absent. */
  readonly postedEffectiveDate: string;
  /** SHA-256 over the posted values (contract/transactions.md section 13.1). */
  readonly hash: string;
  /** The client's own `meta_data` as JSON text, reserved keys already dropped; null when none. */
  readonly metaData: string | null;
  /** The split or batch that decides for this record, all or nothing; null when it stands alone. */
  readonly group: TransactionId | BatchId | null;
  /** The side of a split that is shared out; null for all other records. */
  readonly shares: {
    readonly side: "sources" | "destinations";
    readonly list: readonly ShownShare[];
  } | null;
}

/** What a posting that the ledger makes itself has none of: it is carried out at once, dated now, and stands alone. */
export const OF_OUR_OWN = {
  overdraft: { kind: "none" },
  allowOverdraft: false,
  overdraftLimit: "0",
  inflight: false,
  skipQueue: true,
  atomic: false,
  scheduledFor: "",
  inflightExpiryDate: "",
  inflightCommitDate: "",
  effectiveDate: null,
  postedEffectiveDate: "",
  group: null,
  shares: null,
} as const satisfies Partial<Posting>;

/** A posting with what became of it: what reads, lists, answers and events are made of. */
export interface Transaction extends Omit<Posting, "effectiveDate"> {
  readonly status: TransactionStatus;
  readonly createdAt: Instant;
  readonly effectiveDate: Instant;
  /** Minor units of a hold that are neither committed nor released; null when it is no hold. */
  readonly inflightRemaining: bigint | null;
  /** Why it was rejected, in words; "" otherwise. */
  readonly rejectionReason: string;
  /** Versions that the two balances had after it; null while it has moved nothing. */
  readonly sourceVersion: number | null;
  readonly destinationVersion: number | null;
  /** Grows with every change of the record: D1 never lets an older one overwrite a newer one. */
  readonly revision: number;
}
