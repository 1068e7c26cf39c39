import { BALANCE_MUTANTS } from "./mutants/balances.ts";
import { GROUP_MUTANTS } from "./mutants/groups.ts";
import { LINEAGE_MUTANTS } from "./mutants/lineage.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { OUTWARD_MUTANTS } from "./mutants/outward.ts";
import { TRANSACTION_MUTANTS } from "./mutants/transactions.ts";

export type { Edit, Mutant } from "./mutants/mutant.ts";

/** All mutants; the laws are those that docs/testing.md lists. */
export const MUTANTS: readonly Mutant[] = [
  ...BALANCE_MUTANTS,
  ...TRANSACTION_MUTANTS,
  ...GROUP_MUTANTS,
  ...OUTWARD_MUTANTS,
  ...LINEAGE_MUTANTS,
];

/** Those that the simulation must notice: `npm run simulate -- --canary`. */
export const CANARY: readonly Mutant[] = MUTANTS.filter(({ canary }) => canary === true);
