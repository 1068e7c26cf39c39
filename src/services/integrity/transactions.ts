import { chainFindings } from "../../domain/chain";
import type { Finding } from "../../domain/finding";
import { type BalanceId, legIdOf, transactionIdOf } from "../../domain/ids";
import { type Piece, plainPieces } from "../../domain/lineage";
import { actionOf, settledStatus, settlesHold } from "../../domain/saga";
import { postingSeal } from "../../domain/seal";
import { shadowPostings } from "../../domain/shadow";
import { millisOf } from "../../domain/time";
import { holdTimer, scheduledMs } from "../../domain/timer";
import type { Posting, Transaction } from "../../domain/transaction";
import type { EntryPlace } from "../../durable/balance/evidence";
import type { FundMove } from "../../durable/balance/funds";
import type { InspectedRecord, InspectedRow } from "../../durable/journal/inspection";
import { differences, idOf, type Key } from "../../storage/copies";
import type { Values } from "../../storage/projection";
import type { AuditContext } from "../context";
import { coordinatorOf, isWhole, kinFindings, kinOf } from "./splits";

/** A transaction that is not at its end this long after its time is overdue, in milliseconds. */
export const LATE_MS = 120_000;

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
  const known = new Map(
    await inspector.each(keys.map(idOf), ({ transactionId, record }): [string, string | null] => [
      transactionId,
      record !== null && isToldByLegs(record) ? "" : (record?.shown?.createdAt ?? null),
    ]),
  );
  return keys.filter((key) => {
    const createdAt = known.get(idOf(key));
    return createdAt === undefined || (createdAt !== null && createdAt !== key[0]);
  });
}

/** Splits, and references that lead to their legs, are told by the legs alone. */
const isToldByLegs = ({ posting: { kind } }: InspectedRecord): boolean =>
  kind === "split" || kind === "pointer";

async function look(ctx: AuditContext, rows: readonly InspectedRow[]): Promise<Finding[]> {
  const [entries, kin, copies] = await Promise.all([
    entriesOf(ctx, rows),
    kinOf(ctx, rows),
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
    const findings = [
      ...rowFindings(ctx, row, record).map((message) => finding("row_altered", id, message)),
      ...overdueFindings(ctx, row, record),
    ];
    const placeOf = (op: string) => entries.get(op) ?? null;
    if (isEnded(record)) {
      findings.push(
        ...entryFindings(record, placeOf).map((message) => finding("row_differs", id, message)),
      );
    }
    if (record.isSettled || record.isNeglected === true) {
      findings.push(
        ...kinFindings(ctx.instance, record, kin).map((message) =>
          finding("row_altered", id, message),
        ),
        ...fundFindings(ctx.instance, record, placeOf).map((message) =>
          finding("funds_altered", id, message),
        ),
      );
    }
    return [...findings, ...copyFindings(ctx, row, copies.get(id))];
  });
}

/** Whether it has moved, or never will: D1 and the receivers need not know yet. */
const isEnded = ({ isUnfinished, outcome }: InspectedRecord): boolean =>
  !isUnfinished || outcome !== null;

/** A row that D1 was told of, against what D1 has. */
function copyFindings(
  ctx: AuditContext,
  { transactionId: id, record }: InspectedRow,
  copy: Values | undefined,
): Finding[] {
  if (record === null || record.shown === null || !record.isCopied) return [];
  const about = (code: Finding["code"], message: string): Finding[] => [
    { ...finding(code, id, message), store: "d1" },
  ];
  if (copy === undefined) return about("copy_missing", "D1 does not have it");
  const expected = copyOf(ctx, record.shown);
  if (expected === null) return [finding("row_altered", id, "it makes no sense")];
  const columns = differences(expected, copy);
  if (columns.length === 0) return [];
  return about("copy_differs", `D1 and the journal differ in ${columns.join(", ")}`);
}

