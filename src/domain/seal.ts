import type { BalanceProfile } from "./balance-record";
import { sha256Hex } from "./digest";
import type { Instant } from "./time";
import type { Overdraft, Posting } from "./transaction";

/*
 * What the hashes of the ledger are made of. Each is the SHA-256 of a JSON list of texts, booleans, whole numbers and nulls, so
 * that no two contents share a text. The lists are fixed: a verifier that somebody keeps must not outlive them.
 */

/** The version of a balance that nothing has happened to yet. */
export const FIRST_VERSION = 1;

/** The hash that stands before a balance's first entry. */
export const GENESIS_HASH = "0".repeat(64);

/** An entry of a balance as it is stored: one change of its money, with the amounts after it. Amounts are minor units in digits. */
export interface Entry {
  /** The version that the balance has after it; the first entry is version 2. */
  readonly version: number;
  /** `<transaction id>.<attempt>.<side>`. */
  readonly op: string;
  readonly transactionId: string;
  readonly side: string;
  readonly action: string;
  readonly amount: string;
  readonly credit: string;
  readonly debit: string;
  readonly inflightCredit: string;
  readonly inflightDebit: string;
  readonly effectiveDate: Instant;
  readonly at: Instant;
  /** The seal of the transaction as it was recorded; "" in entries older than seals. */
  readonly seal: string;
  readonly hash: string;
}

/** What the hash of an entry is made of, as a list. Entries older than seals end before theirs. */
export const entryContent = (entry: Entry): (string | number)[] => [
  entry.version,
  entry.op,
  entry.transactionId,
  entry.side,
  entry.action,
  entry.amount,
  entry.credit,
  entry.debit,
  entry.inflightCredit,
  entry.inflightDebit,
  entry.effectiveDate,
  entry.at,
  ...(entry.seal === "" ? [] : [entry.seal]),
];

/** The hash of an entry: of the hash before it and of its content. */
export const entryHash = (before: string, content: readonly (string | number)[]): string =>
  sha256Hex(JSON.stringify([before, ...content]));

/** What the seal of a transaction is made of: all that its client asked for, with its metadata and what it follows from. */
export const postingContent = (posting: Posting): (string | boolean | null)[] => [
  posting.transactionId,
  posting.kind,
  posting.parentTransaction,
  posting.group,
  posting.reference,
  posting.currency,
  posting.description,
  posting.source.balanceId,
  posting.source.indicator,
  posting.destination.balanceId,
  posting.destination.indicator,
  posting.preciseAmount.toString(),
  posting.precision.toString(),
  posting.amount,
  posting.amountString,
  overdraftText(posting.overdraft),
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
];

/** The seal of a transaction as it was recorded: both its entries carry it. */
export const postingSeal = (posting: Posting): string =>
  sha256Hex(JSON.stringify(postingContent(posting)));

/** The seal of a balance's profile, with its version and with what made it. */
export const profileSeal = (
  profile: BalanceProfile,
  profileVersion: number,
  createdBy: string,
): string =>
  sha256Hex(
    JSON.stringify([
      profile.balanceId,
      profile.ledgerId,
      profile.identityId,
      profile.currency,
      profile.indicator,
      profile.createdAt,
      profile.metaData,
      profile.trackFundLineage,
      profile.allocationStrategy,
      profileVersion,
      createdBy,
    ]),
  );

/** What a source may owe, as a text: `none`, `unlimited`, or minor units. */
export const overdraftText = (overdraft: Overdraft): string =>
  overdraft.kind === "limited" ? overdraft.limit.toString() : overdraft.kind;
