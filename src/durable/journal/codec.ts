import { z } from "zod";
import type { BalanceId, BatchId, TransactionId } from "../../domain/ids";
import type { Piece } from "../../domain/lineage";
import type { Posting } from "../../domain/transaction";
import type { Claim, Outcome } from "./row";

const amount = z.string().transform((text) => BigInt(text));

const side = z.object({
  // Whatever a client named: a text that is no balance id is recorded too, and then rejected.
  balanceId: z.custom<BalanceId>((value) => typeof value === "string"),
  indicator: z.string().nullable(),
});

const overdraft = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("unlimited") }),
  z.object({ kind: z.literal("limited"), limit: amount }),
]);

const stored = z.object({
  transactionId: z.custom<TransactionId>((value) => typeof value === "string"),
  kind: z.enum(["post", "commit", "void", "refund", "split", "pointer"]),
  parentTransaction: z.string(),
  reference: z.string(),
  currency: z.string(),
  description: z.string(),
  source: side,
  destination: side,
  preciseAmount: amount,
  precision: amount,
  amount: z.string(),
  amountString: z.string(),
  overdraft,
  allowOverdraft: z.boolean(),
  overdraftLimit: z.string(),
  inflight: z.boolean(),
  skipQueue: z.boolean(),
  atomic: z.boolean(),
  scheduledFor: z.string(),
  inflightExpiryDate: z.string(),
  inflightCommitDate: z.string(),
  effectiveDate: z.string().nullable(),
  postedEffectiveDate: z.string(),
  hash: z.string(),
  metaData: z.string().nullable(),
  group: z.custom<TransactionId | BatchId>((value) => typeof value === "string").nullable(),
  shares: z
    .object({
      side: z.enum(["sources", "destinations"]),
      list: z.array(
        z.object({
          identifier: z.string(),
          distribution: z.string(),
          preciseDistribution: z.string(),
          transactionId: z.string(),
        }),
      ),
    })
    .nullable(),
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
  const { overdraft, preciseAmount, precision } = posting;
  const plain = {
    ...posting,
    preciseAmount: preciseAmount.toString(),
    precision: precision.toString(),
    overdraft:
      overdraft.kind === "limited"
        ? { kind: overdraft.kind, limit: overdraft.limit.toString() }
        : overdraft,
  };
  return JSON.stringify(FIELDS.map((field) => plain[field]));
}

/** Where SQLite finds a field in such a text. */
export const pathOf = (field: (typeof FIELDS)[number]): string => `$[${FIELDS.indexOf(field)}]`;

const values = z.array(z.unknown());

/** The posting that `postingText` wrote. */
export function postingOf(text: string): Posting {
  const list = values.parse(JSON.parse(text));
  return stored.parse(Object.fromEntries(FIELDS.map((field, index) => [field, list[index]])));
}

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
  const plain = ({ provider, amount: minor }: Piece) => [provider, minor.toString()];
  const { released, received } = traced;
  return JSON.stringify({
    ...outcome,
    traced: { ...traced, released: released.map(plain), received: received.map(plain) },
  });
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
