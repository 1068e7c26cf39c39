import { parseJson, stringifyJson } from "./json";
import { ALLOCATION_KEY } from "./lineage";
import type { MetaDataText } from "./metadata";
import type { Posting, Transaction } from "./transaction";

/**
 * Keys of `meta_data` that the ledger itself writes or acts on in Blnk (contract/transactions.md section 1.1). A client
 * cannot set them, except for `BLNK_LINEAGE_PROVIDER`, which is why that one is not here.
 */
const RESERVED_KEYS: ReadonlySet<string> = new Set([
  "inflight",
  "atomic",
  "allow_overdraft",
  "QUEUED_PARENT_TRANSACTION",
  "sequence",
  "queue_lane",
  "queue_pair_key",
  "blnk_rejection_reason",
  "recovery_attempts",
  "recovery_status",
  "recovery_last_attempt",
  ALLOCATION_KEY,
  "BLNK_GENERATED_BY",
  "_shadow_for",
  "_provider",
  "_identity_id",
  "_lineage_type",
  "_main_balance",
  "_from_balance",
  "_allocation",
]);

/** A client's metadata without the keys that are the ledger's own; null when nothing is left. */
export function withoutReservedKeys(metaData: MetaDataText): MetaDataText | null {
  const kept = Object.entries(asObject(metaData)).filter(([key]) => !RESERVED_KEYS.has(key));
  return kept.length === 0 ? null : stringifyJson(Object.fromEntries(kept));
}

/** Who looks: the client that posts, one that reads the record later, or the receiver of an event. */
export type View = "answer" | "read" | "event";

/** What a queued transaction carries from the start: the id that its client holds, or its batch's. */
export function queueMarks(posting: Posting): { readonly [key: string]: string } {
  const { parentTransaction, transactionId, group, source, destination, currency } = posting;
  return {
    QUEUED_PARENT_TRANSACTION:
      group === null && !parentTransaction.startsWith("bulk_") ? transactionId : parentTransaction,
    queue_lane: "normal",
    queue_pair_key: `${source.balanceId}|${destination.balanceId}|${currency.toUpperCase()}`,
  };
}

/**
 * The metadata that is shown: the client's own keys and the ledger's (contract/transactions.md sections 1.1 and 17),
 * or undefined when there are none. `inflight` is for events alone.
 */
export function shownMetaData(
  transaction: Transaction,
  view: View,
): { readonly [key: string]: unknown } | undefined {
  const shown = {
    ...ownKeys(transaction, view),
    ...flagsOf(transaction, view),
    ...(isQueued(transaction) ? marksShown(transaction, view) : {}),
    ...(transaction.rejectionReason === ""
      ? {}
      : { blnk_rejection_reason: transaction.rejectionReason }),
  };
  return Object.keys(shown).length === 0 ? undefined : shown;
}

/** As in Blnk (scenario lineage), whose money was spent is not in the answer to the request that spent it. */
function ownKeys({ metaData }: Posting, view: View): object {
  const keys = asObject(metaData);
  if (view !== "answer" || !(ALLOCATION_KEY in keys)) return keys;
  return Object.fromEntries(Object.entries(keys).filter(([key]) => key !== ALLOCATION_KEY));
}

/** Commits and voids go their own way, even when they wait in the queue. */
const isQueued = ({ kind, skipQueue }: Posting): boolean =>
  !skipQueue && (kind === "post" || kind === "refund" || kind === "split");

function marksShown(posting: Posting, view: View): { readonly [key: string]: string } {
  const { QUEUED_PARENT_TRANSACTION = "", ...lane } = queueMarks(posting);
  return view === "answer" ? { QUEUED_PARENT_TRANSACTION } : { QUEUED_PARENT_TRANSACTION, ...lane };
}

function flagsOf(posting: Posting, view: View): { readonly [key: string]: true } {
  return {
    ...(posting.allowOverdraft ? { allow_overdraft: true } : {}),
    ...(posting.atomic ? { atomic: true } : {}),
    ...(posting.inflight && view === "event" ? { inflight: true } : {}),
  };
}

function asObject(metaData: MetaDataText | null): object {
  const value = metaData === null ? null : parseJson(metaData);
  return typeof value === "object" && value !== null ? value : {};
}
