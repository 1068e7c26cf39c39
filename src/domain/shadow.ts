import { toMajorUnits } from "./amount";
import { type BalanceId, sha256Hex, transactionIdOf } from "./ids";
import { rawNumber, stringifyJson } from "./json";
import { ALLOCATION_KEY, type Piece, type Traced } from "./lineage";
import { mergeMetaData } from "./metadata";
import { sideOf } from "./posting";
import { rowHash } from "./row-hash";
import { actionOf } from "./saga";
import { OF_OUR_OWN, type Posting, type Side } from "./transaction";

/** A provider's name that is longer than this stands in references and indicators as its digest. */
const SHORT_MAX = 100;

const shortOf = (provider: string): string =>
  provider.length > SHORT_MAX ? sha256Hex(provider) : provider;

/** The indicator of what a balance has of one provider. Named after the balance, so that no two share it. */
const fundIndicator = (provider: string, owner: BalanceId): string =>
  `@${shortOf(provider)}_${owner}_lineage`;

/** The indicator of what a balance has of all providers. */
const aggregateIndicator = (owner: BalanceId): string => `@${owner}_lineage`;

/** The shadow balance of one provider, and the one of all, of a balance that tracks its funds. */
export const shadowsOf = (
  instance: string,
  owner: BalanceId,
  currency: string,
): { readonly fund: (provider: string) => Side; readonly aggregate: Side } => ({
  fund: (provider) => sideOf(instance, fundIndicator(provider, owner), currency),
  aggregate: sideOf(instance, aggregateIndicator(owner), currency),
});

/** What a shadow transaction tells of, by `_lineage_type`. */
type LineageType = "credit" | "release" | "receive";

const SAID: Readonly<
  Record<LineageType, { readonly mark: string; readonly describe: (provider: string) => string }>
> = {
  credit: { mark: "shadow", describe: (provider) => `Shadow credit from ${provider}` },
  release: { mark: "release", describe: (provider) => `Release ${provider} funds` },
  receive: { mark: "receive", describe: (provider) => `Receive ${provider} funds` },
};

/**
 * A shadow transaction under each reference that it may have: the next counts where a client has used those before it. The
 * last is made of the record's attempt, which nobody knows before the record is there.
 */
export type Shadow = readonly [Posting, ...Posting[]];

/**
 * The transactions that tell in shadow balances whose money a transaction moved (contract/transactions.md section 12.2):
 * one for each piece, those of the source first.
 */
export function shadowPostings(
  instance: string,
  { posting: shadowed, attempt }: { readonly posting: Posting; readonly attempt: string },
  traced: Traced,
): Shadow[] {
  const { currency, source, destination } = shadowed;
  const out = shadowsOf(instance, source.balanceId, currency);
  const into = shadowsOf(instance, destination.balanceId, currency);
  const type = traced.passedOn ? "receive" : "credit";
  const from = traced.passedOn
    ? { _from_balance: source.balanceId }
    : { _identity_id: traced.identityId };
  return [
    ...traced.released.map((piece) =>
      shadowOf(
        instance,
        { shadowed, attempt },
        {
          type: "release",
          piece,
          source: out.aggregate,
          destination: out.fund(piece.provider),
          metaData: { _allocation: traced.strategy, _main_balance: source.balanceId },
        },
      ),
    ),
    ...traced.received.map((piece) =>
      shadowOf(
        instance,
        { shadowed, attempt },
        {
          type,
          piece,
          source: into.fund(piece.provider),
          destination: into.aggregate,
          metaData: { ...from, _main_balance: destination.balanceId },
        },
      ),
    ),
  ];
}

function shadowOf(
  instance: string,
  { shadowed, attempt }: { readonly shadowed: Posting; readonly attempt: string },
  how: {
    readonly type: LineageType;
    readonly piece: Piece;
    readonly source: Side;
    readonly destination: Side;
    readonly metaData: object;
  },
): Shadow {
  const { type, piece, source, destination } = how;
  const { mark, describe } = SAID[type];
  const short = shortOf(piece.provider);
  const major = toMajorUnits(piece.amount, shadowed.precision);
  const made = (reference: string): Posting => ({
    ...OF_OUR_OWN,
    transactionId: transactionIdOf(instance, reference),
    kind: "post",
    parentTransaction: "",
    reference,
    currency: shadowed.currency,
    description: describe(piece.provider),
    source,
    destination,
    preciseAmount: piece.amount,
    precision: shadowed.precision,
    amount: major,
    amountString: "",
    overdraft: { kind: "unlimited" },
    allowOverdraft: true,
    inflight: actionOf(shadowed) === "hold",
    effectiveDate: shadowed.effectiveDate,
    postedEffectiveDate: shadowed.postedEffectiveDate,
    hash: rowHash({
      amount: major,
      reference,
      currency: shadowed.currency,
      source: source.balanceId,
      destination: destination.balanceId,
    }),
    metaData: stringifyJson({
      _shadow_for: shadowed.transactionId,
      _provider: piece.provider,
      _lineage_type: type,
      ...how.metaData,
    }),
  });
  const byId = `${shadowed.transactionId}_${mark}_${short}`;
  return [made(`${shadowed.reference}_${mark}_${short}`), made(byId), made(`${byId}_${attempt}`)];
}

/** Metadata with the word of whose money was spent. */
export const withAllocation = (metaData: string | null, pieces: readonly Piece[]): string =>
  mergeMetaData(
    metaData,
    stringifyJson({
      [ALLOCATION_KEY]: pieces.map(({ provider, amount }) => ({
        amount: rawNumber(amount),
        provider,
      })),
    }),
  );
