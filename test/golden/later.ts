import { isJsonObject } from "../support/exact-json";
import type { Step } from "./scenario";

/** Routes that are not built yet. */
const laterRoutes = [/^\/accounts/, /^\/balance-monitors/, /^\/reconciliation\//];

/** Whether a step asks for something that is not built yet: a route, or a dry run. */
export function isLater({ request }: Step): boolean {
  if (request === undefined) return false;
  const isDryRun = isJsonObject(request.body) && request.body.dry_run === true;
  return isDryRun || laterRoutes.some((route) => route.test(request.path));
}
