import { refusal } from "../../domain/error";
import type { Transaction } from "../../domain/transaction";
import { CANCELLED } from "./driver";
import type { CancelRequest, Reply } from "./protocol";
import type { Records } from "./records";
import { refuse, reply } from "./replies";
import { type Driven, isHidden, type Row } from "./row";

/** What a cancellation needs of its shard. */
export interface CancelHost {
  readonly records: Records;
  /** Refuses a record that has not moved yet; waits, but not for ever, and throws when it is still not known. */
  cancel(row: Row): Promise<Driven>;
  /** Waits in the same way for a record to come to its own end. */
  drive(row: Row): Promise<Driven>;
}

/**
 * Cancels a QUEUED or SCHEDULED transaction: it becomes REJECTED and keeps its reference. What has moved, or moves
 * with something else, is refused. A repeat answers the same record.
 */
export async function cancelTransaction(
  { transactionId }: CancelRequest,
  { records, cancel, drive }: CancelHost,
): Promise<Reply<Transaction>> {
  let row = records.find(transactionId);
  // Nobody may be told of it yet: it may still be refused, and then there was none.
  while (row !== null && isHidden(row)) {
    await drive(row);
    row = records.find(transactionId);
  }
  if (row === null || row.posting.kind === "pointer") {
    return refuse(refusal("TXN_NOT_FOUND", `there is no transaction ${transactionId}`, {}));
  }
  const { kind, group } = row.posting;
  if ((kind !== "post" && kind !== "split") || group !== null) {
    const message = "the transaction follows another one: cancel that, or void or refund it";
    return refuse(refusal("GEN_CONFLICT", message));
  }
  if (row.status === "QUEUED" || row.status === "SCHEDULED") await cancel(row);
  const standing = records.find(transactionId);
  if (standing?.status === "REJECTED" && standing.rejectionReason === CANCELLED) {
    return reply(records.shown(standing));
  }
  return refuse(
    refusal("GEN_CONFLICT", "the transaction was carried out before it could be cancelled"),
  );
}
