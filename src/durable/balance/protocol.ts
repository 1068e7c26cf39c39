import type { Change } from "../../domain/balance";
import type { BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { LedgerError } from "../../domain/error";
import type { TransactionId } from "../../domain/ids";
import type { Piece } from "../../domain/lineage";
import type { Instant } from "../../domain/time";

/** A change of money under an operation id: applied once, however often it is sent. */
export interface MoneyOperation extends Change {
  readonly kind: "change";
  /** (transaction, attempt, side): the same id always carries the same change. */
  readonly op: string;
  readonly transactionId: TransactionId;
  readonly currency: string;
  readonly effectiveDate: Instant;
  /** Set when the side was named by indicator: the balance then makes itself on first use. */
  readonly indicator: string | null;
  /** The seal of the transaction as it was recorded: its entry carries it. Absent from callers older than seals. */
  readonly seal?: string;
  /** What its shard knows of whose money it is. Only a balance that tracks its funds looks at it. */
  readonly lineage?: Lineage;
}

/** What is known of whose money a change moves, before its balance is asked. */
export interface Lineage {
  /** The hold that it settles, or else itself. */
  readonly hold: TransactionId;
  /** Whose money comes in; null when only the hold that is settled knows. */
  readonly received: readonly Piece[] | null;
}

/** Asks whether the balance exists and what currency it holds; changes nothing. */
export interface ProbeOperation {
  readonly kind: "probe";
  readonly op: string;
}

/** Refuses the operation for good unless it was applied: the answer to an attempt in doubt. */
export interface CancelOperation {
  readonly kind: "cancel";
  readonly op: string;
}

/** Keeps back what a batch will draw, so that its changes cannot be refused any more. */
export interface ReserveOperation {
  readonly kind: "reserve";
  /** The batch and its attempt: all its calls to this balance carry it. */
  readonly op: string;
  /** The batch's changes of this balance, in the batch's order. */
  readonly changes: readonly MoneyOperation[];
}

/** Carries out the changes that were reserved for, all of them. */
export interface PostOperation {
  readonly kind: "post";
  readonly op: string;
  readonly changes: readonly MoneyOperation[];
}

/** Gives back what was reserved, and refuses the reservation for good, also one never seen. */
export interface ReleaseOperation {
  readonly kind: "release";
  readonly op: string;
}

/** Asks whose money a change of a group was that was posted. Only a balance that tracks its funds is asked. */
export interface TraceOperation {
  readonly kind: "trace";
  readonly op: string;
  readonly change: MoneyOperation;
}

/** Whose money a change moved, as far as its balance knows. */
export interface TracedAnswer {
  readonly outcome: "traced";
  readonly pieces: readonly Piece[];
  readonly strategy: string;
  readonly identityId: string;
}

export type Operation =
  | MoneyOperation
  | TraceOperation
  | ProbeOperation
  | CancelOperation
  | ReserveOperation
  | PostOperation
  | ReleaseOperation;

/** What became of one operation. The answer to a repeat is the first answer. */
export type Answer =
  | {
      readonly outcome: "applied";
      /** The version that the balance had after it. */
      readonly version: number;
      /** When the balance applied it. */
      readonly at: Instant;
      /** Whether this operation made the balance (repeats say so too). */
      readonly created: boolean;
      /** Whose money it was, when the balance tracks that. */
      readonly traced?: TracedAnswer;
    }
  | TracedAnswer
  | { readonly outcome: "known"; readonly currency: string }
  /** `index` names the change of a reservation that is refused. */
  | { readonly outcome: "refused"; readonly error: LedgerError; readonly index?: number }
  | { readonly outcome: "reserved" }
  /** The versions after each change, in order; `created` when the first of them made the balance. */
  | {
      readonly outcome: "posted";
      readonly versions: readonly number[];
      readonly created: boolean;
      /** Whether the balance tracks its funds, and is to be asked whose money each change was. */
      readonly tracked?: true;
    }
  | { readonly outcome: "released" }
  /** Answer to `cancel`: never applied, and never will be. */
  | { readonly outcome: "cancelled" }
  /** A known id with other content: a bug of the caller, nothing was changed. */
  | { readonly outcome: "fault"; readonly message: string };

export interface ExecuteRequest {
  readonly operations: readonly Operation[];
}

export interface ExecuteAnswer {
  /** One for each operation, in order. */
  readonly answers: readonly Answer[];
  /** The balance after the call; null when it does not exist. */
  readonly snapshot: BalanceSnapshot | null;
}

export interface CreateRequest {
  readonly profile: BalanceProfile;
}

/** `created` is true for the call that made it and for its repeats (same `createdAt`). */
export interface CreateAnswer {
  readonly created: boolean;
  /** Whether a call like this one made it, this or another; otherwise an operation did, by its indicator. */
  readonly byHand: boolean;
  readonly snapshot: BalanceSnapshot;
}

/** A change of a balance's profile: at most one field of money never being among them. */
export interface ProfileChange {
  readonly identityId?: string;
  /** JSON text of an object whose top-level keys are merged. */
  readonly mergeMetaData?: string;
  /** Its number among the changes of this profile: one that arrives after a later one is too late. Older versions send none. */
  readonly turn?: number;
}
