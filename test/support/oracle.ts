import type { Action, Amounts } from "../../src/domain/balance";
import { type BalanceId, indicatorBalanceId, isIndicator } from "../../src/domain/ids";
import type { Transaction } from "../../src/domain/transaction";
import type { Account } from "./arbitraries";
import type { Audit, AuditedBalance, StoredEntry, StoredRow } from "./audit";
import type { Course } from "./history";

/** Words for what is wrong; none when all is well. */
export type Violations = readonly string[];

/** What a record that moved money does to each of its balances; null when it moves none. */
export function actionOfRecord({ kind, status }: Transaction): Action | null {
  if (status === "REJECTED") return null;
  if (status === "INFLIGHT") return "hold";
  if (status === "VOID") return "void";
  return kind === "commit" ? "commit" : "apply";
}

const NOTHING: Amounts = { credit: 0n, debit: 0n, inflightCredit: 0n, inflightDebit: 0n };

/** The model of a balance: what one change makes of its amounts. */
function moved(before: Amounts, side: string, action: Action, amount: bigint): Amounts {
  const [settled, held] =
    side === "source"
      ? (["debit", "inflightDebit"] as const)
      : (["credit", "inflightCredit"] as const);
  const settles = action === "apply" || action === "commit" ? amount : 0n;
  const holds = action === "hold" ? amount : action === "apply" ? 0n : -amount;
  return { ...before, [settled]: before[settled] + settles, [held]: before[held] + holds };
}

const spendable = ({ credit, debit, inflightDebit }: Amounts): bigint =>
  credit - debit - inflightDebit;

const amountsText = ({ credit, debit, inflightCredit, inflightDebit }: Amounts): string =>
  `+${credit} -${debit} held +${inflightCredit} -${inflightDebit}`;

/** All that must hold of a ledger at rest, whatever was asked of it (laws 1, 2, 3, 4 and 8). */
export function atRest({ seen }: Pick<Course, "seen">): Violations {
  const records = [...seen.shown.values()];
  return [
    ...sums(seen),
    ...finished(seen),
    ...movedOnce(seen, records),
    ...[...seen.balances.values()].flatMap((balance) => book(balance, seen)),
    ...[...seen.balances.values()].flatMap(keptBack),
    ...records.flatMap((record) => settledWithin(record, records)),
    ...records.flatMap((record) => refundedWithin(record, records)),
    ...inD1(seen),
  ];
}

/** Law 1. */
function sums({ balances }: Audit): string[] {
  const byCurrency = new Map<string, { settled: bigint; held: bigint }>();
  for (const { snapshot } of balances.values()) {
    const sum = byCurrency.get(snapshot.currency) ?? { settled: 0n, held: 0n };
    byCurrency.set(snapshot.currency, {
      settled: sum.settled + snapshot.credit - snapshot.debit,
      held: sum.held + snapshot.inflightCredit - snapshot.inflightDebit,
    });
  }
  return [...byCurrency]
    .filter(([, { settled, held }]) => settled !== 0n || held !== 0n)
    .map(([currency, { settled, held }]) => `${currency} sums to ${settled}, held ${held}`);
}

/** Every row is at its end, and is shown as it is. */
function finished({ rows, shown }: Audit): string[] {
  const resting = new Set(["APPLIED", "INFLIGHT", "VOID", "REJECTED"]);
  const ids = new Set(rows.map(({ id }) => id));
  return [
    ...rows
      .filter(({ id, status }) => !resting.has(status) || shown.get(id)?.status !== status)
      .map(({ posting, status }) => `${posting.reference} rests as ${status}`),
    ...(ids.size === rows.length ? [] : ["an id has more than one row"]),
  ];
}

