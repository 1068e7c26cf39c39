import { z } from "@hono/zod-openapi";
import { available, settled } from "../domain/balance";
import type { OpenHolds, Preview, PreviewBalance, PreviewLeg } from "../domain/preview";
import type { BatchPreview } from "../domain/preview-batch";
import type { Refused } from "../domain/projection";
import type { Transaction } from "../domain/transaction";
import { decimalOut, integerOut } from "./common";
import { wireDecimal, wireInteger } from "./json";

/** Minor units in a preview are texts, unlike everywhere else (contract/transactions.md section 1.5). */
const minorText = z.string().openapi({ example: "1000", description: "Minor units." });

const previewBalance = z
  .object({
    balance_id: z
      .string()
      .openapi({ description: "Of a balance that would be made: its indicator." }),
    role: z.enum(["source", "destination"]),
    currency: z.string(),
    virtual: z.boolean().optional().openapi({ description: "It does not exist yet." }),
    current_balance: minorText,
    current_available: minorText,
    current_credit_balance: minorText,
    current_debit_balance: minorText,
    current_inflight_debit_balance: minorText,
    current_inflight_credit_balance: minorText,
    resulting_balance: minorText,
    resulting_available: minorText,
    resulting_credit_balance: minorText,
    resulting_debit_balance: minorText,
    resulting_inflight_debit_balance: minorText,
    resulting_inflight_credit_balance: minorText,
  })
  .openapi("PreviewBalance");

const rejection = z
  .object({
    code: z.string().openapi({ description: "What the real call would answer." }),
    reason: z.enum(["insufficient_funds", "overdraft_limit", "other", ""]),
    message: z.string(),
    rule: z
      .enum([
        "available_funds",
        "overdraft_limit",
        "currency",
        "amount",
        "reference",
        "order",
        "state",
        "missing",
      ])
      .openapi({ description: "The rule that refuses it." }),
    balance_id: z
      .string()
      .optional()
      .openapi({ description: "The balance that is short of money or in another currency." }),
    shortfall: minorText
      .optional()
      .openapi({ description: "By how many minor units it is short." }),
    holds: z
      .array(
        z.object({
          transaction_id: z.string(),
          reference: z.string(),
          inflight_remaining: minorText,
        }),
      )
      .optional()
      .openapi({ description: "Open holds that tie its money up, the largest first, 20 at most." }),
    transaction_id: z
      .string()
      .optional()
      .openapi({ description: "The transaction that has the reference." }),
  })
  .openapi("PreviewRejection");

const previewLeg = z.object({
  identifier: z.string(),
  role: z.enum(["source", "destination"]),
  precise_amount: minorText,
  amount: decimalOut,
});

/** What a dry run answers (contract/transactions.md section 9.1). */
export const PreviewBody = z
  .object({
    dry_run: z.literal(true),
    would_apply: z.boolean(),
    rejection: rejection.optional(),
    operation: z.enum(["commit", "void"]).optional(),
    status: z.enum(["APPLIED", "INFLIGHT", "VOID"]).optional(),
    reference: z.string().optional(),
    currency: z.string(),
    amount: decimalOut,
    precise_amount: minorText,
    precision: integerOut,
    balances: z.array(previewBalance).nullable(),
    legs: z.array(previewLeg).optional(),
    notes: z.array(z.string()).optional(),
  })
  .openapi("Preview");

/** What a dry run of many answers (contract/transactions.md section 9.2). */
export const BatchPreviewBody = z
  .object({
    dry_run: z.literal(true),
    would_apply: z.boolean(),
    cumulative: z.boolean().openapi({ description: "Whether the items build on each other." }),
    atomic: z.boolean(),
    results: z.array(PreviewBody),
    balances: z.array(previewBalance).optional(),
    notes: z.array(z.string()).optional(),
  })
  .openapi("BatchPreview");

/** Commits, voids and refunds are never short of money, so no holds explain their refusals. */
const NO_HOLDS: OpenHolds = new Map();

