import { z } from "zod";
import type { BalanceId, BatchId, TransactionId } from "../../domain/ids";
import { plainPieces } from "../../domain/lineage";
import type { Overdraft, Posting, Side } from "../../domain/transaction";
import type { Claim, Outcome } from "./row";

const amount = z.string().transform((text) => BigInt(text));

const shares = z.object({
  side: z.enum(["sources", "destinations"]),
  list: z.array(
    z.object({
      identifier: z.string(),
      distribution: z.string(),
      preciseDistribution: z.string(),
      transactionId: z.string(),
    }),
  ),
});

/** The fields of a posting in the order in which they are stored. Append only: old rows end earlier. */
const FIELDS = [
  "transactionId",
  "kind",
  "parentTransaction",
  "reference",
  "currency",
  "description",
  "source",
  "destination",
  "preciseAmount",
  "precision",
  "amount",
  "amountString",
  "overdraft",
  "allowOverdraft",
  "overdraftLimit",
  "inflight",
  "skipQueue",
  "atomic",
  "scheduledFor",
  "inflightExpiryDate",
  "inflightCommitDate",
  "effectiveDate",
  "postedEffectiveDate",
  "hash",
  "metaData",
  "group",
  "shares",
] as const satisfies readonly (keyof Posting)[];

/** A posting as a JSON list: short, because a row is written twice and read back. Amounts are decimal strings. */
export function postingText(posting: Posting): string {
  const { overdraft } = posting;
  // The order of FIELDS.
  return JSON.stringify([
    posting.transactionId,
    posting.kind,
    posting.parentTransaction,
    posting.reference,
    posting.currency,
    posting.description,
    posting.source,
    posting.destination,
    posting.preciseAmount.toString(),
    posting.precision.toString(),
    posting.amount,
    posting.amountString,
    overdraft.kind === "limited"
      ? { kind: overdraft.kind, limit: overdraft.limit.toString() }
      : overdraft,
    posting.allowOverdraft,
    posting.overdraftLimit,
    posting.inflight,
    posting.skipQueue,
    posting.atomic,
    posting.scheduledFor,
    posting.inflightExpiryDate,
    posting.inflightCommitDate,
    posting.effectiveDate,
    posting.postedEffectiveDate,
    posting.hash,
    posting.metaData,
    posting.group,
    posting.shares,
  ]);
}

type Field = (typeof FIELDS)[number];

/** Where SQLite finds a field in such a text. */
export const pathOf = (field: Field): string => `$[${FIELDS.indexOf(field)}]`;

/**
 * The posting that `postingText` wrote. Written out, because a schema would take longer than all else that is done to read a
 * row. Throws when it makes no sense.
 */
export function postingOf(text: string): Posting {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw nonsense("posting");
  // The order of FIELDS.
  const [
    transactionId,
    kind,
    parentTransaction,
    reference,
    currency,
    description,
    source,
    destination,
    preciseAmount,
    precision,
    amount,
    amountString,
    overdraft,
    allowOverdraft,
    overdraftLimit,
    inflight,
    skipQueue,
    atomic,
    scheduledFor,
    inflightExpiryDate,
    inflightCommitDate,
    effectiveDate,
    postedEffectiveDate,
    hash,
    metaData,
    group,
    shared,
  ]: unknown[] = list;
  return {
    transactionId: idIn<TransactionId>(transactionId),
    kind: oneOf(KINDS, kind),
    parentTransaction: textIn(parentTransaction),
    reference: textIn(reference),
    currency: textIn(currency),
    description: textIn(description),
    source: sideIn(source),
    destination: sideIn(destination),
    preciseAmount: BigInt(textIn(preciseAmount)),
    precision: BigInt(textIn(precision)),
    amount: textIn(amount),
    amountString: textIn(amountString),
    overdraft: overdraftIn(overdraft),
    allowOverdraft: flagIn(allowOverdraft),
    overdraftLimit: textIn(overdraftLimit),
    inflight: flagIn(inflight),
    skipQueue: flagIn(skipQueue),
    atomic: flagIn(atomic),
    scheduledFor: textIn(scheduledFor),
    inflightExpiryDate: textIn(inflightExpiryDate),
    inflightCommitDate: textIn(inflightCommitDate),
    effectiveDate: orNull(textIn, effectiveDate),
    postedEffectiveDate: textIn(postedEffectiveDate),
    hash: textIn(hash),
    metaData: orNull(textIn, metaData),
    group: orNull(idIn<TransactionId | BatchId>, group),
    shares: orNull((value) => shares.parse(value), shared),
  };
}

