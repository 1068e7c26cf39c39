import type { Transaction } from "../../src/domain/transaction";
import type { ReadBatch } from "../../src/services/batches/read";
import { type Audit, ungrouped } from "./audit";
import { CREDIT, type Place, type SplitOp } from "./group-arbitraries";
import type { Chapter, GroupCourse } from "./group-history";
import type { SentBatch, SentFollowUp, SentTransaction, Watched } from "./group-player";
import { atRest, refundsOf, settlementsOf, spendableOf, sumOf, type Violations } from "./oracle";

/** A history, and what came of all of them. */
interface Facts extends Chapter {
  readonly course: GroupCourse;
  readonly records: readonly Transaction[];
  /** The record that stands under a reference of the history. */
  at(reference: string): Transaction | undefined;
}

/** All that must hold of histories of groups at rest, and whether their answers agree with it. */
export function groupsAtRest(course: GroupCourse): Violations {
  const { seen, world } = course;
  const records = [...seen.shown.values()];
  const facts = course.chapters.map(
    (chapter): Facts => ({
      ...chapter,
      course,
      records,
      at: (reference) => seen.shown.get(world.idOf(`${chapter.prefix}${reference}`)),
    }),
  );
  return [
    ...atRest({ seen: movements(seen) }),
    ...records.filter(({ kind }) => kind === "split").flatMap((split) => splitLaws(split, records)),
    ...pointerLaws(seen),
    ...facts.flatMap(chapterLaws),
  ];
}

function chapterLaws(facts: Facts): string[] {
  const batches = new Map(facts.batches.map((sent) => [sent.batchId, sent]));
  return [
    ...[...batches.values()].flatMap((sent) => batchLaws(sent, facts)),
    ...facts.batches.flatMap((sent) => wrongAnswer(sent, facts)),
    ...facts.watched.flatMap((watched) => wrongSight(watched, facts)),
    ...facts.transactions.flatMap((sent) => wrongRecord(sent, facts)),
    ...facts.followUps.flatMap((sent) => wrongFollowUp(sent, facts)),
  ];
}

/** What moves money: a split's own record stands for its legs, and a pointer for one of them. */
function movements({ rows, shown, projected, ...rest }: Audit): Audit {
  const moves = ({ kind }: { readonly kind: string }) => kind !== "split" && kind !== "pointer";
  return {
    ...rest,
    rows: rows.filter(({ posting }) => moves(posting)),
    shown: ungrouped(new Map([...shown].filter(([, record]) => moves(record)))),
    projected: ungrouped(projected),
  };
}

const hasMoved = ({ status }: Transaction): boolean =>
  status === "APPLIED" || status === "INFLIGHT";

/** Law 5: all of a batch's items have moved, or none of them; and `GET` says so. */
function batchLaws(sent: SentBatch, facts: Facts): string[] {
  const { batchId } = sent;
  const { items, atomic, inflight, skipQueue } = sent.op;
  const shown = facts.course.shown.get(batchId) ?? null;
  const own = facts.records.filter(({ parentTransaction }) => parentTransaction === batchId);
  const found = items.map(({ reference }) => {
    const record = facts.at(reference);
    return record?.parentTransaction === batchId ? record : undefined;
  });
  const movedItems = found.filter((record) => record !== undefined && hasMoved(record));
  const what = `${batchId} (${wordsOf(sent)})`;
  if (shown === null) return own.length === 0 ? [] : [`${what} is not there, its records are`];
  const { batch, items: shownItems } = shown;
  if (batch.status === "processing") return [`${what} never ends`];
  if (!atomic && !skipQueue) return loose(what, shown, found);
  const wanted = batch.failure === null ? items.length : atomic ? 0 : batch.failure.index;
  const wrong: string[] = [];
  const status = inflight ? "INFLIGHT" : "APPLIED";
  if (movedItems.length !== wanted) wrong.push(`${what}: ${movedItems.length} items have moved`);
  found.forEach((record, index) => {
    const { reference, amount } = items[index] ?? { reference: "", amount: 0n };
    const isIn = index < wanted;
    if (isIn && (record?.status !== status || record.preciseAmount !== amount)) {
      wrong.push(`${what}: ${reference} is ${record?.status} of ${record?.preciseAmount}`);
    }
    const isShownIn = shownItems[index]?.status === status;
    if (isIn !== isShownIn) {
      wrong.push(`${what}: ${reference} is shown as ${shownItems[index]?.status}`);
    }
  });
  return [...wrong, ...refusalLaws(what, sent, shown, own, facts)];
}

/** Each item on its own: what it was recorded as is what it is. */
function loose(what: string, { items }: ReadBatch, found: readonly (Transaction | undefined)[]) {
  return items.flatMap(({ reference, status, error }, index) => {
    const record = found[index];
    const isRight = error === null ? record?.status === status : record === undefined;
    // Two items of one batch may have had the same reference: the second one was refused.
    const isTwin = items.filter((each) => each.reference === reference).length > 1;
    return isRight || isTwin ? [] : [`${what}: ${reference} is ${record?.status}, not ${status}`];
  });
}

