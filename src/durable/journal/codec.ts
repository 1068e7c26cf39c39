import { z } from "zod";
import type { BalanceId, BatchId, TransactionId } from "../../domain/ids";
import type { Posting } from "../../domain/transaction";
import type { Claim } from "./row";

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

/** Claims as JSON text. */
export const claimsText = (claims: readonly Claim[]): string =>
  JSON.stringify(claims.map(({ shard, posting }) => [shard, postingText(posting)]));

const storedClaims = z.array(z.tuple([z.number(), z.string()]));

/** The claims that `claimsText` wrote. */
export const claimsOf = (text: string): Claim[] =>
  storedClaims
    .parse(JSON.parse(text))
    .map(([shard, posting]) => ({ shard, posting: postingOf(posting) }));
