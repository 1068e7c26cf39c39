import { millisOf, parseInstant, ZERO_TIME } from "./time";
import type { Posting } from "./transaction";

/** What a hold does by itself when its time comes. */
export interface HoldTimer {
  readonly action: "commit" | "void";
  readonly atMs: number;
}

const NO_TIME = parseInstant(ZERO_TIME);

/** Null for no date, which the zero time is too. What lies before 1970 is over as well in 1970: no moment is negative. */
const millisOfDate = (text: string): number | null => {
  const instant = text === "" ? null : parseInstant(text);
  return instant === null || instant === NO_TIME ? null : Math.max(0, millisOf(instant));
};

/** When a SCHEDULED transaction is carried out, in milliseconds since 1970; null when it is not scheduled. */
export const scheduledMs = (posting: Posting): number | null =>
  posting.skipQueue ? null : millisOfDate(posting.scheduledFor);

/** The timer of a hold that fires first; on a tie the void, so that nobody pays by accident. */
export function holdTimer(posting: Posting): HoldTimer | null {
  if (!posting.inflight) return null;
  const expiry = millisOfDate(posting.inflightExpiryDate);
  const commit = millisOfDate(posting.inflightCommitDate);
  if (expiry !== null && (commit === null || expiry <= commit)) {
    return { action: "void", atMs: expiry };
  }
  return commit === null ? null : { action: "commit", atMs: commit };
}
