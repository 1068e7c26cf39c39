import type { Action } from "./balance";
import type { BalanceSnapshot } from "./balance-record";
import type { TransactionId } from "./ids";
import { parseJson } from "./json";
import type { MetaDataText } from "./metadata";
import type { Transaction } from "./transaction";

/** How a balance that tracks its funds chooses whose money it spends (contract/transactions.md section 12). */
export type Strategy = "FIFO" | "LIFO" | "PROPORTIONAL";

/** The strategy of a balance; what was stored otherwise counts as the first. */
export const strategyOf = (text: string): Strategy =>
  text === "LIFO" || text === "PROPORTIONAL" ? text : "FIFO";

/** An amount of one provider's money, in minor units. */
export interface Piece {
  readonly provider: string;
  readonly amount: bigint;
}

/** What a balance has had of one provider: all that came, what was spent of it, and what holds tie up. Minor units. */
export interface Fund {
  readonly provider: string;
  readonly credited: bigint;
  readonly spent: bigint;
  readonly held: bigint;
}

/** A balance, and whose money it has. */
export interface BalanceLineage {
  readonly balance: BalanceSnapshot;
  /** In the order in which their providers were first heard of; null when the balance does not track them. */
  readonly funds: readonly Fund[] | null;
}

/** Whose money a transaction spent, and the transactions that tell of it in shadow balances. */
export interface TransactionLineage {
  readonly transactionId: TransactionId;
  readonly allocation: readonly Piece[];
  readonly shadows: readonly Transaction[];
}

/** Whose money one transaction moved: out of a source that tracks its funds, into a destination that does. */
export interface Traced {
  readonly released: readonly Piece[];
  readonly received: readonly Piece[];
  /** How the source chose. */
  readonly strategy: string;
  /** Who owns the destination. */
  readonly identityId: string;
  /** Whether the destination received what the source released; otherwise the transaction itself named the provider. */
  readonly passedOn: boolean;
}

/** The key of `meta_data` by which a client says whose money it is. */
export const PROVIDER_KEY = "BLNK_LINEAGE_PROVIDER";
/** The key by which the ledger says whose money a transaction has spent. */
export const ALLOCATION_KEY = "BLNK_FUND_ALLOCATION";

/** Longest name of a provider in characters, and how many a balance tells apart: a row must stay far below 2 MB. */
export const PROVIDER_MAX = 255;
export const PROVIDERS_MAX = 500;

/** The provider that metadata names; null when it names none. */
export function providerOf(metaData: MetaDataText | null): string | null {
  if (metaData === null || !metaData.includes(PROVIDER_KEY)) return null;
  const value = parseJson(metaData);
  const named = typeof value === "object" && value !== null ? Reflect.get(value, PROVIDER_KEY) : "";
  return typeof named === "string" && named !== "" ? named : null;
}

/** Why metadata names no acceptable provider, or null. */
export const brokenProvider = (metaData: MetaDataText | null): string | null =>
  (providerOf(metaData) ?? "").length > PROVIDER_MAX
    ? `${PROVIDER_KEY} is longer than ${PROVIDER_MAX} characters`
    : null;

/** Pieces as JSON has them: amounts are texts. */
export const plainPieces = (pieces: readonly Piece[]): [provider: string, amount: string][] =>
  pieces.map(({ provider, amount }) => [provider, amount.toString()]);

/** Minor units of several pieces. */
export const sumOf = (pieces: readonly Piece[]): bigint =>
  pieces.reduce((sum, { amount }) => sum + amount, 0n);

/** Minor units of all that is known whose it is, and can be spent. */
export const availableIn = (funds: readonly Fund[]): bigint =>
  funds.reduce((sum, fund) => sum + availableOf(fund), 0n);

/** What can be spent of a fund. */
export const availableOf = ({ credited, spent, held }: Fund): bigint => credited - spent - held;

/**
 * Whose money pays an amount, as far as the balance knows: FIFO the oldest provider's first, LIFO the newest one's, PROPORTIONAL
 * each one's share rounded down and the rest from the last that has any left. What nobody is known for is left out.
 */
