import type { LedgerError } from "../../domain/error";
import type { TransactionId } from "../../domain/ids";
import type { Traced } from "../../domain/lineage";
import { brokenMetaData } from "../../domain/metadata";
import { isTooLongForRow } from "../../domain/stored-size";
import type { Instant } from "../../domain/time";
import { scheduledMs } from "../../domain/timer";
import type { Posting, Transaction, TransactionStatus } from "../../domain/transaction";

/**
 * States that exist in a shard alone: PENDING is a synchronous record in mid-saga, CLAIMED a reference that waits for
 * the decision of a group, POINTER one that was kept and leads to the group's leg.
 */
export type RowStatus = TransactionStatus | "PENDING" | "CLAIMED" | "POINTER";

/** A reference that a group takes: the row that keeps it, and where it leads. */
export interface Claim {
  readonly shard: number;
  readonly posting: Posting;
  /** When its record counts as made; absent: when it is taken. */
  readonly createdAt?: Instant;
}

/** What a group has decided, written once: from then on every part of it follows. */
export type Decision =
  | { readonly commit: true }
  | {
      readonly commit: false;
      readonly error: LedgerError;
      /** Nobody was told of its records yet: queued ones are gone too, as if never sent, instead of REJECTED. */
      readonly untold?: true;
    };

/** What is still to be done for a row; none of it left means settled. */
export const Work = {
  /** The saga is not at its end. */
  Drive: 1,
  /** D1 has an older revision, or none. */
  Project: 2,
  /** The event of its state has not been sent. */
  Announce: 4,
  /** A timer of its hold is running. */
  Timer: 8,
  /** Whose money it moved is still to be told in shadow balances. */
  Shadow: 16,
} as const;

/** How the saga ended. */
export interface Outcome {
  readonly sourceVersion: number;
  readonly destinationVersion: number;
  /** Whose money it was; absent where no balance asks. */
  readonly traced?: Traced;
  /** The shadow transactions that tell of it, in the order of its pieces, once they are made. */
  readonly shadows?: readonly TransactionId[];
}

/**
 * A record of the journal in memory. Its status may be ahead of the disk for successes only:
 * those a crash re-drives to the same end.
 */
export interface Row {
  /** Its number on disk; 0 before it is written. */
  seq: number;
  readonly posting: Posting;
  /** Drawn anew at every insertion: operations of an earlier life of a freed reference never meet this one's. */
  readonly attempt: string;
  readonly createdAt: Instant;
  readonly operationKey: string;
  readonly fingerprint: string;
  /** The references that a group takes; none for all other rows. */
  readonly claims: readonly Claim[];
  /** Of a claimed reference: the shard of the group that decides. */
  readonly coordinator: number | null;
  decision: Decision | null;
  status: RowStatus;
  /** The client's metadata, as merges left it. */
  metaData: string | null;
  revision: number;
  work: number;
  outcome: Outcome | null;
  rejectionReason: string;
  /** When the alarm looks at it again, in milliseconds since 1970. */
  dueMs: number;
  /** True when it came from disk unfinished: some earlier attempt may still be on its way. */
  doubt: boolean;
}

/** What a drive comes to: the row stands at its end, or it was refused. */
export type Driven =
  | { readonly done: true; readonly row: Row }
  | { readonly done: false; readonly row: Row; readonly error: LedgerError };

/** A row in mid-saga is looked at by the alarm after this long, in milliseconds. */
const REDRIVE_MS = 10_000;
/** A QUEUED row that nobody applied is driven by the alarm after this long. */
const SWEEP_MS = 30_000;

/** A row for a posting, as it is before it is written. */
export function rowOf(
  made: Pick<Row, "posting" | "operationKey" | "fingerprint" | "createdAt">,
): Row {
  const { posting } = made;
  const scheduled = scheduledMs(posting);
  return {
    ...made,
    seq: 0,
    attempt: crypto.randomUUID().slice(0, 8),
    claims: [],
    coordinator: null,
    decision: null,
    status: posting.skipQueue ? "PENDING" : scheduled === null ? "QUEUED" : "SCHEDULED",
    metaData: posting.metaData,
    revision: 1,
    work: Work.Drive | Work.Project | Work.Announce,
    outcome: null,
    rejectionReason: "",
    dueMs: scheduled ?? Date.now() + (posting.skipQueue ? REDRIVE_MS : SWEEP_MS),
    doubt: false,
  };
}

export const needs = (row: Row, work: number): boolean => (row.work & work) !== 0;

/** Whether nothing is left to do for it, unless a timer of its hold is running: then it need not be in memory. */
export const isAtRest = (row: Row): boolean =>
  !needs(row, Work.Drive | Work.Project | Work.Announce | Work.Shadow);

/** Whether the saga still has to run; a SCHEDULED row waits for its time. */
export const isUnfinished = (row: Row): boolean => needs(row, Work.Drive);

/** Whether its time has come as well: by its date, whenever it is looked at. */
export const isDrivable = (row: Row, nowMs: number): boolean =>
  isUnfinished(row) &&
  (row.status !== "SCHEDULED" || (scheduledMs(row.posting) ?? row.dueMs) <= nowMs);

/**
 * Whether nobody may be told of the row before it was driven: it is hidden, or an earlier life left it unfinished on disk
 * and may have finished it in memory, and said so.
 */
export const isHalfDone = (row: Row, nowMs: number): boolean =>
  isDrivable(row, nowMs) && (isHidden(row) || row.doubt);

/** Whether clients must wait for the row: its outcome decides what they see. */
export const isHidden = (row: Row): boolean => row.status === "PENDING" || row.status === "CLAIMED";

/** The states that clients and D1 know; a row that nobody may see yet counts as QUEUED. */
const shownStatus = (status: RowStatus): TransactionStatus =>
  status === "PENDING" || status === "CLAIMED" || status === "POINTER" ? "QUEUED" : status;

/** Whether the row is a record, and not only a reference that leads to one. */
export const isRecord = ({ posting }: Row): boolean => posting.kind !== "pointer";

/** Whether metadata would be longer than it may be, or the row with it. */
export const isTooLong = ({ posting, claims }: Row, metaData: string): boolean =>
  brokenMetaData(metaData) !== null ||
  isTooLongForRow({ posting, legs: claims.map((claim) => claim.posting) }, metaData);

/** The record as clients see it. `remaining` is what is left of a hold, null for all others. */
export function toTransaction(row: Row, remaining: bigint | null): Transaction {
  const { posting, outcome } = row;
  return {
    ...posting,
    status: shownStatus(row.status),
    createdAt: row.createdAt,
    effectiveDate: posting.effectiveDate ?? row.createdAt,
    metaData: row.metaData,
    inflightRemaining: row.status === "INFLIGHT" ? remaining : null,
    rejectionReason: row.rejectionReason,
    sourceVersion: outcome?.sourceVersion ?? null,
    destinationVersion: outcome?.destinationVersion ?? null,
    revision: row.revision,
  };
}
