import { holdTimer, scheduledMs } from "../../domain/timer";
import type { StoredRow } from "./open-rows";
import { needs, type Row, Work } from "./row";

/** No row is to be looked at later than this from now, in milliseconds, unless it has a date. */
const SOON_MS = 60_000;

const ALL_WORK = Work.Drive | Work.Project | Work.Announce | Work.Timer | Work.Shadow;

/**
 * What is wrong with how a row waits for its work: nothing of this version writes it so. What is begun is looked at again within
 * a minute; only a schedule and a hold's timer wait for longer, and exactly for their dates.
 */
export function waitingFaults(stored: StoredRow, row: Row, nowMs: number): string[] {
  const faults: string[] = [];
  const { waits, work } = stored;
  if ((waits !== 0 && waits !== 1) || (waits === 1 && work === 0)) {
    faults.push("it is on the list of what waits, and waits for nothing");
  }
  if ((work & ~ALL_WORK) !== 0) faults.push("it has work left that there is not");
  if (needs(row, Work.Timer) && row.status !== "INFLIGHT") faults.push("it has a timer of no hold");
  if (needs(row, Work.Shadow) && !hasShadowsToMake(row)) faults.push("it has no shadows to make");
  if (!isDueAsItShould(row, nowMs)) faults.push("it is looked at at another time than its date");
  return faults;
}

/** Whether what tells of its end agrees with it: reasons are those of refusals, and splits do what they decided. */
export function hasItsEnd({ posting, status, work, decision, rejectionReason }: Row): boolean {
  const isRejected = status === "REJECTED";
  if (!isRejected && rejectionReason !== "") return false;
  if ((work & Work.Drive) !== 0) return true;
  if (posting.kind === "split") return decision !== null && decision.commit === !isRejected;
  return decision === null || (isRejected && !decision.commit);
}

const hasShadowsToMake = ({ outcome }: Row): boolean =>
  outcome?.traced !== undefined && outcome.shadows === undefined;

function isDueAsItShould(row: Row, nowMs: number): boolean {
  const { posting, status, dueMs } = row;
  const soonMs = nowMs + SOON_MS;
  if (status === "SCHEDULED") return dueMs === scheduledMs(posting);
  const timerMs = holdTimer(posting)?.atMs ?? null;
  if (status === "INFLIGHT" && posting.kind !== "split" && timerMs !== null) {
    // One whose time has come may be let go.
    if (!needs(row, Work.Timer) && timerMs > soonMs) return false;
    if (needs(row, Work.Timer) && dueMs !== timerMs) {
      return needs(row, Work.Shadow) && dueMs <= Math.min(soonMs, timerMs);
    }
  }
  return dueMs <= soonMs || dueMs === timerMs || dueMs === scheduledMs(posting);
}
