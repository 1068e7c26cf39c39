import { type Counters, rowsOf } from "./rows.ts";

/** Cloudflare's list prices beyond what a plan includes, in dollars for a million. */
const prices = {
  workerRequests: 0.3,
  cpuMs: 0.02,
  objectRequests: 0.15,
  /** For a million GB-seconds. */
  duration: 12.5,
  rowsWritten: 1,
  rowsRead: 0.001,
  queueOperations: 0.4,
};

/** What an object is billed for while it is active, in GB, whatever it uses. */
const objectGb = 0.128;
/** A message is written, read and deleted. */
const operationsPerMessage = 3;

/** Dollars for a million transfers, by what they are for. */
export interface Cost {
  readonly requests: number;
  readonly cpu: number;
  readonly objects: number;
  readonly rowsWritten: number;
  readonly rowsRead: number;
  readonly queues: number;
  readonly all: number;
}

/** @param used what one transfer counted, and the milliseconds of CPU that the whole server took for it */
export function costOf(used: Counters & { readonly cpuMs: number }): Cost {
  const parts = {
    requests: used.workerRequests * prices.workerRequests,
    cpu: used.cpuMs * prices.cpuMs,
    objects:
      used.objectRequests * prices.objectRequests +
      (used.objectActiveMs / 1_000) * objectGb * prices.duration,
    rowsWritten: rowsOf(used) * prices.rowsWritten,
    rowsRead: used.rowsRead * prices.rowsRead,
    queues: used.queueMessages * operationsPerMessage * prices.queueOperations,
  };
  return { ...parts, all: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
