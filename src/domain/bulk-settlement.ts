import { type LedgerError, type LedgerErrorCode, refusal } from "./error";

/** How many holds one call commits or voids at most. */
export const SETTLE_MAX = 100;

/** What became of one of many commits or voids (contract/transactions.md section 7.6). */
export interface SettledItem {
  readonly id: string;
  readonly status: "queued" | "succeeded" | "failed";
  /** "" for one that succeeded. */
  readonly code: SettleCode;
  /** "" when there is nothing to say. */
  readonly message: string;
}

export type SettleCode =
  | ""
  | "QUEUED"
  | "ALREADY_QUEUED"
  | "NOT_FOUND"
  | "ALREADY_COMMITTED"
  | "ALREADY_VOIDED"
  | "NOT_INFLIGHT"
  | "INVALID_AMOUNT"
  | "LOCKED"
  | "INTERNAL_ERROR";

const CODES: Partial<Record<LedgerErrorCode, SettleCode>> = {
  TXN_NOT_FOUND: "NOT_FOUND",
  TXN_ALREADY_COMMITTED: "ALREADY_COMMITTED",
  TXN_ALREADY_VOIDED: "ALREADY_VOIDED",
  TXN_NOT_INFLIGHT: "NOT_INFLIGHT",
  TXN_COMMIT_AMOUNT_EXCEEDED: "INVALID_AMOUNT",
  TXN_INVALID_AMOUNT: "INVALID_AMOUNT",
  GEN_BAD_REQUEST: "INVALID_AMOUNT",
};

/** Why a list of so many is refused, or null. `name` is what the client calls it. */
export function brokenSettleCount(name: string, count: number): LedgerError | null {
  if (count === 0) return refusal("TXN_BULK_EMPTY", `${name} cannot be empty`);
  if (count <= SETTLE_MAX) return null;
  return refusal("TXN_BULK_LIMIT_EXCEEDED", `${name}: ${SETTLE_MAX} at most`);
}

/** One that was carried out, or went into the queue. */
export const settledItem = (id: string, queued: boolean): SettledItem =>
  queued
    ? { id, status: "queued", code: "QUEUED", message: "" }
    : { id, status: "succeeded", code: "", message: "" };

/** One that was refused. Another that waits in the queue already is as good. */
export function refusedItem(id: string, { code, message }: LedgerError): SettledItem {
  if (code === "GEN_CONFLICT") return { id, status: "queued", code: "ALREADY_QUEUED", message };
  return { id, status: "failed", code: CODES[code] ?? "INTERNAL_ERROR", message };
}

/** One that stood in the list before: it is carried out once. */
export function repeatedItem(first: SettledItem): SettledItem {
  const { id } = first;
  const message = "the transaction stands in the list twice: the first one counts";
  if (first.status === "queued") return { id, status: "queued", code: "ALREADY_QUEUED", message };
  return { id, status: "failed", code: "LOCKED", message };
}
