import type { LedgerError } from "../../domain/error";
import type { Traced } from "../../domain/lineage";
import { settledStatus } from "../../domain/saga";
import { withAllocation } from "../../domain/shadow";
import { holdTimer } from "../../domain/timer";
import { CLIENT_KEY } from "./replies";
import { type Outcome, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** Shadows that were not made are tried again after this long, in milliseconds. */
const SHADOW_MS = 10_000;

/**
 * Both balances have taken the record. In memory only: until the flusher writes it, a crash re-drives the row
 * to this same end.
 */
export function succeed(row: Row, outcome: Outcome): void {
  row.status = settledStatus(row.posting);
  row.outcome = outcome;
  row.revision += 1;
  row.work = (row.work & ~Work.Drive) | Work.Project | Work.Announce;
  row.doubt = false;
  if (outcome.traced !== undefined) tell(row, outcome.traced);
  const timer = row.status === "INFLIGHT" ? holdTimer(row.posting) : null;
  if (timer === null) return;
  row.work |= Work.Timer;
  // Whose money it was is told first, but its time does not wait for that.
  row.dueMs = outcome.traced === undefined ? timer.atMs : Math.min(row.dueMs, timer.atMs);
}

/** It is known whose money it was: clients are told, and shadow balances are to be. */
function tell(row: Row, { released }: Traced): void {
  row.work |= Work.Shadow;
  row.dueMs = Date.now() + SHADOW_MS;
  if (released.length > 0 && row.posting.kind !== "void") {
    row.metaData = withAllocation(row.metaData, released);
  }
}

/**
 * Writes a refusal: a queued record stays as REJECTED, a synchronous one frees its reference. Inside a transaction,
 * and before anybody hears of it: a refusal in memory alone could turn into a success.
 */
export function writeRefusal(store: JournalStore, row: Row, error: LedgerError): void {
  if (row.posting.skipQueue) {
    store.free(row);
    // What was refused for a passing reason is tried again when it is sent again.
    const isPassing = error.code === "GEN_OVERLOADED";
    if (!isPassing && row.operationKey.startsWith(CLIENT_KEY)) {
      store.rememberRefusal(row.operationKey, error, Date.now());
    }
    return;
  }
  row.status = "REJECTED";
  row.rejectionReason = error.message;
  row.revision += 1;
  row.work = (row.work & ~Work.Drive) | Work.Project | Work.Announce;
  row.doubt = false;
  store.save(row);
}

/** Writes the metadata that a merge has left a record with; D1 is still to be told. */
export function writeMerged(store: JournalStore, row: Row, metaData: string): void {
  row.metaData = metaData;
  row.revision += 1;
  row.work |= Work.Project;
  store.save(row);
}
