import type { Transaction } from "../../src/domain/transaction";
import type { FollowUp, Post } from "./arbitraries";
import type { StoredRow } from "./audit";
import { type Call, type Course, fingerprintOf, type Told } from "./history";
import { refundsOf, settlementsOf, spendableDuring, sumOf, type Violations } from "./oracle";

/** Whether every answer of a history was possible, given what came of it (laws 2, 4, 5 and 6). */
export function answersOf(course: Course): Violations {
  const facts = new Facts(course);
  return [...course.calls.flatMap((call) => wrongWith(call, facts)), ...repeats(course.calls)];
}

/** What is known afterwards. */
class Facts {
  readonly records: readonly Transaction[];
  readonly mayFail: boolean;
  readonly course: Course;
  readonly #rows: ReadonlyMap<string, StoredRow>;

  constructor(course: Course) {
    this.course = course;
    this.records = [...course.seen.shown.values()];
    this.mayFail = course.history.faults.length > 0;
    this.#rows = new Map(course.seen.rows.map((row) => [row.id, row]));
  }

  recordOf(reference: string): Transaction | undefined {
    return this.course.seen.shown.get(this.course.world.idOf(reference));
  }

  /** The records that a request made. */
  madeBy({ operation }: Call): Transaction[] {
    const key = `${operation.fromClient ? "client" : "own"}:${operation.key}`;
    return this.records.filter(
      ({ transactionId }) => this.#rows.get(transactionId)?.operationKey === key,
    );
  }

  /** Whether somebody had been told of the record before this call began. */
  wasToldBefore(record: Transaction, { began }: Call): boolean {
    return this.course.calls.some(
      ({ ended, told }) =>
        ended < began &&
        told.kind === "yes" &&
        told.transaction.transactionId === record.transactionId,
    );
  }

  /** What had moved for certain before this call began, of all that a refund of the record covers. */
  movementsBefore(record: Transaction, call: Call): Transaction[] {
    if (!record.inflight) {
      return record.status === "APPLIED" && this.wasToldBefore(record, call) ? [record] : [];
    }
    return settlementsOf(record, this.records).filter(
      (child) => child.status === "APPLIED" && this.wasToldBefore(child, call),
    );
  }

  refundsUnder(record: Transaction): Transaction[] {
    const movements = record.inflight ? settlementsOf(record, this.records) : [record];
    return movements.flatMap((each) => refundsOf(each, this.records));
  }
}

function wrongWith(call: Call, facts: Facts): string[] {
  const { op, told } = call;
  if (op.kind === "read")
    return told.kind === "seen"
      ? wrongRead(call, told.transaction, facts)
      : unknown(facts, "a read");
  if (op.kind === "deliver") return [];
  const what = `${fingerprintOf(op)} (${call.operation.key}) was told ${words(told)}`;
  if (told.kind === "unknown") return unknown(facts, what);
  if (told.kind === "seen") return [what];
  if (told.kind === "yes") {
    const isRight =
      op.kind === "post" ? isPosted(op, call, told, facts) : isFollowed(op, call, told, facts);
    return isRight ? [] : [what];
  }
  if (told.code === "GEN_IDEMPOTENCY_MISMATCH") {
    return isMismatch(call, facts) ? [] : [what];
  }
  // An attempt that was refused has made nothing.
  if (facts.madeBy(call).length > 0) return [`${what}, and left a record`];
  const isPossible = askedAs(call, facts).some((each) =>
    op.kind === "post"
      ? mayRefusePost(op, told, each, facts)
      : mayRefuseFollowUp(op, told.code, each, facts),
  );
  return isPossible ? [] : [what];
}

/** The calls that this one may have its answer from: a key's first answer, a refusal too, is that of its repeats. */
function askedAs(call: Call, { course }: Facts): readonly Call[] {
  const { key, fingerprint, fromClient } = call.operation;
  if (!fromClient) return [call];
  return course.calls.filter(
    ({ operation, began }) =>
      operation.key === key && operation.fingerprint === fingerprint && began <= call.began,
  );
}

const unknown = ({ mayFail }: Facts, what: string): string[] =>
  mayFail ? [] : [`${what}: unknown, but nothing failed`];

