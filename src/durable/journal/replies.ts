import { type LedgerError, refusal } from "../../domain/error";
import type { Transaction } from "../../domain/transaction";
import type { OperationKey, Recorded } from "./protocol";
import type { Records } from "./records";
import type { Row } from "./row";

/** Stored before a key that the client sent; a key of ours starts otherwise. */
export const CLIENT_KEY = "client:";
const OWN_KEY = "own:";

/** A key as rows carry it: what a client sends never meets a key of ours. */
export const storedKey = ({ key, fromClient }: OperationKey): string =>
  `${fromClient ? CLIENT_KEY : OWN_KEY}${key}`;

/** A refusal as a reply. */
export const refuse = (error: LedgerError, replayed = false) =>
  ({ ok: false, error, replayed }) as const;

/** A value as a reply. */
export const reply = <T>(value: T, replayed = false) => ({ ok: true, value, replayed }) as const;

/** The refusal of a key that was used with another request before. */
export const keyReused = (): LedgerError =>
  refusal("GEN_IDEMPOTENCY_MISMATCH", "the Idempotency-Key was used before with another request");

/** Seconds after which to send again: places are free soon, a backlog is gone later. */
const RETRY_AFTER_SECONDS = { soon: 1, later: 5 } as const;

/** The refusal of what there is no room for. It promises that nothing of it was written. */
export const overloaded = (why: string, again: keyof typeof RETRY_AFTER_SECONDS): LedgerError => ({
  ...refusal("GEN_OVERLOADED", `${why}: nothing was done, send the same request again`),
  retryAfterSeconds: RETRY_AFTER_SECONDS[again],
});

/** The request outlasted its patience: the record lives on, and the same request finds out. */
export const unknownOutcome = () =>
  refuse(
    refusal("GEN_OUTCOME_UNKNOWN", "the outcome is not known yet: send the same request again"),
  );

/** The record as its first answer showed it: a queued one had not moved yet. */
export function firstAnswer(row: Row, records: Records): Transaction {
  const shown = records.shown(row);
  const { posting } = row;
  if (posting.skipQueue) {
    const first = {
      metaData: posting.metaData,
      inflightRemaining: shown.status === "INFLIGHT" ? posting.preciseAmount : null,
    };
    // Nearly always it is shown as it was, and need not be copied.
    const isAsFirst =
      shown.metaData === first.metaData && shown.inflightRemaining === first.inflightRemaining;
    return isAsFirst ? shown : { ...shown, ...first };
  }
  return {
    ...shown,
    metaData: posting.metaData,
    status: posting.scheduledFor === "" ? "QUEUED" : "SCHEDULED",
    inflightRemaining: null,
    rejectionReason: "",
    sourceVersion: null,
    destinationVersion: null,
  };
}

/** What of a record its recording answers. */
export function recordedOf(transaction: Transaction): Recorded {
  return {
    status: transaction.status,
    createdAt: transaction.createdAt,
    effectiveDate: transaction.effectiveDate,
    metaData: transaction.metaData,
    inflightRemaining: transaction.inflightRemaining,
    rejectionReason: transaction.rejectionReason,
    sourceVersion: transaction.sourceVersion,
    destinationVersion: transaction.destinationVersion,
    revision: transaction.revision,
  };
}