export function allocate(strategy: Strategy, funds: readonly Fund[], amount: bigint): Piece[] {
  const open = funds
    .map((fund) => ({ provider: fund.provider, amount: availableOf(fund) }))
    .filter((piece) => piece.amount > 0n);
  if (strategy === "LIFO") open.reverse();
  return strategy === "PROPORTIONAL" ? shared(open, amount) : firstOf(open, amount);
}

function shared(open: readonly Piece[], amount: bigint): Piece[] {
  const total = sumOf(open);
  if (amount >= total) return [...open];
  const shares = open.map((piece) => ({ ...piece, amount: (amount * piece.amount) / total }));
  let rest = amount - sumOf(shares);
  for (const [index, { amount: most }] of [...open.entries()].reverse()) {
    const share = shares[index];
    if (share === undefined || rest === 0n) break;
    const more = least(rest, most - share.amount);
    shares[index] = { ...share, amount: share.amount + more };
    rest -= more;
  }
  return shares.filter((piece) => piece.amount > 0n);
}

/** The first so many minor units of pieces, in their order; all of them when they are fewer. */
export function firstOf(pieces: readonly Piece[], amount: bigint): Piece[] {
  const first: Piece[] = [];
  let rest = amount;
  for (const { provider, amount: most } of pieces) {
    if (rest <= 0n) break;
    first.push({ provider, amount: least(rest, most) });
    rest -= most;
  }
  return first;
}

/** What is left of pieces after their first so many minor units. */
export function afterFirst(pieces: readonly Piece[], amount: bigint): Piece[] {
  const left: Piece[] = [];
  let rest = amount;
  for (const { provider, amount: most } of pieces) {
    if (most > rest) left.push({ provider, amount: most - rest });
    rest = rest > most ? rest - most : 0n;
  }
  return left;
}

/** Whose money a hold ties up: the pieces first, and nobody's behind them. */
export interface HeldFunds {
  /** Minor units that are not settled yet. */
  readonly left: bigint;
  readonly pieces: readonly Piece[];
}

/**
 * What a commit or void settles of a hold, and what is left of it. Commits take from the front and a void from the back, so
 * that it does not matter which of them comes first. What the other balance has said, `received`, is taken as it is.
 */
export function settle(
  held: HeldFunds,
  asked: {
    readonly action: "commit" | "void";
    readonly amount: bigint;
    readonly received: readonly Piece[] | null;
  },
): { readonly pieces: Piece[]; readonly held: HeldFunds } {
  const { action, amount, received: named } = asked;
  const left = held.left - amount;
  if (named !== null) {
    const pieces = named.flatMap((piece) => commonOf(held.pieces, piece));
    return { pieces, held: { left, pieces: without(held.pieces, pieces) } };
  }
  const at = action === "commit" ? amount : left;
  const [front, back] = [firstOf(held.pieces, at), afterFirst(held.pieces, at)];
  const [pieces, rest] = action === "commit" ? [front, back] : [back, front];
  return { pieces, held: { left, pieces: rest } };
}

/** As much of a piece as there is among others. */
function commonOf(pieces: readonly Piece[], { provider, amount }: Piece): Piece[] {
  const there = pieces.find((piece) => piece.provider === provider);
  return there === undefined ? [] : [{ provider, amount: least(amount, there.amount) }];
}

/** Pieces less what was taken of each provider. */
const without = (pieces: readonly Piece[], taken: readonly Piece[]): Piece[] =>
  pieces
    .map(({ provider, amount }) => {
      const less = taken.find((piece) => piece.provider === provider);
      return { provider, amount: amount - (less?.amount ?? 0n) };
    })
    .filter((piece) => piece.amount > 0n);

/** A fund after an amount of it went out, as an action has it; a hold ties it up first. */
export function released(fund: Fund, action: Action, amount: bigint): Fund {
  switch (action) {
    case "apply":
      return { ...fund, spent: fund.spent + amount };
    case "hold":
      return { ...fund, held: fund.held + amount };
    case "commit":
      return { ...fund, held: fund.held - amount, spent: fund.spent + amount };
    case "void":
      return { ...fund, held: fund.held - amount };
  }
}

/** A fund after an amount of it came in; what is held for it counts once it is committed. */
export const received = (fund: Fund, action: Action, amount: bigint): Fund =>
  action === "apply" || action === "commit" ? { ...fund, credited: fund.credited + amount } : fund;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
