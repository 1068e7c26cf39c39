import { type LedgerError, refusal } from "./error";
import {
  balancesOf,
  moversOf,
  type Preview,
  type PreviewBalance,
  refusalOfSplit,
  shownOf,
} from "./preview";
import {
  type Books,
  booksFor,
  carriedOut,
  carryOut,
  type Refused,
  refusalOfGroup,
  refusedBy,
} from "./projection";
import type { Split } from "./split";

/** How a batch is carried out, as far as its preview depends on it. */
export interface BatchTerms {
  readonly atomic: boolean;
  readonly skipQueue: boolean;
  readonly runAsync: boolean;
}

/** What a batch would do (contract/transactions.md section 9.2). */
export interface BatchPreview {
  /** Whether every item would go. */
  readonly wouldApply: boolean;
  /** Whether the items build on each other: then their balances are shown together only. */
  readonly cumulative: boolean;
  readonly atomic: boolean;
  readonly results: readonly Preview[];
  /** All that the batch would do to each balance; null when its items have no order. */
  readonly balances: readonly PreviewBalance[] | null;
  readonly notes: readonly string[];
}

/** An item with the refusal of its reference, or of one of its legs', if it is used. */
export interface BatchItem {
  readonly split: Split;
  readonly taken: LedgerError | null;
}

/** Why items are refused, by their place. */
type Refusals = ReadonlyMap<number, Refused>;

/** What a batch would do, decided as it would be: all or nothing, one after another, or each on its own. */
export function previewBatch(
  items: readonly BatchItem[],
  terms: BatchTerms,
  books: Books,
): BatchPreview {
  const { atomic, skipQueue } = terms;
  const refusals = atomic
    ? refusalsOfWhole(items, books)
    : skipQueue
      ? refusalsInOrder(items, books)
      : refusalsApart(items, books);
  const results = items.map(({ split }, index): Preview => {
    const refused = refusals.get(index) ?? null;
    const movers = moversOf(split);
    const before = booksFor(books, movers);
    const after = () => (refused === null ? carriedOut(before, movers) : before);
    const balances = skipQueue ? null : balancesOf(movers, before, after());
    return { ...shownOf(split, refused), balances };
  });
  const wouldApply = refusals.size === 0;
  const gone = atomic && !wouldApply ? [] : items.filter((_item, index) => !refusals.has(index));
  const whole = atomic || skipQueue;
  return {
    wouldApply,
    cumulative: skipQueue,
    atomic,
    results,
    balances: whole ? balancesOf(all(items), books, carriedOut(books, all(gone))) : null,
    notes: notesOf(terms),
  };
}

const all = (items: readonly BatchItem[]) => items.flatMap(({ split }) => moversOf(split));

/** All or nothing: the first item that cannot go is the reason. */
function refusalsOfWhole(items: readonly BatchItem[], books: Books): Refusals {
  const [used] = usedReferences(items);
  if (used !== undefined) return new Map([used]);
  const places = items.flatMap(({ split }, index) => moversOf(split).map(() => index));
  const found = refusalOfGroup(books, all(items));
  return found === null ? new Map() : new Map([[places[found.index] ?? 0, found.refused]]);
}

/** One after another: the first refusal stops the rest. */
function refusalsInOrder(items: readonly BatchItem[], books: Books): Refusals {
  const used = usedReferences(items);
  const now = new Map(books);
  for (const [index, { split }] of items.entries()) {
    const refused = used.get(index) ?? refusalOfSplit(split, now);
    if (refused !== null) {
      const rest = items.slice(index + 1).map((_item, at) => [index + 1 + at, STOPPED] as const);
      return new Map([[index, refused], ...rest]);
    }
    for (const mover of moversOf(split)) carryOut(now, mover);
  }
  return new Map();
}

/** Each on its own, as the balances are now. */
function refusalsApart(items: readonly BatchItem[], books: Books): Refusals {
  const used = usedReferences(items);
  return new Map(
    items.flatMap(({ split }, index) => {
      const refused = used.get(index) ?? refusalOfSplit(split, books);
      return refused === null ? [] : [[index, refused] as const];
    }),
  );
}

const STOPPED = refusedBy(
  "order",
  refusal("GEN_CONFLICT", "an earlier item is refused, and stops the batch"),
);

/** Items whose reference was used before, or by an earlier item. */
function usedReferences(items: readonly BatchItem[]): Map<number, Refused> {
  const seen = new Set<string>();
  const used = new Map<number, Refused>();
  for (const [index, { split, taken }] of items.entries()) {
    const { transactionId, reference } = split.posting;
    if (seen.has(transactionId)) {
      const message = `reference ${reference} is used twice in the batch`;
      used.set(index, refusedBy("reference", refusal("TXN_DUPLICATE_REFERENCE", message)));
    } else if (taken !== null) {
      used.set(index, refusedBy("reference", taken));
    }
    seen.add(transactionId);
  }
  return used;
}

function notesOf({ atomic, skipQueue, runAsync }: BatchTerms): string[] {
  const notes: string[] = [];
  if (atomic) notes.push("the batch goes as a whole, its items in their order, or not at all");
  if (!skipQueue) {
    notes.push(
      atomic
        ? "each item's balances show that item alone, the batch's balances all of them together"
        : "without skip_queue the items have no order: each is projected on its own, on the balances as they are now",
    );
  }
  if (runAsync) notes.push("run_async is left out of account: a dry run answers at once");
  return notes;
}
