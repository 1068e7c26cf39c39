import type { Step } from "./scenario";

/** A step whose recorded answer we do not want, and what we want instead. */
export interface WantedDifference {
  readonly scenario: string;
  /** Position of the step, from 1. */
  readonly step: number;
  readonly reason: string;
  /** Replaces or adds to what the step says. */
  readonly change: Partial<Step>;
}

/** The only answers of Blnk's that we do not give, each with its reason. */
export const wantedDifferences: readonly WantedDifference[] = [];

/** Routes that are not built yet: steps that ask them are left out. */
const laterRoutes = [
  /^\/accounts/,
  /^\/balance-monitors/,
  /^\/(?:ledgers|balances|identities)\/filter$/,
  /^\/reconciliation\//,
  /^\/transactions\/bulk$/,
  /^\/transactions\/inflight\/bulk\//,
];

/** Whether a step asks a route that is not built yet. */
export const isLater = ({ request }: Step): boolean =>
  request !== undefined && laterRoutes.some((route) => route.test(request.path));

/** The step as we want it to be answered. */
export function asWanted(scenario: string, step: Step, position: number): Step {
  const found = wantedDifferences.find(
    (difference) => difference.scenario === scenario && difference.step === position,
  );
  return found === undefined ? step : { ...step, ...found.change };
}
