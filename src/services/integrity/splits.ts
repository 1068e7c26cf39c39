import { isBatchId, isTransactionId, shardOf, transactionIdOf } from "../../domain/ids";
import { postingSeal } from "../../domain/seal";
import type { Posting } from "../../domain/transaction";
import type { InspectedRecord, InspectedRow } from "../../durable/journal/inspection";
import type { AuditContext } from "../context";

/** Postings and attempts by their ids, without their metadata. */
export type Kin = ReadonlyMap<string, { readonly posting: Posting; readonly attempt: string }>;

/** What the parts of splits name: references their legs, legs their split and the row that keeps their reference. */
export async function kinOf(
  { inspector, instance }: AuditContext,
  rows: readonly InspectedRow[],
): Promise<Kin> {
  const ids = rows.flatMap(({ record }) => {
    if (record === null) return [];
    const { kind, parentTransaction, reference } = record.posting;
    if (kind === "pointer") return [parentTransaction];
    return isLeg(record) ? [parentTransaction, transactionIdOf(instance, reference)] : [];
  });
  const found = await inspector.each(ids, ({ transactionId: id, record }) => {
    if (record === null) return [];
    const { posting, attempt } = record;
    return [[id, { posting: { ...posting, metaData: null }, attempt }] as const];
  });
  return new Map(found.flat());
}

/** What is wrong between a part of a split and what it names. */
export function kinFindings(instance: string, record: InspectedRecord, kin: Kin): string[] {
  const { posting } = record;
  if (posting.kind === "pointer") {
    const leg = kin.get(posting.parentTransaction);
    return leg !== undefined && leadsTo(posting, leg.posting) && leg.attempt === record.attempt
      ? []
      : ["it does not lead to a leg of its reference"];
  }
  if (!isLeg(record)) return [];
  const { transactionId, parentTransaction, reference } = posting;
  const messages: string[] = [];
  const shares = kin.get(parentTransaction)?.posting.shares?.list ?? [];
  if (!shares.some((share) => share.transactionId === transactionId)) {
    messages.push("it is no leg of its split");
  }
  const pointer = kin.get(transactionIdOf(instance, reference))?.posting;
  if (pointer?.kind !== "pointer" || pointer.parentTransaction !== transactionId) {
    messages.push("nothing keeps its reference");
  }
  return messages;
}

/** The shard that a row names as that of its group: only references that groups took name one. */
export function coordinatorOf({ kind, group }: Posting, shards: number): number | null {
  if (group === null) return null;
  if (isBatchId(group)) return kind === "post" ? shardOf(group, shards) : null;
  return kind === "pointer" && isTransactionId(group) ? shardOf(group, shards) : null;
}

/** Whether it is a leg that has moved: the references of one that was refused are free again. */
const isLeg = ({ posting: { kind, group, parentTransaction }, status }: InspectedRecord): boolean =>
  kind === "post" &&
  group !== null &&
  group === parentTransaction &&
  group.startsWith("txn_") &&
  status !== "REJECTED";

function leadsTo(pointer: Posting, leg: Posting): boolean {
  const { kind, transactionId, parentTransaction, skipQueue, metaData } = pointer;
  const expected = { ...leg, kind, transactionId, parentTransaction, skipQueue, metaData };
  return postingSeal(expected) === postingSeal(pointer);
}

/** Whether legs are what a split is shared out in: all that they have in common is the split's. */
export function isWhole(split: Posting, legs: readonly Posting[]): boolean {
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
