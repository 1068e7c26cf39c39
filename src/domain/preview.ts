import { toMajorUnits } from "./amount";
import type { Amounts } from "./balance";
import type { LedgerError } from "./error";
import type { BalanceId } from "./ids";
import {
  type Books,
  carriedOut,
  knownOf,
  type Refused,
  refusalOf,
  refusalOfGroup,
  refusedBy,
} from "./projection";
import { settledStatus } from "./saga";
import type { Split } from "./split";
import type { Posting, Transaction } from "./transaction";

/** A balance before and after what is previewed; of a refusal both are the same. */
export interface PreviewBalance {
  readonly balanceId: BalanceId;
  /** The indicator of a balance that would be made; null for one that exists. */
  readonly virtualName: string | null;
  /** On which side it stands, where it stands first. */
  readonly role: "source" | "destination";
  readonly currency: string;
  readonly before: Amounts;
  readonly after: Amounts;
}

/** A part of what is previewed: a share of a split, or one of several movements of a refund or settlement. */
export interface PreviewLeg {
  /** Balance id or indicator of a share; the id of the record that a movement follows from. */
  readonly identifier: string;
  readonly role: "source" | "destination";
  /** Minor units. */
  readonly preciseAmount: bigint;
  /** Major units as decimal text. */
  readonly amount: string;
}

/** What a request would do, if it were not a dry run (contract/transactions.md section 9.1). */
export interface Preview {
  /** Null when it would go. */
  readonly refused: Refused | null;
  /** Of a commit or void. */
  readonly operation: "commit" | "void" | null;
  /** The status that it would have; null when it is refused. */
  readonly status: "APPLIED" | "INFLIGHT" | "VOID" | null;
  /** "" when it is not known before. */
  readonly reference: string;
  readonly currency: string;
  /** Major units as decimal text, as the client wrote them. */
  readonly amount: string;
  /** Minor units. */
  readonly preciseAmount: bigint;
  /** 0 when nothing was found to preview. */
  readonly precision: bigint;
  /** Null inside a batch whose items build on each other: there the batch shows them. */
  readonly balances: readonly PreviewBalance[] | null;
  readonly legs: readonly PreviewLeg[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/** Open holds by the balance whose money they tie up. */
export type OpenHolds = ReadonlyMap<BalanceId, readonly Transaction[]>;

/** The postings that move money: the legs of a split, or the one that stands alone. */
export const moversOf = ({ posting, legs }: Split): readonly Posting[] =>
  legs.length === 0 ? [posting] : legs;

/** What recording a transaction would do. `taken` is the refusal of its reference, or of one of its legs', if they are used. */
export function previewOf(split: Split, books: Books, taken: LedgerError | null): Preview {
  const movers = moversOf(split);
  const refused = taken === null ? refusalOfSplit(split, books) : refusedBy("reference", taken);
  return {
    ...shownOf(split, refused),
    balances: balancesOf(movers, books, refused === null ? carriedOut(books, movers) : books),
  };
}

/** Why a transaction would be refused by its balances; all legs of a split go, or none. */
export function refusalOfSplit({ posting, legs }: Split, books: Books): Refused | null {
  if (legs.length === 0) return refusalOf(books, posting);
  return refusalOfGroup(books, legs)?.refused ?? null;
}

/** A preview of a transaction but for its balances. */
export function shownOf(
  { posting, legs }: Split,
  refused: Refused | null,
): Omit<Preview, "balances"> {
  const { reference, currency, amount, preciseAmount, precision, shares } = posting;
  return {
    refused,
    operation: null,
    status: refused === null ? settledStatus(posting) : null,
    reference,
    currency,
    amount,
    preciseAmount,
    precision,
    legs: legs.map((leg, index) => ({
      identifier: shares?.list[index]?.identifier ?? "",
      role: shares?.side === "sources" ? "source" : "destination",
      preciseAmount: leg.preciseAmount,
      amount: leg.amount,
    })),
    notes:
      posting.scheduledFor === "" || posting.skipQueue
        ? []
        : ["scheduled_for is left out of account: this is what would happen now"],
  };
}

/** Each balance of the postings once, sources first, as it stands in both books. */
export function balancesOf(
  postings: readonly Posting[],
  before: Books,
  after: Books,
): PreviewBalance[] {
  const balances = new Map<BalanceId, PreviewBalance>();
  for (const role of ["source", "destination"] as const) {
    for (const posting of postings) {
      const { balanceId } = posting[role];
      if (balances.has(balanceId)) continue;
      const { amounts, currency, virtualName } = knownOf(before, balanceId);
      balances.set(balanceId, {
        balanceId,
        virtualName,
        role,
        currency,
        before: amounts,
        after: knownOf(after, balanceId).amounts,
      });
    }
  }
  return [...balances.values()];
}

/** Major units of the sum of minor ones, as decimal text. */
export function totalOf(
  amounts: readonly bigint[],
  precision: bigint,
): { readonly preciseAmount: bigint; readonly amount: string } {
  const preciseAmount = amounts.reduce((sum, amount) => sum + amount, 0n);
  return { preciseAmount, amount: toMajorUnits(preciseAmount, precision) };
}
