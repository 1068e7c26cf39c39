import { z } from "@hono/zod-openapi";
import { toMajorUnits } from "../domain/amount";
import type { Share } from "../domain/distribution";
import type { PostingRequest } from "../domain/posting";
import { shownMetaData, type View } from "../domain/shown-metadata";
import { MANY } from "../domain/split";
import { parseInstant, showInstant, ZERO_TIME } from "../domain/time";
import type { Transaction } from "../domain/transaction";
import { ResultingBalanceBody } from "./balance";
import {
  bodyOf,
  decimalOut,
  instantOut,
  integerOut,
  objectOut,
  wireBigint,
  wireDecimalText,
  wireMetaData,
  wireTime,
} from "./common";
import { wireDecimal, wireInteger } from "./json";

/**
 * Minor units: a bare integer of any length. A text of digits is taken only where a double could not hold the number,
 * because that is how the TypeScript SDK sends it (contract/transactions.md section 1.5).
 */
export const minorUnits = z
  .preprocess((value) => {
    const isLong =
      typeof value === "string" &&
      /^\d{16,400}$/.test(value) &&
      BigInt(value) > BigInt(Number.MAX_SAFE_INTEGER) + 1n;
    return isLong ? JSON.rawJSON(BigInt(value).toString()) : value;
  }, wireBigint)
  .openapi({ type: "integer", description: "Minor units, of any length." });

const share = bodyOf({
  identifier: z.string().optional().openapi({ description: "Balance id, or `@indicator`." }),
  distribution: z
    .string()
    .optional()
    .openapi({ description: 'A percentage (`"20%"`), an amount in major units, or `"left"`.' }),
  precise_distribution: z
    .string()
    .optional()
    .openapi({ description: 'Minor units as digits, or `"left"`.' }),
});

/** Asks what would happen; nothing is written. */
export const dryRun = z.boolean().optional().openapi({
  description: "Tells what would happen and writes nothing; whatever else the body says.",
});

const date = z.string().optional().openapi({ example: "2031-04-05T00:00:00+00:00" });

/** The body of `POST /transactions`: shapes only, the rules are in `domain/posting.ts`. */
export const TransactionRequest = bodyOf({
  amount: wireDecimalText
    .optional()
    .openapi({ description: "Major units, at most 15 significant digits." }),
  precise_amount: minorUnits.optional(),
  precision: wireDecimalText
    .optional()
    .openapi({ description: "Minor units in a major unit: 100 for cents. 0 and absent mean 1." }),
  currency: z.string().optional().openapi({ example: "USD" }),
  reference: z
    .string()
    .optional()
    .openapi({ description: "Unique for ever: the same reference moves money once." }),
  description: z.string().optional(),
  source: z.string().optional().openapi({
    description: "Balance id, or an `@indicator`, which makes its balance on first use.",
  }),
  destination: z.string().optional(),
  sources: z.array(share).optional(),
  destinations: z.array(share).optional(),
  allow_overdraft: z.boolean().optional(),
  overdraft_limit: wireDecimalText.optional().openapi({
    description: "Major units that the source may owe; counts without `allow_overdraft` too.",
  }),
  inflight: z
    .boolean()
    .optional()
    .openapi({ description: "Holds the amount until it is committed or voided." }),
  inflight_expiry_date: date,
  inflight_commit_date: date,
  scheduled_for: date,
  effective_date: wireTime.optional(),
  skip_queue: z
    .boolean()
    .optional()
    .openapi({ description: "Carries it out before the answer instead of queueing it." }),
  atomic: z.boolean().optional(),
  meta_data: wireMetaData.optional(),
  dry_run: dryRun,
}).openapi("TransactionRequest");

/** A body as the domain reads it. */
export function toPostingRequest(body: z.output<typeof TransactionRequest>): PostingRequest {
  return {
    amount: body.amount ?? null,
    preciseAmount: body.precise_amount ?? null,
    precision: body.precision ?? "0",
    currency: body.currency ?? "",
    reference: body.reference ?? "",
    description: body.description ?? "",
    source: body.source ?? "",
    destination: body.destination ?? "",
    sources: (body.sources ?? []).map(toShare),
    destinations: (body.destinations ?? []).map(toShare),
    allowOverdraft: body.allow_overdraft ?? false,
    overdraftLimit: body.overdraft_limit ?? "0",
    inflight: body.inflight ?? false,
    skipQueue: body.skip_queue ?? false,
    atomic: body.atomic ?? false,
    dryRun: body.dry_run ?? false,
    scheduledFor: body.scheduled_for ?? "",
    inflightExpiryDate: body.inflight_expiry_date ?? "",
    inflightCommitDate: body.inflight_commit_date ?? "",
    effectiveDate: body.effective_date ?? "",
    metaData: body.meta_data ?? null,
  };
}

const toShare = (body: z.output<typeof share>): Share => ({
  identifier: body.identifier ?? "",
  distribution: body.distribution ?? "",
  preciseDistribution: body.precise_distribution ?? "",
});

/** The body of `PUT /transactions/inflight/{id}`. */
export const SettlementRequest = bodyOf({
  status: z.string().optional().openapi({ description: "`commit` or `void`." }),
  amount: wireDecimalText
    .optional()
    .openapi({ description: "Major units to commit; 0 or absent is all that remains." }),
  precise_amount: minorUnits.optional(),
  skip_queue: z.boolean().optional(),
  dry_run: dryRun,
}).openapi("SettlementRequest");

/** The body of `POST /refund-transaction/{id}`, which may be left out. */
export const RefundRequest = bodyOf({
  amount: wireDecimalText.optional().openapi({
    description: "Major units to give back; without it all that was not given back before.",
  }),
  precise_amount: minorUnits.optional(),
  skip_queue: z.boolean().optional(),
  description: z.string().optional().openapi({ description: "Replaces the original's." }),
  meta_data: wireMetaData.optional().openapi({ description: "Merged over the original's." }),
  dry_run: dryRun,
}).openapi("RefundRequest");

