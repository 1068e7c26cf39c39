import type { BalanceProfile } from "../domain/balance-record";
import type { EventName, LedgerEvent } from "../domain/event";
import { sha256Hex } from "../domain/ids";
import { invariant } from "../domain/invariant";
import { parseJson } from "../domain/json";
import { FIRST_VERSION } from "../domain/seal";
import { type Instant, showInstant, ZERO_TIME } from "../domain/time";
import type { Transaction, TransactionStatus } from "../domain/transaction";
import { canonicalJson } from "./json";
import { toTransactionBody } from "./transaction";

/** A balance that the event's cause touched, and the version that it had afterwards: so receivers can order and see gaps. */
interface TouchedBalance {
  readonly balance_id: string;
  readonly version: number;
}

const EVENT_BY_STATUS: Partial<Record<TransactionStatus, EventName>> = {
  APPLIED: "transaction.applied",
  INFLIGHT: "transaction.inflight",
  VOID: "transaction.void",
  REJECTED: "transaction.rejected",
};

/**
 * An event whose id is made of what it tells of: made again from the same record it is the same, byte for byte. Keys are
 * sorted (contract/transactions.md section 15), numbers keep every digit.
 */
function eventOf(
  event: EventName,
  cause: readonly string[],
  data: object,
  balances: readonly TouchedBalance[],
): LedgerEvent {
  const id = `evt_${sha256Hex(JSON.stringify([event, ...cause])).slice(0, 32)}`;
  const body = `{"id":${JSON.stringify(id)},"event":${JSON.stringify(event)},"data":${canonicalJson(data)},"balances":${JSON.stringify(balances)}}`;
  return { id, event, body };
}

/** Whether a transaction in this state is told of: QUEUED and SCHEDULED are not. */
export const hasEvent = ({ status }: Transaction): boolean => EVENT_BY_STATUS[status] !== undefined;

/** The event of a transaction that reached its state: `transaction.applied`, `.inflight`, `.void` or `.rejected`. */
export function transactionEvent(transaction: Transaction): LedgerEvent {
  const { transactionId, status, source, destination, preciseAmount } = transaction;
  const event = EVENT_BY_STATUS[status];
  invariant(event !== undefined, `a ${status} transaction has no event`);
  const balances = [
    ...touched(source.balanceId, transaction.sourceVersion),
    ...touched(destination.balanceId, transaction.destinationVersion),
  ];
  // A hold as it began: what was settled since is told by events of its own.
  const told =
    status === "INFLIGHT" ? { ...transaction, inflightRemaining: preciseAmount } : transaction;
  const data = toTransactionBody(told, "event");
  return eventOf(event, [transactionId, status], data, balances);
}

const touched = (balanceId: string, version: number | null): readonly TouchedBalance[] =>
  version === null ? [] : [{ balance_id: balanceId, version }];

/**
 * `balance.created`: the balance as it began, whatever moved since. `data.version` is Blnk's, which counts from 0; the first
 * change makes it version 2, by hand or by a transaction.
 */
export function balanceCreatedEvent(balance: BalanceProfile): LedgerEvent {
  const { balanceId, indicator, metaData } = balance;
  const data = {
    allocation_strategy: balance.allocationStrategy,
    balance: 0,
    balance_id: balanceId,
    created_at: showInstant(balance.createdAt),
    credit_balance: 0,
    currency: balance.currency,
    debit_balance: 0,
    identity_id: balance.identityId,
    ...(indicator === "" ? {} : { indicator }),
    inflight_balance: 0,
    inflight_credit_balance: 0,
    inflight_debit_balance: 0,
    inflight_expires_at: ZERO_TIME,
    ledger_id: balance.ledgerId,
    meta_data: metaData === null ? null : parseJson(metaData),
    track_fund_lineage: balance.trackFundLineage,
    version: 0,
  };
  return eventOf("balance.created", [balanceId], data, [
    { balance_id: balanceId, version: FIRST_VERSION },
  ]);
}

/**
 * `ledger.created` or `identity.created`. `change` tells two events of one record apart: "created", or what is unique to a
 * renaming, which is told of as `ledger.created` too (contract/core.md section 2). `data` is the record as clients see it.
 */
export const recordEvent = (
  event: "ledger.created" | "identity.created",
  recordId: string,
  change: string,
  data: object,
): LedgerEvent => eventOf(event, [recordId, change], data, []);

/** A batch at its end, as its event tells of it. */
export interface EndedBatch {
  readonly batchId: string;
  readonly status: "applied" | "inflight" | "failed";
  readonly count: number;
  readonly endedAt: Instant;
  readonly error: string;
}

/** `bulk_transaction.applied`, `.inflight` or `.failed` (contract/transactions.md section 15). */
export function batchEvent({ batchId, status, count, endedAt, error }: EndedBatch): LedgerEvent {
  const data = {
    batch_id: batchId,
    ...(status === "failed" ? { error } : { transaction_count: count }),
    status,
    timestamp: showInstant(endedAt),
  };
  return eventOf(`bulk_transaction.${status}`, [batchId, status], data, []);
}
