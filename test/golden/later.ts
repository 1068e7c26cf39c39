import type { Step } from "./scenario";

/** What is not built yet. */
const laterRoutes = [/^\/accounts/, /^\/balance-monitors/, /^\/reconciliation\//];

/** Whether a step asks for a route that is not built yet. */
export const isLater = ({ request }: Step): boolean =>
  request !== undefined && laterRoutes.some((route) => route.test(request.path));
