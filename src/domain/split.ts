import { toMajorUnits } from "./amount";
import { distribute, type Share } from "./distribution";
import { type LedgerError, refusal } from "./error";
import { legIdOf } from "./ids";
import { err, ok, type Result } from "./result";
import { rowHash } from "./row-hash";
import type { Posting, Side } from "./transaction";

/** A split: the record that the client's id and reference name, and the legs that move the money. */
export interface Split {
  readonly posting: Posting;
  readonly legs: readonly Posting[];
}

/** The side of a split's own record that is shared out: no single balance. */
export const MANY: Side = { balanceId: "bln_", indicator: null };

/**
 * Makes a split of a posting whose `source` or `destination` is `MANY`: one leg a share, all in its currency and
 * under its rules, numbered in the order of the list (contract/transactions.md section 6).
 */
export function splitOf(
  instance: string,
  posting: Posting,
  side: "sources" | "destinations",
  shares: readonly (Share & { readonly of: Side })[],
): Result<Split> {
  const ids = shares.map(({ of }) => of.balanceId);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) return err(bad("a balance can be named once among the shares"));
  const amounts = distribute(posting.preciseAmount, posting.precision, shares);
  if (!amounts.ok) return amounts;
  const legs = shares.map((share, index) =>
    legOf(instance, posting, {
      side,
      share,
      number: index + 1,
      amount: amounts.value[index] ?? 0n,
    }),
  );
  const list = shares.map(({ identifier, distribution, preciseDistribution }, index) => ({
    identifier,
    distribution,
    preciseDistribution,
    transactionId: legs[index]?.transactionId ?? "",
  }));
  return ok({ posting: { ...posting, kind: "split", shares: { side, list } }, legs });
}

function legOf(
  instance: string,
  parent: Posting,
  leg: {
    readonly side: "sources" | "destinations";
    readonly share: Share & { readonly of: Side };
    readonly number: number;
    readonly amount: bigint;
  },
): Posting {
  const { side, share, number, amount } = leg;
  const reference = `${parent.reference}${parent.skipQueue ? "-" : "_"}${number}`;
  const source = side === "sources" ? share.of : parent.source;
  const destination = side === "destinations" ? share.of : parent.destination;
  const major = toMajorUnits(amount, parent.precision);
  const { currency } = parent;
  return {
    ...parent,
    transactionId: legIdOf(instance, parent.transactionId, reference),
    parentTransaction: parent.transactionId,
    group: parent.transactionId,
    reference,
    source,
    destination,
    preciseAmount: amount,
    amount: major,
    amountString: "",
    hash: rowHash({
      amount: major,
      reference,
      currency,
      source: nameOf(source),
      destination: nameOf(destination),
    }),
  };
}

const nameOf = ({ indicator, balanceId }: Side): string => indicator ?? balanceId;

const bad = (message: string): LedgerError => refusal("TXN_VALIDATION_ERROR", message);