const words = (told: Told): string => {
  if (told.kind === "no") return told.code;
  return told.kind === "yes" ? told.transaction.status : told.kind;
};

/** Law 4: what was seen once and cannot change has not changed. */
function wrongRead(call: Call, seen: Transaction | null, facts: Facts): string[] {
  const { reference } = call.op;
  const record = facts.recordOf(reference);
  if (seen === null) {
    const isLost = record !== undefined && facts.wasToldBefore(record, call);
    return isLost ? [`${reference} was not found, although it had been answered`] : [];
  }
  const stays = seen.status !== "QUEUED";
  const isSame = record !== undefined && (!stays || record.status === seen.status);
  return isSame ? [] : [`${reference} was ${seen.status}, and is ${record?.status}`];
}

function isPosted(
  { reference, skipQueue, inflight, amount, currency }: Post,
  call: Call,
  { transaction }: Extract<Told, { kind: "yes" }>,
  facts: Facts,
): boolean {
  const record = facts.recordOf(reference);
  const status = skipQueue ? (inflight ? "INFLIGHT" : "APPLIED") : "QUEUED";
  return (
    record !== undefined &&
    facts.madeBy(call).includes(record) &&
    transaction.transactionId === record.transactionId &&
    transaction.status === status &&
    (!skipQueue || record.status === status) &&
    record.preciseAmount === amount &&
    record.currency === currency &&
    record.inflight === inflight
  );
}

function isFollowed(
  { kind, reference, amount, skipQueue }: FollowUp,
  call: Call,
  { transaction, queued }: Extract<Told, { kind: "yes" }>,
  facts: Facts,
): boolean {
  const hold = facts.recordOf(reference);
  const made = facts.madeBy(call);
  if (hold === undefined || made.length === 0 || queued === skipQueue) return false;
  if (kind === "refund") {
    const asked = amount === null || sumOf(made) === amount;
    const all = facts.refundsUnder(hold);
    return (
      asked &&
      made.every((each) => all.includes(each)) &&
      made.includes(recordAs(transaction, made))
    );
  }
  const [child] = made;
  if (child === undefined || made.length > 1 || child.kind !== kind) return false;
  const isAsked = kind === "void" || amount === null || child.preciseAmount === amount;
  if (child.parentTransaction !== hold.transactionId || !isAsked) return false;
  if (queued) {
    const { status } = transaction;
    return transaction.transactionId === hold.transactionId && /QUEUED|INFLIGHT/.test(status);
  }
  return transaction.transactionId === child.transactionId && transaction.status === child.status;
}

const recordAs = (told: Transaction, made: readonly Transaction[]): Transaction =>
  made.find(({ transactionId }) => transactionId === told.transactionId) ?? told;

const isMismatch = (call: Call, { course }: Facts): boolean =>
  course.calls.some(
    ({ operation }) =>
      operation.key === call.operation.key && operation.fingerprint !== call.operation.fingerprint,
  );

function mayRefusePost(
  op: Post,
  { code, details }: Extract<Told, { kind: "no" }>,
  call: Call,
  facts: Facts,
): boolean {
  if (code === "TXN_DUPLICATE_REFERENCE") {
    const first = facts.recordOf(op.reference)?.transactionId;
    return (
      first !== undefined && JSON.stringify(details) === JSON.stringify({ transaction_id: first })
    );
  }
  return op.skipQueue && mayReject(op, call, facts, code);
}

/** Whether a rule may have refused a posting between two moments. */
function mayReject(
  { from, to, currency, amount, overdraft }: Post,
  during: { readonly beganMs: number; readonly endedMs: number },
  { course }: Facts,
  code: string | null,
): boolean {
  const may = (each: string): boolean => code === null || code === each;
  const isNobodys = from === "nobody" || to === "nobody";
  if (isNobodys && may("TXN_NOT_FOUND")) return true;
  const isForeign = currency !== "USD" && (from === "owned" || to === "owned");
  if (isForeign && may("TXN_VALIDATION_ERROR")) return true;
  if (isNobodys || isForeign || overdraft.kind === "unlimited") return false;
  const isLimited = overdraft.kind === "limited";
  if (!may(isLimited ? "TXN_VALIDATION_ERROR" : "TXN_INSUFFICIENT_FUNDS")) return false;
  const limit = isLimited ? overdraft.limit : 0n;
  return spendableDuring(course, from, currency, during).some((left) => left + limit < amount);
}

