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

/** A posting as JSON text. Amounts are decimal strings, so no digit is lost. */
export const postingText = (posting: Posting): string =>
  JSON.stringify(posting, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );

/** The posting that `postingText` wrote. */
export const postingOf = (text: string): Posting => stored.parse(JSON.parse(text));

/** Claims as JSON text. */
export const claimsText = (claims: readonly Claim[]): string =>
  JSON.stringify(claims.map(({ shard, posting }) => [shard, postingText(posting)]));

const storedClaims = z.array(z.tuple([z.number(), z.string()]));

/** The claims that `claimsText` wrote. */
export const claimsOf = (text: string): Claim[] =>
  storedClaims
    .parse(JSON.parse(text))
    .map(([shard, posting]) => ({ shard, posting: postingOf(posting) }));
