import type { Finding } from "../../domain/finding";
import { legIdOf, transactionIdOf } from "../../domain/ids";
import { type Piece, plainPieces } from "../../domain/lineage";
import { actionOf, settledStatus, settlesHold } from "../../domain/saga";
import { postingSeal } from "../../domain/seal";
import { shadowPostings } from "../../domain/shadow";
import type { Posting, Transaction } from "../../domain/transaction";
import type { EntryPlace } from "../../durable/balance/evidence";
import type { FundMove } from "../../durable/balance/funds";
import type { InspectedRecord, InspectedRow } from "../../durable/journal/inspection";
import { differences, idOf, type Key } from "../../storage/copies";
import type { Values } from "../../storage/projection";
import type { AuditContext } from "../context";

const SIDES = ["source", "destination"] as const;
type SideName = (typeof SIDES)[number];

/** What transactions, their entries and their rows in D1 tell differently. Looks twice, since they may change meanwhile. */
export async function transactionFindings(
  ctx: AuditContext,
  rows: readonly InspectedRow[],
): Promise<Finding[]> {
  const first = await look(ctx, rows);
  if (first.length === 0) return [];
  const ids = first.map(({ id }) => id);
  return look(ctx, await ctx.inspector.rows(ids));
}

/** The keys of rows in D1 of which the journal has no transaction; one that cannot be read counts as known. */
export async function unknownCopies(
  { inspector }: AuditContext,
  keys: readonly Key[],
): Promise<Key[]> {
  const rows = await inspector.rows(keys.map(idOf));
  const known = new Map<string, InspectedRecord | null>(
    rows.map(({ transactionId, record }) => [transactionId, record]),
  );
  return keys.filter((key) => {
    const record = known.get(idOf(key));
    if (record === undefined) return true;
    const shown = record?.shown ?? null;
    return shown !== null && shown.createdAt !== key[0];
  });
}

async function look(ctx: AuditContext, rows: readonly InspectedRow[]): Promise<Finding[]> {
  const [entries, targets, copies] = await Promise.all([
    entriesOf(ctx, rows),
    targetsOf(ctx, rows),
    ctx.copies.byKeys(
      "transactions",
      rows.flatMap(({ record }) =>
        record?.shown ? [[record.shown.createdAt, record.shown.transactionId]] : [],
      ),
    ),
  ]);
  return rows.flatMap((row) => {
    const { transactionId: id, record } = row;
    if (record === null) return [finding("row_altered", id, "the transaction cannot be read")];
    const findings = rowFindings(ctx.instance, row, record).map((message) =>
      finding("row_altered", id, message),
    );
    if (!record.isSettled) return findings;
    if (record.posting.kind === "pointer" && !leadsTo(record.posting, targets)) {
      findings.push(finding("row_altered", id, "it does not lead to a leg of its reference"));
    }
    findings.push(
      ...entryFindings(record, (op) => entries.get(op) ?? null).map((message) =>
        finding("row_differs", id, message),
      ),
    );
    findings.push(
      ...fundFindings(ctx.instance, record, (op) => entries.get(op) ?? null).map((message) =>
        finding("funds_altered", id, message),
      ),
    );
    if (record.shown === null) return findings;
    const copy = copies.get(id);
    if (copy === undefined) {
      return [...findings, { ...finding("copy_missing", id, "D1 does not have it"), store: "d1" }];
    }
    const expected = copyOf(ctx, record.shown);
    if (expected === null) return [...findings, finding("row_altered", id, "it makes no sense")];
    const columns = differences(expected, copy);
    if (columns.length === 0) return findings;
    const message = `D1 and the journal differ in ${columns.join(", ")}`;
    return [...findings, { ...finding("copy_differs", id, message), store: "d1" }];
  });
}

/** The row that D1 is to have; null when it cannot be made of what is stored. */
function copyOf({ copies }: AuditContext, shown: Transaction): Values | null {
  try {
    return copies.ofTransaction(shown);
  } catch {
    return null;
  }
}

