/** Rows written by balance objects, journal objects and D1; alarms set, which are billed as rows of their object. */
export interface Rows {
  readonly balances: number;
  readonly journal: number;
  readonly d1: number;
  readonly alarms: number;
}

/** Everything else that Cloudflare bills. */
export interface Usage {
  /** Requests over HTTP, and batches that a queue delivered. */
  readonly workerRequests: number;
  /** Calls to objects, and alarms that rang. */
  readonly objectRequests: number;
  /** Milliseconds in which an object was at a call, whether it computed or waited: calls at the same time count once. */
  readonly objectActiveMs: number;
  readonly rowsRead: number;
  /** Messages sent, a second time for each further 64 KB. */
  readonly queueMessages: number;
}

export type Counters = Rows & Usage;

const names: readonly (keyof Counters)[] = [
  "balances",
  "journal",
  "d1",
  "alarms",
  "workerRequests",
  "objectRequests",
  "objectActiveMs",
  "rowsRead",
  "queueMessages",
];

/** Counters that are made of one figure each. */
export const countersOf = (figure: (name: keyof Counters) => number): Counters =>
  Object.fromEntries(names.map((name) => [name, figure(name)])) as Record<keyof Counters, number>;

/** What each of `transfers` counted on average between two readings. */
export const perTransfer = (before: Counters, after: Counters, transfers: number): Counters =>
  countersOf((name) => (after[name] - before[name]) / transfers);

/** Rows written in all. */
export const rowsOf = ({ balances, journal, d1, alarms }: Rows): number =>
  balances + journal + d1 + alarms;
