/** Rows written by balance objects, journal objects and D1; alarms set, which are billed as rows of their object. */
export interface Rows {
  readonly balances: number;
  readonly journal: number;
  readonly d1: number;
  readonly alarms: number;
}

/** The same for one transfer, with their sum. */
export interface RowsPerTransfer extends Rows {
  readonly all: number;
}

/** What each of `transfers` wrote on average between two readings of the counters. */
export function perTransfer(before: Rows, after: Rows, transfers: number): RowsPerTransfer {
  const share = (name: keyof Rows) => Number(((after[name] - before[name]) / transfers).toFixed(2));
  const [balances, journal, d1, alarms] = [
    share("balances"),
    share("journal"),
    share("d1"),
    share("alarms"),
  ];
  return { balances, journal, d1, alarms, all: balances + journal + d1 + alarms };
}