/** What a batch that failed leaves behind, and whether it had a reason. */
function refusalLaws(
  what: string,
  sent: SentBatch,
  { batch: { failure, status } }: ReadBatch,
  own: readonly Transaction[],
  facts: Facts,
): string[] {
  const { items, atomic, inflight, skipQueue } = sent.op;
  if (failure === null) {
    const isRight = status === (inflight ? "inflight" : "applied");
    return isRight && own.length === items.length ? [] : [`${what} ended as ${status}`];
  }
  const left = own.filter(({ status: each }) => each === "REJECTED").length;
  const kept = !skipQueue && !failure.untold ? items.length : 0;
  return [
    ...(status === "failed" ? [] : [`${what} failed, and is ${status}`]),
    ...(!atomic || (left === kept && own.length === kept) ? [] : [`${what} left ${own.length}`]),
    ...(hadReason(sent, failure, facts)
      ? []
      : [`${what} failed at ${failure.index} for no reason: ${failure.error.code}`]),
  ];
}

/** Whether a rule may have refused an item of a batch, given all that was sent. */
function hadReason(
  sent: SentBatch,
  { error, index }: { readonly error: { readonly code: string }; readonly index: number },
  facts: Facts,
): boolean {
  const { items } = sent.op;
  const item = items[index];
  if (item === undefined) return false;
  const touches = (place: Place): boolean => item.from === place || item.to === place;
  switch (error.code) {
    case "TXN_NOT_FOUND":
      return touches("nobody");
    case "TXN_DUPLICATE_REFERENCE": {
      const isTwin = items.some((other, at) => at < index && other.reference === item.reference);
      const record = facts.at(item.reference);
      const isTaken = record !== undefined && record.parentTransaction !== sent.batchId;
      return isTwin || isTaken || isPointer(item.reference, facts);
    }
    case "TXN_INSUFFICIENT_FUNDS":
      return item.from !== "@world" && mayLack(item.from, facts);
    case "TXN_VALIDATION_ERROR":
      return touches("euro") || (item.from === "@credit" && mayLack("@credit", facts));
    default:
      return false;
  }
}

const isPointer = (reference: string, { course: { seen, world }, prefix }: Facts): boolean => {
  const taken = world.idOf(`${prefix}${reference}`);
  return seen.rows.some(({ id, posting }) => posting.kind === "pointer" && id === taken);
};

/**
 * Whether a balance may have been too low: not when the least that it had in the history is enough for all that the
 * history asks of it, taken or only reserved.
 */
function mayLack(place: Place, { course, batches, transactions, ...during }: Facts): boolean {
  const byId = new Map(batches.map(({ batchId, op }) => [batchId, op]));
  const ofBatches = [...byId.values()].flatMap(({ items }) =>
    items.map(({ from, amount }) => (from === place ? amount : 0n)),
  );
  const ofOthers = transactions.map(({ op }) => mostOf(op, place));
  const most = [...ofBatches, ...ofOthers].reduce((sum, amount) => sum + amount, 0n);
  const limit = place === "@credit" ? CREDIT : 0n;
  const name = course.places.get(place) ?? place;
  return spendableOf(course, name, during).some((left) => left + limit < most);
}

/** The most that a transaction may take of a balance. */
function mostOf(op: SentTransaction["op"], place: Place): bigint {
  if (op.kind === "post") return op.item.from === place ? op.item.amount : 0n;
  const givers = op.shared === "sources" ? op.shares.map(({ of }) => of) : [op.place];
  return givers.includes(place) ? op.amount : 0n;
}

/** Law 6, and law 4: what was answered stays so. */
function wrongAnswer(sent: SentBatch, { course, history }: Facts): string[] {
  const { batchId, told, op } = sent;
  const what = `${batchId} (${wordsOf(sent)})`;
  if (told.kind === "no") return [`${what} was refused as a whole: ${told.code}`];
  if (told.kind === "unknown") {
    return history.faults.length > 0 ? [] : [`${what} is unknown, but nothing failed`];
  }
  const shown = course.shown.get(batchId) ?? null;
  if (shown === null) return [`${what} was answered, and is not there`];
  const { batch, items } = told.value;
  if (batch.status === "processing") {
    return op.skipQueue && !op.runAsync && history.faults.length === 0
      ? [`${what} was answered before its end`]
      : [];
  }
  const isSame =
    batch.status === shown.batch.status &&
    batch.failure?.index === shown.batch.failure?.index &&
    batch.failure?.error.code === shown.batch.failure?.error.code;
  const isFinal = op.skipQueue && !op.runAsync;
  const areSame = items.every(({ status }, at) => status === shown.items[at]?.status);
  return isSame && (!isFinal || areSame) ? [] : [`${what} was told ${batch.status}`];
}

