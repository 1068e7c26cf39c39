import { type Amounts, available, type Change, changed, NO_AMOUNTS, shortfallOf } from "./balance";
import type { BalanceSnapshot } from "./balance-record";
import type { LedgerError } from "./error";
import type { BalanceId } from "./ids";
import { invariant } from "./invariant";
import { changeOf, currencyMismatch, hopeless, unknownBalance } from "./movement";
import { deficitOf } from "./reservation";
import { err, ok, type Result } from "./result";
import type { Posting } from "./transaction";

/** A balance as a projection knows it. */
export interface KnownBalance {
  readonly balanceId: BalanceId;
  readonly currency: string;
  readonly amounts: Amounts;
  /** The indicator of a balance that would be made on first use; null for one that exists. */
  readonly virtualName: string | null;
}

/** The balances that a projection is about, by id: every side of its postings is among them. */
export type Books = ReadonlyMap<BalanceId, KnownBalance>;

/** Which rule refuses a transaction, as a word that programs can look at. */
export type Rule =
  | "available_funds"
  | "overdraft_limit"
  | "currency"
  | "amount"
  | "reference"
  | "order"
  | "state"
  | "missing";

/** Why something would be refused: what the real call answers, and by how much which balance is short. */
export interface Refused {
  readonly error: LedgerError;
  readonly rule: Rule;
  /** The balance that is short of money or in another currency; null when none is to blame. */
  readonly balanceId: BalanceId | null;
  /** Minor units; null unless money is short. */
  readonly shortfall: bigint | null;
}

/** A refusal for a reason that no balance has to do with. */
export const refusedBy = (rule: Rule, error: LedgerError): Refused => ({
  error,
  rule,
  balanceId: null,
  shortfall: null,
});

/** Why a posting that stands alone would be refused, in the order in which the journal looks; null when it would go. */
export function refusalOf(books: Books, posting: Posting): Refused | null {
  const never = hopeless(posting);
  if (never !== null) return refusedBy("amount", never);
  const { source, destination } = posting;
  return (
    wrongCurrency(knownOf(books, destination.balanceId), posting) ??
    wrongCurrency(knownOf(books, source.balanceId), posting) ??
    lackOf(knownOf(books, source.balanceId), [changeOf(posting, "source")])?.refused ??
    null
  );
}

/** Why postings that go together or not at all would be refused, and which of them is the reason. */
export function refusalOfGroup(
  books: Books,
  postings: readonly Posting[],
): { readonly refused: Refused; readonly index: number } | null {
  for (const [index, posting] of postings.entries()) {
    const never = hopeless(posting);
    if (never !== null) return { refused: refusedBy("amount", never), index };
  }
  const refusals = [...partsByBalance(postings)].flatMap(([balanceId, parts]) => {
    const known = knownOf(books, balanceId);
    for (const { posting, index } of parts) {
      const refused = wrongCurrency(known, posting);
      if (refused !== null) return [{ refused, index }];
    }
    const changes = parts.map(({ posting, side }) => changeOf(posting, side));
    const lack = lackOf(known, changes);
    return lack === null ? [] : [{ refused: lack.refused, index: parts[lack.index]?.index ?? 0 }];
  });
  // The first posting that cannot go names the reason, as in the journal.
  const [first] = refusals.sort((a, b) => a.index - b.index);
  return first ?? null;
}

/** The balances after postings that were found to go, in order. */
export function carriedOut(books: Books, postings: readonly Posting[]): Books {
  const after = new Map(books);
  for (const posting of postings) carryOut(after, posting);
  return after;
}

/** Changes the books by a posting that was found to go: what goes on for thousands of postings copies them once. */
export function carryOut(books: Map<BalanceId, KnownBalance>, posting: Posting): void {
  for (const side of ["source", "destination"] as const) {
    const known = knownOf(books, posting[side].balanceId);
    const amounts = changed(known.amounts, changeOf(posting, side));
    books.set(known.balanceId, { ...known, amounts });
  }
}

