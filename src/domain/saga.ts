import type { Action } from "./balance";
import type { Posting, TransactionStatus } from "./transaction";

/** What a record does to its two balances: the same action on each side. */
export function actionOf(posting: Posting): Action {
  switch (posting.kind) {
    case "commit":
      return "commit";
    case "void":
      return "void";
    case "post":
    case "refund":
    case "split":
    case "pointer":
      return posting.inflight ? "hold" : "apply";
  }
}

/** The state of a record once both balances have taken it. */
export function settledStatus(
  posting: Posting,
): Extract<TransactionStatus, "APPLIED" | "INFLIGHT" | "VOID"> {
  switch (actionOf(posting)) {
    case "apply":
    case "commit":
      return "APPLIED";
    case "hold":
      return "INFLIGHT";
    case "void":
      return "VOID";
  }
}

/** Whether a record follows from a hold, so that its money was reserved before. */
export const settlesHold = (posting: Posting): boolean =>
  posting.kind === "commit" || posting.kind === "void";
