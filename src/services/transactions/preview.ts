import type { LedgerError } from "../../domain/error";
import { isBalanceId, type TransactionId, transactionIdOf } from "../../domain/ids";
import { type PostingRequest, postingOf } from "../../domain/posting";
import { moversOf, type OpenHolds, type Preview, previewOf } from "../../domain/preview";
import { type BatchPreview, type BatchTerms, previewBatch } from "../../domain/preview-batch";
import { type Books, booksOf } from "../../domain/projection";
import { ok, type Result } from "../../domain/result";
import type { Split } from "../../domain/split";
import type { Posting } from "../../domain/transaction";
import type { Survey } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** A preview with what explains its refusals. */
export interface Explained<Shown> {
  readonly preview: Shown;
  /** Open holds of the balances that are short of money. */
  readonly holds: OpenHolds;
}

/** Holds that an explanation names of one balance, the largest first. */
const HOLDS_MAX = 20;
/** Balances of one batch whose holds are looked up. */
const EXPLAINED_MAX = 10;

/** What recording a transaction would do. It writes nothing (contract/transactions.md section 9). */
export async function previewTransaction(
  ctx: LedgerContext,
  request: PostingRequest,
): Promise<Result<Explained<Preview>>> {
  const posting = postingOf(ctx.instance, request);
  if (!posting.ok) return posting;
  const split = posting.value;
  const looked = await lookAround(ctx, [split]);
  if (!looked.ok) return looked;
  const { books, survey } = looked.value;
  const preview = previewOf(split, books, takenOf(ctx, split, survey));
  return ok({ preview, holds: await holdsBehind(ctx, books, [preview]) });
}

/** What recording a batch would do. It writes nothing (contract/transactions.md section 9.2). */
export async function previewTransactions(
  ctx: LedgerContext,
  splits: readonly Split[],
  terms: BatchTerms,
): Promise<Result<Explained<BatchPreview>>> {
  const looked = await lookAround(ctx, splits);
  if (!looked.ok) return looked;
  const { books, survey } = looked.value;
  const items = splits.map((split) => ({ split, taken: takenOf(ctx, split, survey) }));
  const preview = previewBatch(items, terms, books);
  return ok({ preview, holds: await holdsBehind(ctx, books, preview.results) });
}

/** Balances as they stand, for postings; `TXN_NOT_FOUND` when one does not exist and would not be made. */
export async function readBooks(
  ctx: LedgerContext,
  postings: readonly Posting[],
): Promise<Result<Books>> {
  const survey = await outcomeOf(
    ctx.journal.survey({ transactionIds: [], balanceIds: sidesOf(postings) }),
  );
  return survey.ok ? booksOf(postings, survey.value.balances) : survey;
}

async function lookAround(
  ctx: LedgerContext,
  splits: readonly Split[],
): Promise<Result<{ readonly books: Books; readonly survey: Survey }>> {
  const movers = splits.flatMap(moversOf);
  const survey = await outcomeOf(
    ctx.journal.survey({
      transactionIds: splits.flatMap((split) => referencesOf(ctx, split)),
      balanceIds: sidesOf(movers),
    }),
  );
  if (!survey.ok) return survey;
  const books = booksOf(movers, survey.value.balances);
  return books.ok ? ok({ books: books.value, survey: survey.value }) : books;
}

/** What has no form of a balance id is none, so nobody is asked about it. */
const sidesOf = (postings: readonly Posting[]) =>
  postings
    .flatMap(({ source, destination }) => [source.balanceId, destination.balanceId])
    .filter(isBalanceId);

/** The ids of the references that a transaction takes: its own, and those of its legs. */
const referencesOf = ({ instance }: LedgerContext, { posting, legs }: Split): TransactionId[] => [
  posting.transactionId,
  ...legs.map(({ reference }) => transactionIdOf(instance, reference)),
];

/** The refusal of the first reference that is used, if one is. */
function takenOf(ctx: LedgerContext, split: Split, { taken }: Survey): LedgerError | null {
  const used = referencesOf(ctx, split).find((id) => taken.has(id));
  return used === undefined ? null : (taken.get(used) ?? null);
}

/** The open holds of balances that are short of money. D1 may lack the newest of them, never for long. */
async function holdsBehind(
  ctx: LedgerContext,
  books: Books,
  previews: readonly Preview[],
): Promise<OpenHolds> {
  const short = previews.flatMap(({ refused }) =>
    refused === null || refused.shortfall === null ? [] : (refused.balanceId ?? []),
  );
  const holding = [...new Set(short)]
    .filter((balanceId) => (books.get(balanceId)?.amounts.inflightDebit ?? 0n) > 0n)
    .slice(0, EXPLAINED_MAX);
  if (holding.length === 0) return new Map();
  await ctx.journal.barrier();
  return new Map(
    await Promise.all(
      holding.map(
        async (balanceId) =>
          [balanceId, await ctx.transactions.openHoldsOf(balanceId, HOLDS_MAX)] as const,
      ),
    ),
  );
}
