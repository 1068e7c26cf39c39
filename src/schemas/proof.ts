import { z } from "@hono/zod-openapi";
import type { BalanceSnapshot } from "../domain/balance-record";
import { type Entry, overdraftText, postingSeal } from "../domain/seal";
import type { Posting, Transaction } from "../domain/transaction";

/** Minor units in digits: texts, because the hashes are made of texts and no parser can bend them. */
const digits = z.string().openapi({ description: "Minor units, in digits.", example: "12345" });
const hash = z.string().openapi({ description: "SHA-256 in hexadecimal.", example: "9f86d081…" });

const EntryBody = z
  .object({
    version: z.int().openapi({ description: "The version that the balance has after it." }),
    operation: z.string().openapi({ description: "`<transaction>.<attempt>.<side>`." }),
    transaction_id: z.string(),
    side: z.string(),
    action: z.string().openapi({ description: "`apply`, `hold`, `commit` or `void`." }),
    amount: digits,
    credit_balance: digits,
    debit_balance: digits,
    inflight_credit_balance: digits,
    inflight_debit_balance: digits,
    effective_date: z.string(),
    at: z.string(),
    seal: z.string().openapi({ description: "Of the transaction as it was recorded." }),
    hash,
  })
  .openapi("Entry");

const ChainEndBody = z
  .object({ version: z.int(), hash })
  .openapi("ChainEnd", { description: "The newest entry of a balance: worth keeping elsewhere." });

export const BalanceProofBody = z
  .object({
    balance_id: z.string(),
    currency: z.string(),
    version: z.int(),
    credit_balance: digits,
    debit_balance: digits,
    inflight_credit_balance: digits,
    inflight_debit_balance: digits,
    after: z.int().openapi({ description: "The version after which the entries begin." }),
    before: EntryBody.nullable().openapi({
      description: "The entry of that version; null when the entries begin with the first.",
    }),
    entries: z.array(EntryBody),
    newest: ChainEndBody,
    next_after: z
      .int()
      .nullable()
      .openapi({ description: "What to send as `after` for the next ones; null at the end." }),
  })
  .openapi("BalanceProof");

const RecordedBody = z
  .object({
    transaction_id: z.string(),
    kind: z.string(),
    parent_transaction: z.string(),
    group: z.string().nullable(),
    reference: z.string(),
    currency: z.string(),
    description: z.string(),
    source: z.string(),
    source_indicator: z.string().nullable(),
    destination: z.string(),
    destination_indicator: z.string().nullable(),
    precise_amount: digits,
    precision: z.string(),
    amount: z.string(),
    amount_string: z.string(),
    overdraft: z
      .string()
      .openapi({ description: "`none`, `unlimited`, or minor units in digits." }),
    allow_overdraft: z.boolean(),
    overdraft_limit: z.string(),
    inflight: z.boolean(),
    skip_queue: z.boolean(),
    atomic: z.boolean(),
    scheduled_for: z.string(),
    inflight_expiry_date: z.string(),
    inflight_commit_date: z.string(),
    effective_date: z.string().nullable(),
    posted_effective_date: z.string(),
    hash: z.string(),
    meta_data: z.string().nullable().openapi({ description: "JSON, as it was recorded." }),
  })
  .openapi("RecordedTransaction");

export const TransactionProofBody = z
  .object({
    transaction_id: z.string(),
    status: z.string(),
    recorded: RecordedBody,
    seal: hash,
    entries: z.array(
      z.object({
        balance_id: z.string(),
        before: hash.openapi({ description: "The hash that the entry was made on." }),
        entry: EntryBody,
        next: EntryBody.nullable(),
        newest: ChainEndBody,
      }),
    ),
    parent: z.string().nullable().openapi({ description: "What it follows from." }),
    children: z.array(z.string()).openapi({ description: "What follows from it." }),
  })
  .openapi("TransactionProof");

