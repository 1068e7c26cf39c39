import type { Balance, Entry, Record } from "./ending";
import {
  type Amounts,
  actionOf,
  amountOf,
  breaks,
  type Facts,
  NOTHING,
  spendable,
  sum,
  type Violation,
} from "./facts";
import { isAcross } from "./refusals";

const RESTING = new Set(["APPLIED", "INFLIGHT", "VOID", "REJECTED"]);

/** Laws 1 to 5, 8 and 9 of a ledger at rest. */
export function booksOf(facts: Facts): Violation[] {
  const { ending } = facts.ledger;
  return [
    ...(ending.stuck === "" ? [] : [breaks(5, ending.stuck)]),
    ...sums(ending.balances),
    ...references(facts.records),
    ...movedOnce(facts),
    ...ending.balances.flatMap((balance) => walk(balance, facts)),
    ...ending.balances.flatMap(keptBack),
    ...facts.records.flatMap((record) => standing(record, facts)),
    ...facts.records.flatMap((record) => refunded(record, facts)),
    ...groups(facts),
    ...timers(facts),
    ...ending.differences.map((words) => breaks(8, words)),
    ...ending.findings.map((words) => breaks(8, words)),
  ];
}

function sums(balances: readonly Balance[]): Violation[] {
  return [...Map.groupBy(balances, ({ currency }) => currency)].flatMap(([currency, all]) => {
    const settled = sum(all.map(({ credit, debit }) => credit - debit));
    const held = sum(
      all.map(({ inflightCredit, inflightDebit }) => inflightCredit - inflightDebit),
    );
    const isZero = settled === 0n && held === 0n;
    const words = `all ${currency} balances sum to ${settled}, what is held to ${held}`;
    return isZero ? [] : [breaks(1, words)];
  });
}

function references(records: readonly Record[]): Violation[] {
  const seen = new Set<string>();
  return records.flatMap(({ id, reference, kind }) => {
    if (kind !== "post" && kind !== "split") return [];
    if (!seen.has(reference)) {
      seen.add(reference);
      return [];
    }
    return [breaks(2, `${reference} stands for more than one record: ${id}`)];
  });
}

/** The entries of all balances are those of the records, each once. */
function movedOnce({ ledger, records }: Facts): Violation[] {
  const left = records.flatMap((record) => {
    const action = actionOf(record);
    if (action === null) return [];
    const what = `${record.id} ${action} ${record.amount}`;
    return [`${what} source ${record.source}`, `${what} destination ${record.destination}`];
  });
  const surplus: Violation[] = [];
  for (const { id, entries } of ledger.ending.balances) {
    for (const { transactionId, action, amount, side } of entries) {
      const at = left.indexOf(`${transactionId} ${action} ${amount} ${side} ${id}`);
      if (at !== -1) left.splice(at, 1);
      else
        surplus.push(breaks(2, `${side} moved by no record: ${transactionId} ${action} ${amount}`));
    }
  }
  return [...surplus, ...left.map((entry) => breaks(5, `recorded, but not moved: ${entry}`))];
}

/** A balance from its first entry to its last: each follows from the one before, and takes only what is there. */
function walk({ id, entries, ...last }: Balance, facts: Facts): Violation[] {
  const wrong: Violation[] = [];
  let amounts: Amounts = NOTHING;
  for (const entry of entries) {
    const { side, action, transactionId, amount } = entry;
    const limit =
      side === "source" && action !== "commit" && action !== "void" ? limitOf(entry, facts) : null;
    if (limit !== null && spendable(amounts) + limit < amount) {
      wrong.push(breaks(3, `${transactionId} took ${amount} of ${spendable(amounts)}`));
    }
    amounts = changed(amounts, entry);
    if (textOf(amounts) !== textOf(entry))
      wrong.push(breaks(1, `${id} v${entry.version} adds up to no sum`));
    if (amounts.inflightDebit < 0n || amounts.inflightCredit < 0n) {
      wrong.push(breaks(4, `${id} v${entry.version} settles more than it holds`));
    }
  }
  if (textOf(amounts) !== textOf(last)) wrong.push(breaks(1, `${id} is not what its entries are`));
  return wrong;
}

/** Law 5: at rest no money is kept back for a split or a batch. */
const keptBack = ({ id, reserved }: Balance): Violation[] =>
  reserved === 0n ? [] : [breaks(5, `${id} still keeps ${reserved} back`)];

/** Minor units that the source may owe after an entry; null is anything. */
function limitOf({ transactionId }: Entry, facts: Facts): bigint | null {
  const record = facts.record(transactionId);
  if (record === undefined || record.kind === "refund") return null;
  const movement = facts.movementOf(record);
  return movement?.from === "@world" ? null : (movement?.limit ?? 0n);
}

function changed(before: Amounts, { side, action, amount }: Entry): Amounts {
  const [settled, held] =
    side === "source"
      ? (["debit", "inflightDebit"] as const)
      : (["credit", "inflightCredit"] as const);
  const moves = action === "apply" || action === "commit" ? amount : 0n;
  const holds = action === "hold" ? amount : action === "apply" ? 0n : -amount;
  return { ...before, [settled]: before[settled] + moves, [held]: before[held] + holds };
}

const textOf = ({ credit, debit, inflightCredit, inflightDebit }: Amounts): string =>
  [credit, debit, inflightCredit, inflightDebit].join(" ");

