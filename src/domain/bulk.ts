import type { BatchOptions } from "./batch";
import { type LedgerError, refusal } from "./error";
import type { BatchId } from "./ids";
import { mergeMetaData } from "./metadata";
import { type PostingRequest, postingOf } from "./posting";
import { err, ok, type Result } from "./result";
import type { Posting } from "./transaction";

/** How many items a batch has at most. */
export const BATCH_MAX = 10_000;
/** How many characters all references, currencies, sources and destinations of a batch have at most together. */
const NAMES_MAX = 6_000_000;

/** Why a list of so many items is no batch, or null (contract/transactions.md section 5.2). */
export function brokenCount(count: number): LedgerError | null {
  if (count === 0) return refusal("TXN_BULK_EMPTY", "transactions cannot be empty");
  if (count <= BATCH_MAX) return null;
  return refusal("TXN_BULK_LIMIT_EXCEEDED", `a batch has ${BATCH_MAX} transactions at most`);
}

/**
 * The items of a batch under the rules of single transactions, each with its place as `sequence`; or the first that
 * breaks a rule, named by its index. A missing item is null. What the batch says of holds and the queue wins.
 */
export function batchItems(
  instance: string,
  {
    batchId,
    options,
    requests,
  }: {
    readonly batchId: BatchId;
    readonly options: BatchOptions;
    readonly requests: readonly (PostingRequest | null)[];
  },
): Result<Posting[]> {
  const items: Posting[] = [];
  let names = 0;
  for (const [index, request] of requests.entries()) {
    const item = request === null ? err(missing) : itemOf(instance, request, options);
    if (!item.ok) return err(ofItem(index, item.error));
    names += namesOf(item.value);
    const metaData = mergeMetaData(item.value.metaData, `{"sequence":${index + 1}}`);
    items.push({ ...item.value, parentTransaction: batchId, metaData });
  }
  if (names <= NAMES_MAX) return ok(items);
  const message = `references, currencies, sources and destinations are longer than ${NAMES_MAX} characters in all`;
  return err(refusal("TXN_VALIDATION_ERROR", message));
}

function itemOf(
  instance: string,
  request: PostingRequest,
  { atomic, inflight, skipQueue }: BatchOptions,
): Result<Posting> {
  const split = postingOf(instance, { ...request, inflight, skipQueue });
  if (!split.ok) return split;
  const { posting, legs } = split.value;
  if (legs.length > 0) {
    return err(bad("a transaction of a batch has one source and one destination"));
  }
  if (atomic && !skipQueue && posting.scheduledFor !== "") {
    return err(bad("scheduled_for: a batch that is all or nothing has no transactions for later"));
  }
  return ok(posting);
}

const missing: LedgerError = refusal("TXN_VALIDATION_ERROR", "is required");

const bad = (message: string): LedgerError => refusal("TXN_VALIDATION_ERROR", message);

/** The refusal of one item: nothing of its batch is carried out. */
function ofItem(index: number, { code, message }: LedgerError): LedgerError {
  const separator = message === missing.message ? " " : ": ";
  return {
    ...refusal(code, `transactions[${index}]${separator}${message}`, { index }),
    shownAs: "errors",
  };
}

const namesOf = ({ reference, currency, source, destination }: Posting): number =>
  reference.length + 2 * currency.length + nameOf(source).length + nameOf(destination).length;

const nameOf = ({ indicator, balanceId }: Posting["source"]): string => indicator ?? balanceId;