const shownShare = z.object({
  identifier: z.string(),
  distribution: z.string().optional(),
  precise_distribution: z.string().optional(),
  transaction_id: z.string().openapi({ description: "The leg that moves this share." }),
});

/** A transaction as clients see it (contract/transactions.md section 1.3). */
export const TransactionBody = z
  .object({
    precise_amount: integerOut.openapi({ type: "integer", description: "Minor units." }),
    amount: decimalOut.openapi({ type: "number", description: "Major units." }),
    amount_string: z.string().optional(),
    precision: integerOut,
    overdraft_limit: decimalOut,
    transaction_id: z.string(),
    parent_transaction: z.string(),
    source: z.string().optional().openapi({ description: "Absent when it is shared out." }),
    destination: z.string().optional().openapi({ description: "Absent when it is shared out." }),
    reference: z.string(),
    currency: z.string(),
    description: z.string().optional(),
    status: z.enum(["QUEUED", "SCHEDULED", "APPLIED", "INFLIGHT", "VOID", "REJECTED"]),
    hash: z.string(),
    allow_overdraft: z.boolean(),
    inflight: z.boolean(),
    skip_queue: z.boolean(),
    atomic: z.boolean(),
    sources: z.array(shownShare).optional().openapi({ description: "Of a split, with its legs." }),
    destinations: z.array(shownShare).optional(),
    created_at: instantOut,
    effective_date: instantOut,
    scheduled_for: instantOut,
    inflight_expiry_date: instantOut,
    inflight_commit_date: instantOut,
    meta_data: objectOut.optional(),
    inflight_remaining: integerOut.optional().openapi({
      type: "integer",
      description: "Minor units of a hold that are neither committed nor voided.",
    }),
    balances: z.array(ResultingBalanceBody).optional().openapi({
      description:
        "Only on the answer to a post that was carried out, when it was asked for: both balances as this transaction left them.",
    }),
    queued: z.boolean().optional().openapi({
      description: "Only on the answer to a commit or void that waits in the queue.",
    }),
  })
  .openapi("Transaction");

export type TransactionBody = z.output<typeof TransactionBody>;

/**
 * A transaction for the wire, its fields in the order of contract/transactions.md section 1.3. The answer to a post echoes
 * what was posted; later readings and events show the exact amount and UTC.
 */
export function toTransactionBody(transaction: Transaction, view: View): TransactionBody {
  const { preciseAmount, precision, inflightRemaining, description } = transaction;
  const major = view === "answer" ? transaction.amount : toMajorUnits(preciseAmount, precision);
  const amountString = { answer: transaction.amountString, read: "", event: major }[view];
  const metaData = shownMetaData(transaction, view);
  const isSettlement = transaction.kind === "commit" || transaction.kind === "void";
  return {
    precise_amount: wireInteger(preciseAmount),
    amount: wireDecimal(major),
    ...(amountString === "" ? {} : { amount_string: amountString }),
    precision: wireInteger(precision),
    overdraft_limit: wireDecimal(transaction.overdraftLimit),
    transaction_id: transaction.transactionId,
    parent_transaction: transaction.parentTransaction,
    ...shownSide("source", transaction, view),
    ...shownSide("destination", transaction, view),
    reference: transaction.reference,
    currency: transaction.currency,
    ...(description === "" ? {} : { description }),
    status: transaction.status,
    hash: transaction.hash,
    allow_overdraft: transaction.allowOverdraft,
    inflight: transaction.inflight,
    // Blnk shows the flag of the record that was posted, and a commit or void was not (scenario inflight-commit).
    skip_queue: transaction.skipQueue && !isSettlement,
    atomic: transaction.atomic,
    ...shownShares(transaction),
    created_at: showInstant(transaction.createdAt),
    effective_date:
      view === "answer" && transaction.postedEffectiveDate !== ""
        ? transaction.postedEffectiveDate
        : showInstant(transaction.effectiveDate),
    scheduled_for: shownDate(transaction.scheduledFor, view),
    inflight_expiry_date: shownDate(transaction.inflightExpiryDate, view),
    inflight_commit_date: shownDate(transaction.inflightCommitDate, view),
    ...(metaData === undefined ? {} : { meta_data: metaData }),
    ...(inflightRemaining === null ? {} : { inflight_remaining: wireInteger(inflightRemaining) }),
  };
}

/**
 * The answer to a queued post echoes `@world`; everywhere else the balance's id is shown. A side that is shared out
 * has none: its shares are shown instead.
 */
function shownSide(name: "source" | "destination", transaction: Transaction, view: View) {
  const side = transaction[name];
  if (side.balanceId === MANY.balanceId) return {};
  const echoed = view === "answer" && !transaction.skipQueue && side.indicator !== null;
  return { [name]: echoed ? side.indicator : side.balanceId };
}

/** The shares of a split as they were posted, each with the id of its leg. */
function shownShares({ shares }: Transaction) {
  if (shares === null) return {};
  const list = shares.list.map((share) => ({
    identifier: share.identifier,
    ...(share.distribution === "" ? {} : { distribution: share.distribution }),
    ...(share.preciseDistribution === ""
      ? {}
      : { precise_distribution: share.preciseDistribution }),
    transaction_id: share.transactionId,
  }));
  return { [shares.side]: list };
}

/** The answer to a post keeps the client's own offset. */
function shownDate(posted: string, view: View): string {
  const instant = posted === "" ? null : parseInstant(posted);
  if (instant === null) return ZERO_TIME;
  return view === "answer" ? posted : showInstant(instant);
}