/** Law 4: everything is at its end, and a hold is settled by commits and a void that are never more than it. */
function standing(record: Record, facts: Facts): Violation[] {
  const { reference, status, amount, remaining, kind } = record;
  if (!RESTING.has(status)) return [breaks(4, `${reference} rests as ${status}`)];
  if (kind === "split") return [];
  const children = facts.records.filter(
    (each) => each.parent === record.id && (each.kind === "commit" || each.kind === "void"),
  );
  if (status === "REJECTED") {
    const moved = children.filter((child) => child.status !== "REJECTED");
    return moved.length === 0 ? [] : [breaks(4, `${reference} was rejected, not what settles it`)];
  }
  if (status !== "INFLIGHT") {
    return children.length === 0 ? [] : [breaks(4, `${reference} is no hold and was settled`)];
  }
  const settled = sum(children.map(amountOf));
  const voids = children.filter((child) => child.kind === "void").length;
  const isWhole = voids === 0 || (voids === 1 && settled === amount);
  const stands = children.every((child) => child.status !== "REJECTED");
  const isRight = isWhole && settled <= amount && stands && remaining === amount - settled;
  return isRight
    ? []
    : [breaks(4, `${reference} holds ${amount}, settles ${settled}, shows ${remaining}`)];
}

/** Law 2: a refund gives back what was moved, once, and the other way. */
function refunded(record: Record, facts: Facts): Violation[] {
  const refunds = facts.records.filter(
    ({ parent, kind }) => parent === record.id && kind === "refund",
  );
  if (refunds.length === 0) return [];
  const { reference, status, amount, source, destination } = record;
  const back = sum(refunds.map(amountOf));
  const isRight =
    status === "APPLIED" &&
    back <= amount &&
    refunds.every(
      (each) =>
        each.status === "APPLIED" && each.source === destination && each.destination === source,
    );
  return isRight
    ? []
    : [breaks(2, `${reference} moved ${amount} (${status}) and gave back ${back}`)];
}

/** Law 5: a split and an atomic batch move as a whole or not at all. Law 9: nothing leaves for another instance. */
function groups(facts: Facts): Violation[] {
  const wrong: Violation[] = [];
  for (const { send } of facts.ledger.calls) {
    const { request, name } = send;
    const members = facts.records.filter(
      (each) => each.description === name && each.kind === "post",
    );
    const moved = members.filter((each) => actionOf(each) !== null).length;
    const all =
      request.kind === "split"
        ? request.many.length
        : request.kind === "bulk"
          ? request.items.length
          : 1;
    const isWhole = request.kind === "split" || (request.kind === "bulk" && request.atomic);
    if (isWhole && moved !== 0 && moved !== all) {
      wrong.push(breaks(5, `${name} moved ${moved} of ${all}`));
    }
    const shared = sum(members.map(amountOf));
    if (request.kind === "split" && moved !== 0 && shared !== request.amount) {
      wrong.push(breaks(5, `${name} of ${request.amount} moved ${shared}`));
    }
    for (const each of members) {
      const movement = facts.movementOf(each);
      if (movement !== undefined && isAcross(movement) && actionOf(each) !== null) {
        wrong.push(breaks(1, `${each.reference} took its currency where it is none`));
      }
      if (facts.movementOf(each)?.to === "foreign" && actionOf(each) !== null) {
        wrong.push(breaks(9, `${each.reference} went to a balance of another instance`));
      }
    }
  }
  return wrong;
}

/** Later than this after its date nothing may ring, in milliseconds: the bound of a recovery. */
const BOUND_MS = 15_000;

/** Whether what rang only when all was over had no alarm for its time. */
function isLate(
  { id }: Record,
  rung: readonly Record[],
  dueMs: number,
  { ledger: { ending, clock, alarmOf } }: Facts,
): boolean {
  const ids = new Set(rung.map((each) => each.id));
  const entries = ending.balances.flatMap((balance) =>
    balance.entries.filter(({ transactionId }) => ids.has(transactionId)),
  );
  const isOver = entries.every(({ atMs }) => clock.momentsOf(atMs).first > ending.restedAt);
  const alarmMs = alarmOf(id);
  const bound = Math.max(dueMs, ending.restedAtMs) + BOUND_MS;
  return entries.length > 0 && isOver && (alarmMs === null || alarmMs > bound);
}

/** Law 4: what waits for a date waits, and happens. All dates are over when a ledger is at rest. */
function timers(facts: Facts): Violation[] {
  return facts.records.flatMap((record) => {
    const request = record.kind === "post" ? facts.requestOf(record) : undefined;
    if (request?.kind !== "post" || request.due === null) return [];
    const { calls, clock } = facts.ledger;
    const sentMs = Math.min(
      ...calls.filter(({ send }) => send.request === request).map((call) => call.sentMs),
    );
    const dueMs = sentMs + request.due.afterMs;
    const rung =
      request.due.what === "start"
        ? [record]
        : facts
            .following(record, "commit", "void")
            .filter(({ key }) => key.startsWith("own:timer"));
    const ids = new Set(rung.map(({ id }) => id));
    const early = facts.ledger.ending.balances.some(({ entries }) =>
      entries.some(
        ({ transactionId, atMs }) =>
          // When it rang the clock may have been set back since.
          ids.has(transactionId) && clock.reached(clock.momentsOf(atMs).last) < dueMs,
      ),
    );
    const isOpen = request.due.what !== "start" && (record.remaining ?? 0n) !== 0n;
    const wanted = request.due.what === "expire" ? "void" : "commit";
    const other = request.due.what !== "start" && rung.find(({ kind }) => kind !== wanted);
    return [
      ...(other ? [breaks(4, `${record.reference}: its timer made a ${other.kind}`)] : []),
      ...(isLate(record, rung, dueMs, facts)
        ? [breaks(5, `${record.reference}: nothing would have rung its timer in time`)]
        : []),
      ...(early ? [breaks(4, `${record.reference}: its timer rang before its time`)] : []),
      ...(isOpen ? [breaks(4, `${record.reference}: its timer never rang`)] : []),
    ];
  });
}
