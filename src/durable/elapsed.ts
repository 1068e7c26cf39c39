/**
 * Milliseconds since a moment, by a clock that may be set back: what it says lies ahead counts as long ago, so that nobody
 * waits for a clock to come back to where it was.
 */
export const elapsedMs = (sinceMs: number, nowMs: number): number =>
  nowMs < sinceMs ? Number.POSITIVE_INFINITY : nowMs - sinceMs;
