import { type LedgerError, refusal } from "./error";
import { balancesOf, type Preview, totalOf } from "./preview";
import {
  type Books,
  carriedOut,
  carryOut,
  isCovered,
  type Rule,
  refusalOf,
  refusedBy,
} from "./projection";
import { err, ok, type Result } from "./result";
import { settledStatus, settlesHold } from "./saga";
import type { Posting, Transaction } from "./transaction";

/** What follows from records: commits, voids or refunds, each with the record that it follows from. */
export interface FollowUps {
  readonly operation: "commit" | "void" | null;
  /** Records that are carried out first, because they are still QUEUED. */
  readonly waiting: readonly Transaction[];
  readonly moves: readonly { readonly from: Transaction; readonly posting: Posting }[];
  /** The reference of a single one, "" when it is not known before. */
  readonly reference: string;
  readonly notes: readonly string[];
}

/** Stands for balances and holds that were read at different moments: to be read again. */
export const OUT_OF_STEP = Symbol("balances and holds were read at different moments");

const FIRST_CARRIED_OUT =
  "the transaction is still queued: it is carried out first in this preview";

/**
 * What commits, voids or refunds would do to balances. They were decided before, so only a record that is still QUEUED can
 * stand in their way: then the refusal says so.
 */
export function previewFollowUps(
  { operation, waiting, moves, reference, notes }: FollowUps,
  books: Books,
): Result<Preview> | typeof OUT_OF_STEP {
  const begun = begin(books, waiting, operation);
  if (begun === OUT_OF_STEP) return begun;
  if (!begun.ok) return begun;
  const postings = moves.map(({ posting }) => posting);
  const [first] = postings;
  if (first === undefined) return err(refusal("TXN_NOT_FOUND", "there is nothing to preview"));
  if (operation !== null && !isCovered(begun.value, postings)) return OUT_OF_STEP;
  const { currency, precision } = first;
  return ok({
    refused: null,
    operation,
    status: settledStatus(first),
    reference,
    currency,
    ...totalOf(
      postings.map(({ preciseAmount }) => preciseAmount),
      precision,
    ),
    precision,
    balances: balancesOf(postings, books, carriedOut(begun.value, postings)),
    legs:
      moves.length === 1
        ? []
        : moves.map(({ from, posting }) => ({
            identifier: from.transactionId,
            role: "source",
            preciseAmount: posting.preciseAmount,
            amount: posting.amount,
          })),
    notes: waiting.length === 0 ? notes : [...notes, FIRST_CARRIED_OUT],
  });
}

/** A commit, void or refund that is refused: nothing is known of its money (contract/transactions.md section 9.1). */
export const refusedFollowUp = (
  operation: "commit" | "void" | null,
  error: LedgerError,
): Preview => ({
  refused: refusedBy(ruleOf(error), error),
  operation,
  status: null,
  reference: "",
  currency: "",
  amount: "0",
  preciseAmount: 0n,
  precision: 0n,
  balances: [],
  legs: [],
  notes: [],
});

/** The balances once the records that are still QUEUED were carried out, or why one of them would not be. */
function begin(
  books: Books,
  waiting: readonly Posting[],
  operation: FollowUps["operation"],
): Result<Books> | typeof OUT_OF_STEP {
  const now = new Map(books);
  for (const posting of waiting) {
    if (settlesHold(posting)) {
      if (!isCovered(now, [posting])) return OUT_OF_STEP;
    } else {
      const refused = refusalOf(now, posting);
      if (refused !== null) {
        const message = `the transaction is still queued and would be rejected: ${refused.error.message}`;
        // A refund finds nothing that had moved.
        return err(refusal(operation === null ? "TXN_NOT_FOUND" : "TXN_NOT_INFLIGHT", message));
      }
    }
    carryOut(now, posting);
  }
  return ok(now);
}

function ruleOf({ code }: LedgerError): Rule {
  const isAboutAmount =
    code === "TXN_COMMIT_AMOUNT_EXCEEDED" ||
    code === "TXN_INVALID_AMOUNT" ||
    code === "GEN_BAD_REQUEST";
  return isAboutAmount ? "amount" : "state";
}
