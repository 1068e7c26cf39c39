import type { Value } from "../support/api";
import type { Balance, Record, SentEvent } from "./ending";
import { breaks, type Facts, type Violation } from "./facts";
import { fieldIn } from "./requests";

const EVENT_OF: Readonly<{ [status: string]: string }> = {
  APPLIED: "transaction.applied",
  INFLIGHT: "transaction.inflight",
  VOID: "transaction.void",
  REJECTED: "transaction.rejected",
};

/** Law 7: every record's end is told, of nothing else is told, and one id tells one thing. */
export function eventsOf({ ledger, records }: Facts): Violation[] {
  const { events, balances } = ledger.ending;
  const wrong: Violation[] = created(balances, events);
  const texts = new Map<string, string>();
  const told = new Map<string, string>();
  for (const { id, event, transactionId, text, data } of events) {
    if (text !== (texts.get(id) ?? text)) wrong.push(breaks(7, `${event} ${id} told two things`));
    texts.set(id, text);
    if (transactionId === "") continue;
    const what = `${event} ${transactionId}`;
    if ((told.get(what) ?? id) !== id) wrong.push(breaks(7, `${what} was told under two ids`));
    told.set(what, id);
    const record = records.find((each) => each.id === transactionId);
    if (record === undefined || EVENT_OF[record.status] !== event) {
      wrong.push(breaks(7, `${what} was told, but it is ${record?.status ?? "gone"}`));
    } else wrong.push(...differing(what, data, record));
    const versions = balances.flatMap((balance) =>
      balance.entries
        .filter((entry) => entry.transactionId === transactionId)
        .map((entry) => `${balance.id} ${entry.version}`),
    );
    if (versions.sort().join() !== versionsIn(text).sort().join()) {
      wrong.push(breaks(7, `${what} tells of other versions than ${versions.join(", ")}`));
    }
  }
  for (const { id, reference, status, kind } of records) {
    // Of a split its legs are told.
    const event = kind === "split" ? undefined : EVENT_OF[status];
    if (event !== undefined && !told.has(`${event} ${id}`)) {
      wrong.push(breaks(7, `${event} of ${reference} was never told`));
    }
  }
  return wrong;
}

/** Where an event tells of something else than the record. */
function differing(what: string, data: Value, record: Record): Violation[] {
  const { reference, amount, status, description, currency, kind } = record;
  const wanted = {
    reference,
    precise_amount: amount,
    status,
    currency,
    ...(kind === "post" ? { description } : {}),
  };
  return Object.entries(wanted).flatMap(([name, value]) => {
    const told = fieldIn(data, name);
    return told === value ? [] : [breaks(7, `${what} tells ${name} ${told}, and it is ${value}`)];
  });
}

/** Every balance that has moved money is told of when it is made, by one event. */
function created(balances: readonly Balance[], events: readonly SentEvent[]): Violation[] {
  return balances.flatMap(({ id, currency }) => {
    const told = events.filter(
      ({ event, data }) => event === "balance.created" && fieldIn(data, "balance_id") === id,
    );
    const ids = new Set(told.map((each) => each.id));
    const isRight = told.every(({ data }) => fieldIn(data, "currency") === currency);
    return ids.size === 1 && isRight
      ? []
      : [breaks(7, `that ${id} was made was told under ${ids.size} ids`)];
  });
}

function versionsIn(text: string): string[] {
  const { balances = [] } = JSON.parse(text);
  return balances.map(
    ({ balance_id, version }: { balance_id: string; version: number }) =>
      `${balance_id} ${version}`,
  );
}