const KINDS = ["post", "commit", "void", "refund", "split", "pointer"] as const;

const nonsense = (what: string): TypeError => new TypeError(`this is no ${what}`);

function textIn(value: unknown): string {
  if (typeof value !== "string") throw nonsense("text");
  return value;
}

function flagIn(value: unknown): boolean {
  if (typeof value !== "boolean") throw nonsense("flag");
  return value;
}

function oneOf<T extends string>(names: readonly T[], value: unknown): T {
  const name = names.find((each) => each === value);
  if (name === undefined) throw nonsense(names.join(" or "));
  return name;
}

/** An id as it was written: whatever a client named is recorded too, and then rejected. */
function idIn<Id extends string>(value: unknown): Id {
  if (!isText<Id>(value)) throw nonsense("id");
  return value;
}

const isText = <T extends string>(value: unknown): value is T => typeof value === "string";

function sideIn(value: unknown): Side {
  if (typeof value !== "object" || value === null) throw nonsense("side");
  const { balanceId, indicator }: { balanceId?: unknown; indicator?: unknown } = value;
  return { balanceId: idIn<BalanceId>(balanceId), indicator: orNull(textIn, indicator) };
}

function overdraftIn(value: unknown): Overdraft {
  if (typeof value !== "object" || value === null) throw nonsense("overdraft");
  const { kind, limit }: { kind?: unknown; limit?: unknown } = value;
  return kind === "limited"
    ? { kind, limit: BigInt(textIn(limit)) }
    : { kind: oneOf(["none", "unlimited"] as const, kind) };
}

const orNull = <T>(read: (value: unknown) => T, value: unknown): T | null =>
  value === null || value === undefined ? null : read(value);

const pieces = z.array(
  z.tuple([z.string(), amount]).transform(([provider, minor]) => ({ provider, amount: minor })),
);

const storedOutcome = z.object({
  sourceVersion: z.number(),
  destinationVersion: z.number(),
  traced: z
    .object({
      released: pieces,
      received: pieces,
      strategy: z.string(),
      identityId: z.string(),
      passedOn: z.boolean(),
    })
    .exactOptional(),
  shadows: z.array(z.custom<TransactionId>((value) => typeof value === "string")).exactOptional(),
});

/** An outcome as JSON text; null when there is none. */
export function outcomeText(outcome: Outcome | null): string | null {
  if (outcome === null) return null;
  const { traced } = outcome;
  if (traced === undefined) return JSON.stringify(outcome);
  const released = plainPieces(traced.released);
  const received = plainPieces(traced.received);
  return JSON.stringify({ ...outcome, traced: { ...traced, released, received } });
}

/** The outcome that `outcomeText` wrote. */
export function outcomeOf(text: string | null): Outcome | null {
  if (text === null) return null;
  const value = JSON.parse(text);
  return "traced" in value ? storedOutcome.parse(value) : value;
}

/** Claims as JSON text. */
export const claimsText = (claims: readonly Claim[]): string =>
  JSON.stringify(claims.map(({ shard, posting }) => [shard, postingText(posting)]));

const storedClaims = z.array(z.tuple([z.number(), z.string()]));

/** The claims that `claimsText` wrote. */
export const claimsOf = (text: string): Claim[] =>
  storedClaims
    .parse(JSON.parse(text))
    .map(([shard, posting]) => ({ shard, posting: postingOf(posting) }));