/** The legs that references of splits lead to, by their ids. */
async function targetsOf(
  { inspector }: AuditContext,
  rows: readonly InspectedRow[],
): Promise<ReadonlyMap<string, Posting>> {
  const ids = rows.flatMap(({ record }) =>
    record?.posting.kind === "pointer" ? [record.posting.parentTransaction] : [],
  );
  const legs = ids.length === 0 ? [] : await inspector.rows(ids);
  return new Map(
    legs.flatMap(({ transactionId, record }) =>
      record === null ? [] : [[transactionId, record.posting]],
    ),
  );
}

function leadsTo(pointer: Posting, targets: ReadonlyMap<string, Posting>): boolean {
  const leg = targets.get(pointer.parentTransaction);
  if (leg === undefined) return false;
  const { kind, transactionId, parentTransaction, skipQueue, metaData } = pointer;
  const expected = { ...leg, kind, transactionId, parentTransaction, skipQueue, metaData };
  return postingSeal(expected) === postingSeal(pointer);
}

const finding = (code: Finding["code"], id: string, message: string): Finding => ({
  code,
  id,
  store: "journal",
  version: null,
  message,
});

export const operationOf = (
  { posting, attempt }: Pick<InspectedRecord, "posting" | "attempt">,
  side: SideName,
): string => `${posting.transactionId}.${attempt}.${side}`;

/** The entries that the rows may have made, by their operations: one call for each balance. */
async function entriesOf(
  { inspector }: AuditContext,
  rows: readonly InspectedRow[],
): Promise<Map<string, EntryPlace>> {
  const ops = rows.flatMap(({ record }) =>
    record === null || !record.isSettled || !hasEntries(record.posting)
      ? []
      : SIDES.map((side) => ({
          balanceId: record.posting[side].balanceId,
          op: operationOf(record, side),
        })),
  );
  const found = await Promise.all(
    [...Map.groupBy(ops, ({ balanceId }) => balanceId)].map(async ([balanceId, some]) => {
      const places = await inspector
        .placesOf(
          balanceId,
          some.map(({ op }) => op),
        )
        // A balance that cannot be read is told of where balances are looked at.
        .catch(() => some.map(() => null));
      return some.map(({ op }, index) => [op, places[index] ?? null] as const);
    }),
  );
  return new Map(found.flat().flatMap(([op, place]) => (place === null ? [] : [[op, place]])));
}

const hasEntries = ({ kind }: Posting): boolean => kind !== "split" && kind !== "pointer";

/** What is wrong with a row by itself. */
function rowFindings(
  instance: string,
  { transactionId, parent }: InspectedRow,
  { posting, status, legs, isSettled }: InspectedRecord,
): string[] {
  const messages: string[] = [];
  if (posting.transactionId !== transactionId) messages.push("it lies under another id");
  if (posting.parentTransaction !== parent) messages.push("it is found under another parent");
  if (!hasItsId(instance, posting)) messages.push("its id is not that of its reference");
  if (isSettled && !statusesOf(posting).includes(status)) {
    messages.push(`it cannot be ${status}`);
  }
  if (posting.kind === "split" && !isWhole(posting, legs)) {
    messages.push("the split is not what its legs are parts of");
  }
  return messages;
}

function hasItsId(
  instance: string,
  { kind, group, transactionId, reference, parentTransaction }: Posting,
): boolean {
  const isLeg = kind === "post" && group !== null && group === parentTransaction;
  const own = transactionIdOf(instance, reference);
  if (!isLeg || !group.startsWith("txn_")) return transactionId === own;
  return transactionId === legIdOf(instance, `txn_${group.slice(4)}`, reference);
}

/** The states in which such a record may end. */
const statusesOf = (posting: Posting): readonly string[] =>
  posting.kind === "pointer"
    ? ["POINTER"]
    : [settledStatus(posting), ...(posting.skipQueue ? [] : ["REJECTED"])];

/** Whether legs are what a split is shared out in: all that they have in common is the split's. */
function isWhole(split: Posting, legs: readonly Posting[]): boolean {
  const sum = legs.reduce((all, { preciseAmount }) => all + preciseAmount, 0n);
  const ids = split.shares?.list.flatMap(({ transactionId }) => transactionId || []) ?? [];
  if (sum !== split.preciseAmount || ids.length !== legs.length) return false;
  const shared = split.shares?.side === "sources" ? split.destination : split.source;
  return legs.every((leg) => {
    if (!ids.includes(leg.transactionId)) return false;
    const own = split.shares?.side === "sources" ? leg.destination : leg.source;
    if (own.balanceId !== shared.balanceId || own.indicator !== shared.indicator) return false;
    return postingSeal(commonOf(leg, split)) === postingSeal(split);
  });
}