/** When something is to happen to a schedule or an open hold by itself, in milliseconds since 1970; null when nothing is. */
function dateOf(record: InspectedRecord): number | null {
  const { posting, status } = record;
  if (status === "SCHEDULED") return scheduledMs(posting);
  return status === "INFLIGHT" && isOpen(record) ? (holdTimer(posting)?.atMs ?? null) : null;
}

/** A schedule or a hold whose date has long passed, and at which nobody will look in time; what is looked at late the backlog tells. */
function overdueFindings(
  ctx: AuditContext,
  { transactionId: id }: InspectedRow,
  record: InspectedRecord,
): Finding[] {
  const { dueMs } = record;
  const dateMs = dateOf(record);
  const lateMs = millisOf(ctx.now()) - LATE_MS;
  if (dateMs === null || dateMs >= lateMs) return [];
  if (dueMs !== null && dueMs < lateMs) return [];
  return [finding("overdue", id, "its date is long past, and nothing looks at it")];
}

/** The row that D1 is to have; null when it cannot be made of what is stored. */
function copyOf({ copies }: AuditContext, shown: Transaction): Values | null {
  try {
    return copies.ofTransaction(shown);
  } catch {
    return null;
  }
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
    record === null || !isEnded(record) || !hasEntries(record.posting)
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
  { instance, inspector: { shards } }: AuditContext,
  { transactionId, parent }: InspectedRow,
  record: InspectedRecord,
): string[] {
  const { posting, status, outcome, legs, isUnfinished, isForgotten } = record;
  const messages = [...(record.faults ?? [])];
  if (posting.transactionId !== transactionId) messages.push("it lies under another id");
  if (posting.parentTransaction !== parent) messages.push("it is found under another parent");
  if (!hasItsId(instance, posting)) messages.push("its id is not that of its reference");
  const possible = isUnfinished ? openStatusesOf(posting) : statusesOf(posting);
  if (!possible.includes(status)) messages.push(`it cannot be ${status}`);
  if (isUnfinished && outcome !== null) messages.push("it has an outcome before its end");
  if (isForgotten) messages.push("it has work left that nobody will find");
  if (record.isNeglected === true) messages.push("it has something to tell that nobody will");
  if (posting.kind === "split" && !isWhole(posting, legs)) {
    messages.push("the split is not what its legs are parts of");
  }
  if (record.legAttempts?.some((attempt) => attempt !== record.attempt) === true) {
    messages.push("the split and its legs are of different attempts");
  }
  const { coordinator } = record;
  if (coordinator !== undefined && coordinator !== coordinatorOf(posting, shards)) {
    messages.push("the shard that it names is not that of its group");
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

/** The states in which such a record may be on its way. */
const openStatusesOf = (posting: Posting): readonly string[] => [
  "CLAIMED",
  posting.skipQueue ? "PENDING" : scheduledMs(posting) === null ? "QUEUED" : "SCHEDULED",
];

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
    const { balanceId } = posting[side];
    const links = linkFindings(balanceId, place).map(
      ({ message }) => `the entry of its ${side}: ${message}`,
    );
    if (differing.length === 0) return links;
    return [...links, `it and the entry of its ${side} differ in ${differing.join(", ")}`];
  });
}

/** What is wrong with an entry beside the one before it. */
function linkFindings(balanceId: BalanceId, { entry, previous }: EntryPlace): Finding[] {
  // An object of an older version does not tell.
  if (previous === undefined) return [];
  return chainFindings(balanceId, { version: entry.version - 1, entry: previous }, [entry]);
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
function hasItsShadows(instance: string, record: InspectedRecord): boolean {
  const { posting, outcome } = record;
  if (outcome?.traced === undefined) return outcome?.shadows === undefined;
  const { traced, shadows = [] } = outcome;
  if (settlesHold(posting))
    return shadows.length <= traced.released.length + traced.received.length;
  const expected = shadowPostings(instance, record, traced);
  return (
    shadows.length === expected.length &&
    expected.every((shadow, index) =>
      shadow.some(({ transactionId }) => transactionId === shadows[index]),
    )
  );
}

const textOf = (pieces: readonly Piece[]): string => JSON.stringify(plainPieces(pieces));