/** A preview for the wire, its keys in the order of contract/transactions.md section 9.1. */
export function toPreviewBody(
  preview: Preview,
  holds: OpenHolds = NO_HOLDS,
): z.output<typeof PreviewBody> {
  const { refused, operation, status, reference, balances, legs, notes } = preview;
  return {
    dry_run: true,
    would_apply: refused === null,
    ...(refused === null ? {} : { rejection: toRejection(refused, holds) }),
    ...(operation === null ? {} : { operation }),
    ...(status === null ? {} : { status }),
    ...(reference === "" ? {} : { reference }),
    currency: preview.currency,
    amount: wireDecimal(preview.amount),
    precise_amount: preview.preciseAmount.toString(),
    precision: wireInteger(preview.precision),
    balances: balances === null ? null : balances.map(toPreviewBalance),
    ...(legs.length === 0 ? {} : { legs: legs.map(toLeg) }),
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
  };
}

/** A preview of many for the wire. */
export function toBatchPreviewBody(
  batch: BatchPreview,
  holds: OpenHolds = NO_HOLDS,
): z.output<typeof BatchPreviewBody> {
  const { wouldApply, cumulative, atomic, results, balances, notes } = batch;
  return {
    dry_run: true,
    would_apply: wouldApply,
    cumulative,
    atomic,
    results: results.map((result) => toPreviewBody(result, holds)),
    ...(balances === null ? {} : { balances: balances.map(toPreviewBalance) }),
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
  };
}

function toRejection(
  { error, rule, balanceId, shortfall }: Refused,
  holds: OpenHolds,
): z.output<typeof rejection> {
  const open = balanceId === null ? undefined : holds.get(balanceId);
  const takenBy = transactionIdIn(error.details);
  return {
    code: error.code,
    reason: reasonOf(rule),
    message: error.message,
    rule,
    ...(balanceId === null ? {} : { balance_id: balanceId }),
    ...(shortfall === null ? {} : { shortfall: shortfall.toString() }),
    ...(open === undefined ? {} : { holds: open.map(toHold) }),
    ...(takenBy === null ? {} : { transaction_id: takenBy }),
  };
}

const toHold = ({ transactionId, reference, inflightRemaining }: Transaction) => ({
  transaction_id: transactionId,
  reference,
  inflight_remaining: (inflightRemaining ?? 0n).toString(),
});

function transactionIdIn(details: object | undefined): string | null {
  if (details === undefined || !("transaction_id" in details)) return null;
  return typeof details.transaction_id === "string" ? details.transaction_id : null;
}

/** The reasons that Blnk tells apart; it gives none for a transaction that does not exist. */
function reasonOf(rule: Refused["rule"]): z.output<typeof rejection>["reason"] {
  if (rule === "available_funds") return "insufficient_funds";
  if (rule === "missing") return "";
  return rule === "overdraft_limit" ? rule : "other";
}

function toPreviewBalance(balance: PreviewBalance): z.output<typeof previewBalance> {
  const { balanceId, virtualName, role, currency, before, after } = balance;
  return {
    balance_id: virtualName ?? balanceId,
    role,
    currency,
    ...(virtualName === null ? {} : { virtual: true }),
    current_balance: settled(before).toString(),
    current_available: available(before).toString(),
    current_credit_balance: before.credit.toString(),
    current_debit_balance: before.debit.toString(),
    current_inflight_debit_balance: before.inflightDebit.toString(),
    current_inflight_credit_balance: before.inflightCredit.toString(),
    resulting_balance: settled(after).toString(),
    resulting_available: available(after).toString(),
    resulting_credit_balance: after.credit.toString(),
    resulting_debit_balance: after.debit.toString(),
    resulting_inflight_debit_balance: after.inflightDebit.toString(),
    resulting_inflight_credit_balance: after.inflightCredit.toString(),
  };
}

const toLeg = ({ identifier, role, preciseAmount, amount }: PreviewLeg) => ({
  identifier,
  role,
  precise_amount: preciseAmount.toString(),
  amount: wireDecimal(amount),
});