/** The books of the balances that postings are about, and of no others. */
export const booksFor = (books: Books, postings: readonly Posting[]): Books =>
  new Map(
    postings
      .flatMap(({ source, destination }) => [source.balanceId, destination.balanceId])
      .map((balanceId) => [balanceId, knownOf(books, balanceId)]),
  );

/**
 * Whether the balances hold what these commits and voids settle. They do, unless balances and holds were read at
 * different moments.
 */
export function isCovered(books: Books, settlements: readonly Posting[]): boolean {
  const held = new Map<string, bigint>();
  for (const { source, destination, preciseAmount } of settlements) {
    const { inflightDebit } = knownOf(books, source.balanceId).amounts;
    const { inflightCredit } = knownOf(books, destination.balanceId).amounts;
    const debit = (held.get(`debit ${source.balanceId}`) ?? inflightDebit) - preciseAmount;
    const credit = (held.get(`credit ${destination.balanceId}`) ?? inflightCredit) - preciseAmount;
    if (debit < 0n || credit < 0n) return false;
    held.set(`debit ${source.balanceId}`, debit).set(`credit ${destination.balanceId}`, credit);
  }
  return true;
}

/** The balances that postings are about, as they were read. An indicator makes its balance; any other must exist. */
export function booksOf(
  postings: readonly Posting[],
  balances: ReadonlyMap<BalanceId, BalanceSnapshot>,
): Result<Books> {
  const books = new Map<BalanceId, KnownBalance>();
  for (const { source, destination, currency } of postings) {
    for (const { balanceId, indicator } of [source, destination]) {
      if (books.has(balanceId)) continue;
      const found = balances.get(balanceId);
      if (found !== undefined) {
        books.set(balanceId, {
          balanceId,
          currency: found.currency,
          amounts: found,
          virtualName: null,
        });
      } else if (indicator === null) {
        return err(unknownBalance(balanceId));
      } else {
        books.set(balanceId, { balanceId, currency, amounts: NO_AMOUNTS, virtualName: indicator });
      }
    }
  }
  return ok(books);
}

/** What the balance knows of itself; a projection is never asked about one that it was not told of. */
export function knownOf(books: Books, balanceId: BalanceId): KnownBalance {
  const known = books.get(balanceId);
  invariant(known !== undefined, "a projection knows every balance that it is about");
  return known;
}

function wrongCurrency({ balanceId, currency }: KnownBalance, posting: Posting): Refused | null {
  if (currency === posting.currency) return null;
  const error = currencyMismatch(balanceId, currency, posting.currency);
  return { error, rule: "currency", balanceId, shortfall: null };
}

/** The first of a balance's changes that its money does not cover. */
function lackOf(
  { balanceId, amounts }: KnownBalance,
  changes: readonly Change[],
): { readonly refused: Refused; readonly index: number } | null {
  const deficit = deficitOf(amounts, 0n, changes);
  if (deficit.ok) return null;
  const { index, error } = deficit.error;
  const change = changes[index];
  invariant(change !== undefined, "a refused change is among those that were asked for");
  const before = changes.slice(0, index).reduce(changed, amounts);
  return {
    index,
    refused: {
      error,
      rule: change.overdraft.kind === "limited" ? "overdraft_limit" : "available_funds",
      balanceId,
      shortfall: shortfallOf(available(before), change.amount, change.overdraft),
    },
  };
}

interface Part {
  readonly posting: Posting;
  readonly side: Change["side"];
  readonly index: number;
}

/** What the postings do to each balance, in their order. */
function partsByBalance(postings: readonly Posting[]): Map<BalanceId, Part[]> {
  const parts = new Map<BalanceId, Part[]>();
  for (const [index, posting] of postings.entries()) {
    for (const side of ["source", "destination"] as const) {
      const { balanceId } = posting[side];
      const list = parts.get(balanceId) ?? [];
      parts.set(balanceId, list);
      list.push({ posting, side, index });
    }
  }
  return parts;
}