/** Whoever sees one item moved sees all of them, from then on. */
function wrongSight({ batchId, status, items }: Watched, { course, batches }: Facts): string[] {
  const shown = course.shown.get(batchId) ?? null;
  const sent = batches.find((each) => each.batchId === batchId);
  if (shown === null || sent?.op.atomic !== true) return [];
  const isEnd = status !== "processing";
  const wrong = isEnd && status !== shown.batch.status ? [`${batchId} was seen ${status}`] : [];
  let hasBegun = status === "applied" || status === "inflight";
  for (const record of items) {
    const isMoved = record?.parentTransaction === batchId && hasMoved(record);
    if (hasBegun && !isMoved) wrong.push(`${batchId} was seen in part`);
    hasBegun ||= isMoved;
  }
  if (hasBegun && shown.batch.failure !== null) wrong.push(`${batchId} was seen, and failed`);
  return wrong;
}

/** The legs of a split are as it is, all of them, and add up to it. */
function splitLaws(split: Transaction, records: readonly Transaction[]): string[] {
  const legs = records.filter(({ group }) => group === split.transactionId);
  const { reference, status, preciseAmount, inflightRemaining } = split;
  const what = `split ${reference} (${status})`;
  const left = legs.reduce((sum, leg) => sum + (leg.inflightRemaining ?? 0n), 0n);
  const refunded = legs.flatMap((leg) =>
    [leg, ...settlementsOf(leg, records)].flatMap((each) => refundsOf(each, records)),
  );
  return [
    ...(legs.every((leg) => leg.status === status) ? [] : [`${what} has legs in other states`]),
    ...(sumOf(legs) === preciseAmount ? [] : [`${what} has legs of ${sumOf(legs)}`]),
    ...(legs.length === split.shares?.list.length ? [] : [`${what} has ${legs.length} legs`]),
    ...(inflightRemaining === (status === "INFLIGHT" ? left : null)
      ? []
      : [`${what} remains ${inflightRemaining}`]),
    ...(sumOf(refunded) <= preciseAmount ? [] : [`${what} was refunded ${sumOf(refunded)}`]),
  ];
}

/** A reference of a leg is kept for a leg that has moved, and for no other. */
function pointerLaws({ rows, shown }: Audit): string[] {
  return rows
    .filter(({ posting }) => posting.kind === "pointer")
    .filter(({ status, posting }) => {
      const leg = [...shown.values()].find(
        ({ transactionId }) => transactionId === posting.parentTransaction,
      );
      return status !== "POINTER" || leg === undefined || !hasMoved(leg);
    })
    .map(({ posting, status }) => `the reference ${posting.reference} rests as ${status}`);
}

function wrongRecord({ op, told }: SentTransaction, { course, history }: Facts): string[] {
  const reference = op.kind === "post" ? op.item.reference : op.reference;
  if (told.kind === "unknown") {
    return history.faults.length > 0 ? [] : [`${reference} is unknown, but nothing failed`];
  }
  if (told.kind === "no") return [];
  const { transactionId, status, preciseAmount, kind } = told.value;
  const record = course.seen.shown.get(transactionId);
  const isSame =
    record !== undefined &&
    (!op.skipQueue || record.status === status) &&
    record.preciseAmount === preciseAmount &&
    record.kind === kind &&
    preciseAmount === amountOf(op);
  return isSame ? [] : [`${reference} was told ${status}, and is ${record?.status}`];
}

const amountOf = (op: SentTransaction["op"]): bigint =>
  op.kind === "post" ? op.item.amount : (op satisfies SplitOp).amount;

/** What a commit, void or refund was answered with is there, and nothing is left of what it was for. */
function wrongFollowUp({ op, batchId, told }: SentFollowUp, facts: Facts): string[] {
  if (told.kind !== "yes") return [];
  const { course, records, prefix } = facts;
  const what = `${op.kind} of ${batchId ?? op.of}`;
  const wrong = course.seen.shown.has(told.value.transactionId) ? [] : [`${what} is lost`];
  if (op.amount !== null || op.kind === "refund") return wrong;
  const id = batchId ?? course.world.idOf(`${prefix}${op.of}`);
  const holds = records.filter(
    (record) => record.transactionId === id || record.parentTransaction === id,
  );
  const open = holds.filter(({ kind, inflightRemaining }) => kind === "post" && inflightRemaining);
  return open.length === 0 ? wrong : [...wrong, `${what} left ${open.length} holds open`];
}

const wordsOf = ({ op: { items, kind: _kind, ...options } }: SentBatch): string =>
  [
    ...items.map(({ reference, from, to, amount }) => `${reference}:${from}>${to}:${amount}`),
    ...Object.entries(options).flatMap(([name, is]) => (is ? [name] : [])),
  ].join(" ");
