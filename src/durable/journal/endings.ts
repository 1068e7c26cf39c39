import type { LedgerError } from "../../domain/error";
import { settledStatus } from "../../domain/saga";
import { holdTimer } from "../../domain/timer";
import { CLIENT_KEY } from "./replies";
import { type Outcome, type Row, Work } from "./row";
import type { JournalStore } from "./store";

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
  const timer = row.status === "INFLIGHT" ? holdTimer(row.posting) : null;
  if (timer === null) return;
  row.work |= Work.Timer;
  row.dueMs = timer.atMs;
}

/**
 * Writes a refusal: a queued record stays as REJECTED, a synchronous one frees its reference. Inside a transaction,
 * and before anybody hears of it: a refusal in memory alone could turn into a success.
 */
export function writeRefusal(store: JournalStore, row: Row, error: LedgerError): void {
  if (row.posting.skipQueue) {
    store.free(row);
    if (row.operationKey.startsWith(CLIENT_KEY)) {
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