type EntryBody = z.infer<typeof EntryBody>;

const toEntryBody = (entry: Entry): EntryBody => ({
  version: entry.version,
  operation: entry.op,
  transaction_id: entry.transactionId,
  side: entry.side,
  action: entry.action,
  amount: entry.amount,
  credit_balance: entry.credit,
  debit_balance: entry.debit,
  inflight_credit_balance: entry.inflightCredit,
  inflight_debit_balance: entry.inflightDebit,
  effective_date: entry.effectiveDate,
  at: entry.at,
  seal: entry.seal,
  hash: entry.hash,
});

interface ChainEnd {
  readonly version: number;
  readonly hash: string;
}

const toChainEndBody = ({ version, hash }: ChainEnd) => ({ version, hash });

/** The proof of a balance for the wire. */
export function toBalanceProofBody(
  proof: {
    readonly used: BalanceSnapshot;
    readonly before: Entry | null;
    readonly entries: readonly Entry[];
    readonly newest: ChainEnd;
  },
  after: number,
): z.infer<typeof BalanceProofBody> {
  const { used, before, entries, newest } = proof;
  const last = entries.at(-1)?.version ?? after;
  return {
    balance_id: used.balanceId,
    currency: used.currency,
    version: used.version,
    credit_balance: used.credit.toString(),
    debit_balance: used.debit.toString(),
    inflight_credit_balance: used.inflightCredit.toString(),
    inflight_debit_balance: used.inflightDebit.toString(),
    after,
    before: before === null ? null : toEntryBody(before),
    entries: entries.map(toEntryBody),
    newest: toChainEndBody(newest),
    next_after: last < newest.version ? last : null,
  };
}

const toRecordedBody = (posting: Posting): z.infer<typeof RecordedBody> => ({
  transaction_id: posting.transactionId,
  kind: posting.kind,
  parent_transaction: posting.parentTransaction,
  group: posting.group,
  reference: posting.reference,
  currency: posting.currency,
  description: posting.description,
  source: posting.source.balanceId,
  source_indicator: posting.source.indicator,
  destination: posting.destination.balanceId,
  destination_indicator: posting.destination.indicator,
  precise_amount: posting.preciseAmount.toString(),
  precision: posting.precision.toString(),
  amount: posting.amount,
  amount_string: posting.amountString,
  overdraft: overdraftText(posting.overdraft),
  allow_overdraft: posting.allowOverdraft,
  overdraft_limit: posting.overdraftLimit,
  inflight: posting.inflight,
  skip_queue: posting.skipQueue,
  atomic: posting.atomic,
  scheduled_for: posting.scheduledFor,
  inflight_expiry_date: posting.inflightExpiryDate,
  inflight_commit_date: posting.inflightCommitDate,
  effective_date: posting.effectiveDate,
  posted_effective_date: posting.postedEffectiveDate,
  hash: posting.hash,
  meta_data: posting.metaData,
});

/** The proof of a transaction for the wire. */
export function toTransactionProofBody(proof: {
  readonly transaction: Transaction;
  readonly posting: Posting;
  readonly entries: readonly {
    readonly balanceId: string;
    readonly before: string;
    readonly entry: Entry;
    readonly next: Entry | null;
    readonly newest: ChainEnd;
  }[];
  readonly children: readonly string[];
}): z.infer<typeof TransactionProofBody> {
  const { transaction, posting, entries, children } = proof;
  return {
    transaction_id: posting.transactionId,
    status: transaction.status,
    recorded: toRecordedBody(posting),
    seal: postingSeal(posting),
    entries: entries.map(({ balanceId, before, entry, next, newest }) => ({
      balance_id: balanceId,
      before,
      entry: toEntryBody(entry),
      next: next === null ? null : toEntryBody(next),
      newest: toChainEndBody(newest),
    })),
    parent: posting.parentTransaction === "" ? null : posting.parentTransaction,
    children: [...children],
  };
}
