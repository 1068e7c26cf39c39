import { plainDecimal, significantDigits, signOf, toMajorUnits, toMinorUnits } from "./amount";
import type { Share } from "./distribution";
import { type LedgerError, refusal } from "./error";
import { NAMED_MAX } from "./field-rules";
import { type BalanceId, indicatorBalanceId, isIndicator, transactionIdOf } from "./ids";
import { brokenProvider } from "./lineage";
import { brokenMetaData, type MetaDataText } from "./metadata";
import { err, ok, type Result } from "./result";
import { rowHash } from "./row-hash";
import { withoutReservedKeys } from "./shown-metadata";
import { MANY, type Split, splitOf } from "./split";
import { isTooLongForRow, STORED_MAX } from "./stored-size";
import { parseInstant } from "./time";
import type { Overdraft, Posting, Side } from "./transaction";

/** A transaction as a client asks for it: shapes are right, rules are not checked yet. Absent texts are "". */
export interface PostingRequest {
  /** Decimal text in major units; null when absent. */
  readonly amount: string | null;
  readonly preciseAmount: bigint | null;
  /** Decimal text: a fraction is refused by rule, not by shape. */
  readonly precision: string;
  readonly currency: string;
  readonly reference: string;
  readonly description: string;
  readonly source: string;
  readonly destination: string;
  readonly sources: readonly Share[];
  readonly destinations: readonly Share[];
  readonly allowOverdraft: boolean;
  /** Decimal text in major units. */
  readonly overdraftLimit: string;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  readonly atomic: boolean;
  readonly dryRun: boolean;
  readonly scheduledFor: string;
  readonly inflightExpiryDate: string;
  readonly inflightCommitDate: string;
  /** As it was sent; its shape was checked. */
  readonly effectiveDate: string;
  readonly metaData: MetaDataText | null;
}

const SIGNIFICANT_DIGITS_MAX = 15;
/** Longest texts in characters: generous. What they come to together in a row is measured as well. */
const REFERENCE_MAX = 2_000;
const DESCRIPTION_MAX = 65_536;
/** Entries of a split, and the characters that its legs may repeat between them: they travel in one call. */
const SHARES_MAX = 500;
/** Longest share in words, in characters: as many as an amount in minor units has digits. */
const SHARE_MAX = 400;
const REPEATED_MAX = 4 * 1024 * 1024;

/**
 * What a request asks for, resolved and checked, or the first rule of each field that it breaks
 * (contract/transactions.md sections 1.1 to 1.7). Pure: the same request makes the same posting.
 */
export function postingOf(instance: string, request: PostingRequest): Result<Split> {
  const broken = brokenRules(instance, request);
  if (broken.length > 0) return err({ ...invalid(`${broken.join("; ")}.`), shownAs: "errors" });
  const split = splitFor(instance, request);
  if (!split.ok || !isTooLongForRow(split.value)) return split;
  const message = `meta_data: all texts together are longer than ${STORED_MAX} bytes.`;
  return err({ ...invalid(message), shownAs: "errors" });
}

/** The posting of a request that keeps the rules of its fields, with the legs of a split. */
function splitFor(instance: string, request: PostingRequest): Result<Split> {
  const posting = single(instance, request);
  const { sources, destinations, currency } = request;
  if (sources.length > 0 && destinations.length > 0) {
    // In Blnk the side that is left out of account is a balance with an empty id, which does not exist.
    return err(refusal("TXN_NOT_FOUND", "one side of a split is a single balance"));
  }
  const side = sources.length > 0 ? "sources" : destinations.length > 0 ? "destinations" : null;
  if (side === null) return ok({ posting, legs: [] });
  const shares = request[side].map((share) => ({
    ...share,
    of: sideOf(instance, share.identifier, currency),
  }));
  return splitOf(instance, posting, side, shares);
}

/** The posting of a request that keeps the rules; a side that is shared out is `MANY`. */
function single(instance: string, request: PostingRequest): Posting {
  const { reference, currency, source, destination } = request;
  const precision = precisionOf(request);
  const money = moneyOf(request, precision);
  return {
    transactionId: transactionIdOf(instance, reference),
    kind: "post",
    parentTransaction: "",
    reference,
    currency,
    description: request.description,
    source: source === "" ? MANY : sideOf(instance, source, currency),
    destination: destination === "" ? MANY : sideOf(instance, destination, currency),
    ...money,
    precision,
    overdraft: overdraftOf(request, precision),
    allowOverdraft: request.allowOverdraft,
    overdraftLimit: request.overdraftLimit,
    inflight: request.inflight,
    skipQueue: request.skipQueue,
    atomic: request.atomic,
    scheduledFor: request.scheduledFor,
    inflightExpiryDate: request.inflightExpiryDate,
    inflightCommitDate: request.inflightCommitDate,
    effectiveDate: request.effectiveDate === "" ? null : parseInstant(request.effectiveDate),
    postedEffectiveDate: request.effectiveDate,
    hash: rowHash({ amount: request.amount ?? "0", reference, currency, source, destination }),
    metaData: request.metaData === null ? null : withoutReservedKeys(request.metaData),
    group: null,
    shares: null,
  };
}

const invalid = (message: string): LedgerError => refusal("TXN_VALIDATION_ERROR", message);