/** Law 2: the entries of all balances are those of the records, each once. */
function movedOnce({ balances }: Audit, records: readonly Transaction[]): string[] {
  const asked = records.flatMap((record) => {
    const action = actionOfRecord(record);
    if (action === null) return [];
    const { transactionId, preciseAmount, source, destination } = record;
    const what = `${transactionId} ${action} ${preciseAmount}`;
    return [`${what} source ${source.balanceId}`, `${what} destination ${destination.balanceId}`];
  });
  const done = [...balances].flatMap(([id, { entries }]) =>
    entries.map(
      ({ transactionId, action, amount, side }) =>
        `${transactionId} ${action} ${amount} ${side} ${id}`,
    ),
  );
  const left = [...asked];
  const surplus = done.filter((entry) => {
    const at = left.indexOf(entry);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
  return [
    ...surplus.map((entry) => `moved, but by no record: ${entry}`),
    ...left.map((entry) => `recorded, but not moved: ${entry}`),
  ];
}

/** What was reserved is carried out or given back. */
const keptBack = ({ snapshot, reserved }: AuditedBalance): string[] =>
  reserved.map((amount) => `${snapshot.balanceId} keeps ${amount} back for nobody`);

/** Law 3, and each balance is the sum of its entries, in their order. */
function book({ snapshot, entries }: AuditedBalance, { rows }: Audit): string[] {
  const wrong: string[] = [];
  const taken: Taken[] = [];
  let amounts = NOTHING;
  for (const entry of entries) {
    if (takesMoney(entry)) {
      const take = takenBy(entry, rows);
      wrong.push(...unfunded(amounts, take, taken));
      taken.push(take);
    }
    amounts = moved(amounts, entry.side, actionNamed(entry.action), entry.amount);
    const isAsBooked = amountsText(amounts) === amountsText(entry);
    if (!isAsBooked) wrong.push(`${snapshot.balanceId} v${entry.version}: ${amountsText(entry)}`);
    if (amounts.inflightDebit < 0n || amounts.inflightCredit < 0n) {
      wrong.push(`${snapshot.balanceId} v${entry.version} settles more than it holds`);
    }
  }
  const ends = amountsText(amounts);
  if (ends !== amountsText(snapshot)) wrong.push(`${snapshot.balanceId} is not ${ends}`);
  return wrong;
}

const takesMoney = ({ side, action }: StoredEntry): boolean =>
  side === "source" && (action === "apply" || action === "hold");

/** What one entry took of a balance, and how much the balance may owe by its rule; null is anything. */
interface Taken {
  readonly transactionId: string;
  readonly amount: bigint;
  readonly limit: bigint | null;
  readonly isOfGroup: boolean;
}

function takenBy({ transactionId, amount }: StoredEntry, rows: readonly StoredRow[]): Taken {
  const posting = rows.find(({ id }) => id === transactionId)?.posting;
  const rule = posting?.overdraft ?? { kind: "none" };
  const limit = rule.kind === "unlimited" ? null : rule.kind === "limited" ? rule.limit : 0n;
  return { transactionId, amount, limit, isOfGroup: (posting?.group ?? null) !== null };
}

/**
 * A group takes what was reserved for it earlier: what others took by rules that let them owe more may have come in
 * between.
 */
function unfunded(
  before: Amounts,
  { transactionId, amount, limit, isOfGroup }: Taken,
  earlier: readonly Taken[],
): string[] {
  if (limit === null) return [];
  const between = earlier
    .filter((other) => isOfGroup && (other.limit === null || other.limit > limit))
    .reduce((sum, other) => sum + other.amount, 0n);
  const left = spendable(before) + limit + between - amount;
  return left >= 0n ? [] : [`${transactionId} took ${-left} more than there was`];
}

function actionNamed(action: string): Action {
  if (action === "apply" || action === "hold" || action === "commit" || action === "void") {
    return action;
  }
  throw new Error(`an entry of an unknown action: ${action}`);
}

/** Law 4: commits and the void of a hold are never more than it, and a void ends it. */
function settledWithin(hold: Transaction, records: readonly Transaction[]): string[] {
  const { reference, preciseAmount, status, inflightRemaining } = hold;
  const children = settlementsOf(hold, records);
  if (status === "REJECTED") {
    return children.some((child) => child.status !== "REJECTED")
      ? [`${reference} was rejected, not its settlements`]
      : [];
  }
  if (status !== "INFLIGHT") return children.length === 0 ? [] : [`${reference} is no hold`];
  const settled = sumOf(children);
  const voids = children.filter(({ kind }) => kind === "void");
  const isWhole = voids.length === 0 || (voids.length === 1 && settled === preciseAmount);
  return [
    ...(children.some((child) => child.status === "REJECTED") ? [`${reference} lost a child`] : []),
    ...(isWhole && settled <= preciseAmount ? [] : [`${reference}: settled ${settled}`]),
    ...(inflightRemaining === preciseAmount - settled ? [] : [`${reference}: wrong remainder`]),
  ];
}

/** Commits and voids under a hold, also those that fell with it. */
export const settlementsOf = (
  hold: Transaction,
  records: readonly Transaction[],
): readonly Transaction[] =>
  records.filter(
    ({ kind, parentTransaction }) =>
      parentTransaction === hold.transactionId && (kind === "commit" || kind === "void"),
  );

export const refundsOf = (
  moved: Transaction,
  records: readonly Transaction[],
): readonly Transaction[] =>
  records.filter(
    ({ kind, parentTransaction }) => parentTransaction === moved.transactionId && kind === "refund",
  );

export const sumOf = (records: readonly Transaction[]): bigint =>
  records.reduce((sum, { preciseAmount }) => sum + preciseAmount, 0n);

/** A refund gives back what was moved, once, and the other way. */
function refundedWithin(record: Transaction, records: readonly Transaction[]): string[] {
  const refunds = refundsOf(record, records);
  const { reference, preciseAmount, status, source, destination } = record;
  const wrong: string[] = [];
  if (refunds.length > 0 && status !== "APPLIED")
    wrong.push(`${reference} moved nothing to refund`);
  if (sumOf(refunds) > preciseAmount) wrong.push(`${reference} was refunded ${sumOf(refunds)}`);
  for (const refund of refunds) {
    if (refund.status !== "APPLIED") wrong.push(`${refund.reference} is ${refund.status}`);
    const isBack =
      refund.source.balanceId === destination.balanceId &&
      refund.destination.balanceId === source.balanceId;
    if (!isBack) wrong.push(`${refund.reference} goes elsewhere`);
  }
  return wrong;
}

/** Law 8. */
function inD1({ shown, projected, balances, projectedBalances }: Audit): string[] {
  const standing = new Map([...balances].map(([id, { snapshot }]) => [String(id), snapshot]));
  const used = new Map([...projectedBalances].filter(([id]) => standing.has(id)));
  return [
    ...(textOf(projected) === textOf(shown) ? [] : ["D1 has other transactions than the journal"]),
    ...(textOf(used) === textOf(standing) ? [] : ["D1 has other balances than their objects"]),
  ];
}

/** The same text for the same content, whatever the order of keys. */
function textOf(rows: ReadonlyMap<string, object>): string {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted, (_key, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Clocks of objects and callers stand still between I/O: this many milliseconds they may differ. */
const CLOCK_MS = 100;

/** What could be spent of an account at some moment of a period, as its entries tell. */
export const spendableDuring = (
  { world, names, seen }: Course,
  account: Account,
  currency: string,
  during: Period,
): bigint[] => spendableOf({ world, seen }, names.get(account) ?? account, during, currency);

interface Period {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** The same of a balance by its id or indicator. */
export function spendableOf(
  { world, seen }: Pick<Course, "world" | "seen">,
  name: string,
  { beganMs, endedMs }: Period,
  currency = "USD",
): bigint[] {
  const id = idOfAccount(world.instance, name, currency);
  const entries = seen.balances.get(id)?.entries ?? [];
  const isBefore = ({ at }: StoredEntry): boolean => Date.parse(at) < beganMs - CLOCK_MS;
  const during = entries.filter(
    (entry) => !isBefore(entry) && Date.parse(entry.at) <= endedMs + CLOCK_MS,
  );
  const before = entries.findLast(isBefore) ?? NOTHING;
  return [before, ...during].map(spendable);
}

const idOfAccount = (instance: string, name: string, currency: string): BalanceId =>
  isIndicator(name) ? indicatorBalanceId(instance, name, currency) : `bln_${name.slice(4)}`;
