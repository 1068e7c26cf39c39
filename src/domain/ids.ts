import { sha256Hex } from "./digest";
import { invariant } from "./invariant";

export type TransactionId = `txn_${string}`;
export type BatchId = `bulk_${string}`;
export type BalanceId = `bln_${string}`;
export type LedgerId = `ldg_${string}` | typeof GENERAL_LEDGER_ID;
export type IdentityId = `idt_${string}`;

/** The ledger that exists from the start and holds every `@indicator` balance. */
export const GENERAL_LEDGER_ID = "general_ledger_id";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LEADING_TRANSACTION_ID =
  /^txn_([0-9a-f]{2})[0-9a-f]{6}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_/;
const SETTLEMENT_REFERENCE =
  /^ref_([0-9a-f]{2})[0-9a-f]{6}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const isIdOf = (prefix: string, text: string): boolean =>
  text.startsWith(prefix) && UUID.test(text.slice(prefix.length));

/** Whether the text has the form of a transaction id. An id of another form cannot exist. */
export const isTransactionId = (text: string): text is TransactionId => isIdOf("txn_", text);

/** Whether the text has the form of a batch id. */
export const isBatchId = (text: string): text is BatchId => isIdOf("bulk_", text);

/** Whether the text has the form of a balance id. */
export const isBalanceId = (text: string): text is BalanceId => isIdOf("bln_", text);

/** Whether the text names a balance by its indicator (`@world`) and not by its id. */
export const isIndicator = (text: string): boolean => text.startsWith("@");

/** SHA-256 of the JSON array of the parts, in hexadecimal: no two lists of parts share a digest input. */
function digestOf(...parts: readonly string[]): string {
  return sha256Hex(JSON.stringify(parts));
}

/** The first 16 bytes as a UUID of version 8 (RFC 9562), its first byte replaced when one is given. */
function uuidV8(digest: string, firstByte?: string): string {
  const variant = "89ab"[Number.parseInt(digest.charAt(16), 16) & 3];
  return `${firstByte ?? digest.slice(0, 2)}${digest.slice(2, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/**
 * The id of the transaction with this reference: the same reference always has the same id, whoever asks.
 * A reference that starts with a transaction id, or that a settlement was given, belongs to that id's shard.
 */
export function transactionIdOf(instance: string, reference: string): TransactionId {
  const derived = LEADING_TRANSACTION_ID.exec(reference) ?? SETTLEMENT_REFERENCE.exec(reference);
  return `txn_${uuidV8(digestOf(instance, reference), derived?.[1])}`;
}

/** The reference of a settlement made by one operation under a hold; its first byte is the hold's. */
export function settlementReference(parent: TransactionId, operationKey: string): string {
  return `ref_${uuidV8(digestOf("settlement", parent, operationKey), firstByteOf(parent))}`;
}

/** The id of a split's leg: in the shard of its parent, so that one write decides for all of them. */
export const legIdOf = (
  instance: string,
  parent: TransactionId,
  reference: string,
): TransactionId =>
  `txn_${uuidV8(digestOf("leg", instance, parent, reference), firstByteOf(parent))}`;

/** The reference of the refund of a whole transaction: there is one, so there is one reference. */
export const refundReference = (refunded: TransactionId): string => `${refunded}_refund`;

/** The reference of a refund of a part, made by one operation: it routes to the shard of what it refunds. */
export const partialRefundReference = (refunded: TransactionId, operationKey: string): string =>
  `${refunded}_refund_${uuidV8(digestOf("refund", refunded, operationKey))}`;

/** The first byte of the id, which names its shard. */
export function shardByte(id: TransactionId | BalanceId | BatchId): number {
  const start = id.indexOf("_") + 1;
  const byte = Number.parseInt(id.slice(start, start + 2), 16);
  invariant(byte >= 0 && byte <= 255, "an id starts with a byte in hexadecimal");
  return byte;
}

/** The same in hexadecimal. */
const firstByteOf = (id: TransactionId): string => shardByte(id).toString(16).padStart(2, "0");

/** The shard, 0 to `shards` − 1, that holds what has this id. `shards` divides 256. */
export const shardOf = (id: TransactionId | BalanceId | BatchId, shards: number): number =>
  shardByte(id) % shards;

/** The shard where an idempotency key is claimed. */
export const shardOfKey = (instance: string, key: string, shards: number): number =>
  Number.parseInt(digestOf("idempotency", instance, key).slice(0, 2), 16) % shards;

/** A UUID of a request that the client named: what it makes has the same id when it is sent again. */
export const uuidOfKey = (instance: string, key: string, use: string): string =>
  uuidV8(digestOf("idempotency", instance, key, use));

/** The id of an `@indicator` balance: first use needs no look-up and cannot race. */
export function indicatorBalanceId(
  instance: string,
  indicator: string,
  currency: string,
): BalanceId {
  return `bln_${uuidV8(digestOf("indicator", instance, indicator, currency))}`;
}

export { sha256Hex };