function mayRefuseFollowUp(op: FollowUp, code: string, call: Call, facts: Facts): boolean {
  const record = facts.recordOf(op.reference);
  const wasKnown = record !== undefined && facts.wasToldBefore(record, call);
  const children = record === undefined ? [] : settlementsOf(record, facts.records);
  const committed = sumOf(children.filter(({ kind }) => kind === "commit"));
  if (op.kind === "refund") return mayRefuseRefund(op, code, record, call, facts);
  switch (code) {
    case "TXN_NOT_INFLIGHT":
      return record === undefined || record.status !== "INFLIGHT" || !wasKnown;
    case "TXN_NOT_FOUND":
      return !op.skipQueue && !wasKnown;
    case "TXN_ALREADY_VOIDED":
      return children.some(({ kind }) => kind === "void");
    case "TXN_ALREADY_COMMITTED":
      return record !== undefined && committed === record.preciseAmount;
    case "TXN_COMMIT_AMOUNT_EXCEEDED":
      return record !== undefined && (op.amount ?? 0n) > record.preciseAmount - committed;
    case "GEN_CONFLICT":
      return !op.skipQueue && children.some(({ skipQueue }) => !skipQueue);
    default:
      return false;
  }
}

function mayRefuseRefund(
  { amount }: FollowUp,
  code: string,
  record: Transaction | undefined,
  call: Call,
  facts: Facts,
): boolean {
  const before = record === undefined ? [] : facts.movementsBefore(record, call);
  const refunded = record === undefined ? 0n : sumOf(facts.refundsUnder(record));
  switch (code) {
    case "TXN_NOT_FOUND":
      return before.length === 0;
    case "GEN_CONFLICT":
      return refunded > 0n && sumOf(before) <= refunded;
    case "GEN_BAD_REQUEST":
      return amount !== null && amount > sumOf(before) - refunded;
    default:
      return false;
  }
}

/** One key and one body have one answer, and one key has one body. */
function repeats(calls: readonly Call[]): string[] {
  const answers = new Map<string, Set<string>>();
  const bodies = new Map<string, Set<string>>();
  for (const { op, operation, told } of calls) {
    const isDone = told.kind === "yes" || told.kind === "no";
    if (!operation.fromClient || !isDone || op.kind === "read" || op.kind === "deliver") continue;
    if (told.kind === "no" && told.code === "GEN_IDEMPOTENCY_MISMATCH") continue;
    const request = `${operation.key} ${operation.fingerprint}`;
    add(answers, request, answerText(told));
    add(bodies, operation.key, operation.fingerprint);
  }
  return [
    ...[...answers]
      .filter(([, each]) => each.size > 1)
      .map(([request, each]) => `${request} was told ${[...each].join(" and ")}`),
    ...[...bodies].filter(([, each]) => each.size > 1).map(([key]) => `${key} named two bodies`),
  ];
}

const add = (map: Map<string, Set<string>>, key: string, text: string): void => {
  map.set(key, (map.get(key) ?? new Set()).add(text));
};

function answerText(told: Extract<Told, { kind: "yes" | "no" }>): string {
  if (told.kind === "no") return told.code;
  const { transactionId, status, preciseAmount, inflightRemaining } = told.transaction;
  return `${transactionId} ${status} ${preciseAmount} ${inflightRemaining}`;
}

/** A queued posting was rejected for a reason that was there (law 3 from the other side). */
export function rejectionsOf(course: Course): Violations {
  const facts = new Facts(course);
  return facts.records
    .filter(({ kind, status }) => kind === "post" && status === "REJECTED")
    .flatMap((record) => {
      const senders = course.calls.filter((call) => facts.madeBy(call).includes(record));
      const isPossible = senders.some(
        (call) =>
          call.op.kind === "post" &&
          !call.op.skipQueue &&
          mayReject(call.op, { beganMs: call.beganMs, endedMs: course.endedMs }, facts, null),
      );
      return isPossible ? [] : [`${record.reference} was rejected for no reason`];
    });
}