/** A leg with the split's own fields in place of those in which legs differ. */
const commonOf = (leg: Posting, split: Posting): Posting => ({
  ...leg,
  transactionId: split.transactionId,
  kind: split.kind,
  parentTransaction: split.parentTransaction,
  group: split.group,
  reference: leg.reference.startsWith(split.reference) ? split.reference : leg.reference,
  source: split.source,
  destination: split.destination,
  preciseAmount: split.preciseAmount,
  amount: split.amount,
  amountString: split.amountString,
  hash: split.hash,
});

/** What a settled row and its entries tell differently. */
function entryFindings(
  record: InspectedRecord,
  placeOf: (op: string) => EntryPlace | null,
): string[] {
  const { posting, outcome, status, createdAt } = record;
  if (!hasEntries(posting)) return [];
  if (outcome === null && status !== "REJECTED") return ["it has no outcome"];
  const seal = postingSeal(posting);
  return SIDES.flatMap((side) => {
    const place = placeOf(operationOf(record, side));
    if (status === "REJECTED") {
      return place === null ? [] : [`it was rejected, and the ${side} has its entry`];
    }
    if (place === null) return [`the ${side} has no entry of it`];
    const { entry } = place;
    const version = side === "source" ? outcome?.sourceVersion : outcome?.destinationVersion;
    const differing = [
      entry.version === version ? null : "version",
      entry.transactionId === posting.transactionId ? null : "transaction",
      entry.side === side ? null : "side",
      entry.action === actionOf(posting) ? null : "action",
      entry.amount === posting.preciseAmount.toString() ? null : "amount",
      entry.effectiveDate === (posting.effectiveDate ?? createdAt) ? null : "effective date",
      entry.seal === "" || entry.seal === seal ? null : "seal",
    ].filter((what) => what !== null);
    if (differing.length === 0) return [];
    return [`it and the entry of its ${side} differ in ${differing.join(", ")}`];
  });
}

/** Where a settled row and its balances tell differently whose money it moved. */
function fundFindings(
  instance: string,
  record: InspectedRecord,
  placeOf: (op: string) => EntryPlace | null,
): string[] {
  const traced = record.outcome?.traced;
  const told = { source: traced?.released ?? [], destination: traced?.received ?? [] };
  if (!hasItsShadows(instance, record)) return ["its shadows are not those of its pieces"];
  return SIDES.flatMap((side) => {
    const move = placeOf(operationOf(record, side))?.move ?? NO_MOVE;
    const isLost = move.pieces.length > 0 && isOpen(record) && !move.isHeld;
    if (!move.isSound || isLost) return [`what the ${side} knows of it was altered`];
    return textOf(move.pieces) === textOf(told[side])
      ? []
      : [`it and its ${side} differ in whose money it was`];
  });
}

const NO_MOVE: FundMove = { pieces: [], isSound: true, isHeld: false };

/** Whether it is a hold of which something is left. */
const isOpen = ({ shown }: InspectedRecord): boolean => (shown?.inflightRemaining ?? 0n) > 0n;

/** Whether the shadows that it names are those that tell of it; what settles a hold has settled the hold's. */
function hasItsShadows(instance: string, { posting, outcome }: InspectedRecord): boolean {
  if (outcome?.traced === undefined) return outcome?.shadows === undefined;
  const { traced, shadows = [] } = outcome;
  if (settlesHold(posting))
    return shadows.length <= traced.released.length + traced.received.length;
  const expected = shadowPostings(instance, posting, traced);
  return (
    shadows.length === expected.length &&
    expected.every((shadow, index) =>
      [shadow.posting, shadow.otherwise].some(
        ({ transactionId }) => transactionId === shadows[index],
      ),
    )
  );
}

const textOf = (pieces: readonly Piece[]): string => JSON.stringify(plainPieces(pieces));