/** The first broken rule of each field, sorted by the field's name on the wire. */
function brokenRules(instance: string, request: PostingRequest): string[] {
  const rules: readonly (readonly [field: string, broken: string | null])[] = [
    ["amount", brokenAmount(request)],
    ["currency", brokenText(request.currency, NAMED_MAX)],
    ["description", brokenText(request.description, DESCRIPTION_MAX)],
    ["destination", brokenDestination(instance, request)],
    ["inflight_commit_date", brokenDate(request.inflightCommitDate)],
    ["inflight_expiry_date", brokenDate(request.inflightExpiryDate)],
    [
      "meta_data",
      brokenMetaData(request.metaData) ??
        brokenProvider(request.metaData) ??
        tooLongForShares(request),
    ],
    ["precision", brokenPrecision(request.precision)],
    ["reference", brokenText(request.reference, REFERENCE_MAX)],
    ["scheduled_for", brokenDate(request.scheduledFor)],
    ["source", brokenSide("source", request.source, request.sources)],
  ];
  return rules.flatMap(([field, broken]) => (broken === null ? [] : [`${field}: ${broken}`]));
}

function brokenAmount({ amount, preciseAmount }: PostingRequest): string | null {
  const hasAmount = amount !== null && signOf(amount) !== 0;
  if (hasAmount && preciseAmount !== null) return "send amount or precise_amount, not both";
  if (!hasAmount && preciseAmount === null) return "send amount or precise_amount";
  if (hasAmount && significantDigits(amount) > SIGNIFICANT_DIGITS_MAX) {
    return `has more than ${SIGNIFICANT_DIGITS_MAX} significant digits: send precise_amount`;
  }
  if (hasAmount && signOf(amount) < 0) return "cannot be negative";
  if (preciseAmount !== null && preciseAmount < 0n) return "precise_amount cannot be negative";
  return null;
}

function brokenPrecision(precision: string): string | null {
  if (plainDecimal(precision).includes(".")) return "must be a whole number";
  return signOf(precision) < 0 ? "cannot be negative" : null;
}

function brokenText(text: string, lengthMax: number): string | null {
  if (text === "") return "cannot be blank";
  return text.length > lengthMax ? tooLong(lengthMax) : null;
}

/** Why a description is too long, or null. */
export const tooLongDescription = (text: string): string | null =>
  text.length > DESCRIPTION_MAX ? tooLong(DESCRIPTION_MAX) : null;

const tooLong = (lengthMax: number): string => `is longer than ${lengthMax} characters`;

function brokenDate(text: string): string | null {
  if (text === "" || parseInstant(text) !== null) return null;
  return "must be a time with its offset, as in 2031-04-05T00:00:00+00:00";
}

/** Each leg of a split carries the texts of the whole. */
function tooLongForShares(request: PostingRequest): string | null {
  const { sources, destinations, metaData, description, reference } = request;
  const legs = sources.length + destinations.length;
  const repeated = (metaData ?? "").length + description.length + reference.length;
  return legs * repeated > REPEATED_MAX ? `is too long for ${legs} shares` : null;
}

function brokenSide(name: string, side: string, shares: readonly Share[]): string | null {
  if ((side === "") === (shares.length === 0)) return `send either ${name} or ${name}s`;
  if (shares.length > SHARES_MAX) return `${name}s has more than ${SHARES_MAX} entries`;
  if (side.length > NAMED_MAX) return tooLong(NAMED_MAX);
  for (const { identifier, distribution, preciseDistribution } of shares) {
    if (identifier.length > NAMED_MAX) return `an identifier ${tooLong(NAMED_MAX)}`;
    if (Math.max(distribution.length, preciseDistribution.length) > SHARE_MAX) {
      return `a distribution ${tooLong(SHARE_MAX)}`;
    }
  }
  return null;
}

function brokenDestination(instance: string, request: PostingRequest): string | null {
  const { source, sources, destination, destinations, currency } = request;
  const broken = brokenSide("destination", destination, destinations);
  if (broken !== null) return broken;
  const idsOf = (side: string, shares: readonly Share[]): BalanceId[] =>
    [side, ...shares.map(({ identifier }) => identifier)]
      .filter((name) => name !== "")
      .map((name) => sideOf(instance, name, currency).balanceId);
  const giving = new Set(idsOf(source, sources));
  const isSame = idsOf(destination, destinations).some((id) => giving.has(id));
  return isSame ? "source and destination cannot be the same balance" : null;
}

/** Zero and absent both mean one: minor units are then the major units themselves. */
function precisionOf({ precision }: PostingRequest): bigint {
  const whole = BigInt(plainDecimal(precision));
  return whole === 0n ? 1n : whole;
}

/** The amount in minor units, and in major units as it is echoed. */
function moneyOf(
  { amount, preciseAmount }: PostingRequest,
  precision: bigint,
): Pick<Posting, "preciseAmount" | "amount" | "amountString"> {
  if (preciseAmount === null) {
    const posted = amount ?? "0";
    return { preciseAmount: toMinorUnits(posted, precision), amount: posted, amountString: "" };
  }
  const major = toMajorUnits(preciseAmount, precision);
  return { preciseAmount, amount: major, amountString: major };
}

/** What the source may owe (contract/transactions.md section 2.3): a limit counts without `allow_overdraft` too. */
function overdraftOf(request: PostingRequest, precision: bigint): Overdraft {
  const { allowOverdraft, overdraftLimit } = request;
  const sign = signOf(overdraftLimit);
  if (sign > 0) return { kind: "limited", limit: toMinorUnits(overdraftLimit, precision) };
  return sign === 0 && allowOverdraft ? { kind: "unlimited" } : { kind: "none" };
}

/** The side of a posting named by a balance id or an `@indicator`. */
export function sideOf(instance: string, name: string, currency: string): Side {
  return isIndicator(name)
    ? { balanceId: indicatorBalanceId(instance, name, currency), indicator: name }
    : { balanceId: asPosted(name), indicator: null };
}

/** Any text may stand where a balance id belongs: the journal finds out that no such balance exists. */
const asPosted = (name: string): BalanceId => name as BalanceId;
