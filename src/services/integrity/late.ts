/** A transaction that is not at its end this long after its time is overdue, in milliseconds. */
export const LATE_MS = 120_000;
