import type { Value } from "../support/api";
import type { Balance, Entry, Record } from "./ending";
import type { Account, Currency, Movement, Request } from "./plan";
import type { Call, Ledger } from "./play";
import { fieldIn } from "./requests";

/*
 * The model knows nothing of how the product works: only what was asked, what was answered and when, and what is there in
 * the end. No rule is shared with the product.
 */

/** A broken law, by the number that docs/testing.md gives it. */
export interface Violation {
  readonly law: number;
  readonly words: string;
}

export const breaks = (law: number, words: string): Violation => ({ law, words });

export const sum = (amounts: Iterable<bigint>): bigint => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
};

export const amountOf = ({ amount }: { readonly amount: bigint }): bigint => amount;

/** What is known of a ledger afterwards. */
export class Facts {
  readonly ledger: Ledger;
  readonly records: readonly Record[];
  readonly #byId: ReadonlyMap<string, Record>;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    this.records = ledger.ending.records;
    this.#byId = new Map(this.records.map((record) => [record.id, record]));
  }

  record(id: string): Record | undefined {
    return this.#byId.get(id);
  }

  /** The record of a reference. */
  posted(reference: string): Record | undefined {
    return this.#byId.get(this.ledger.transactionId(reference));
  }

  /** The records that a request made. */
  madeBy({ send: { name } }: Call): Record[] {
    return this.records.filter(({ kind, description, key }) =>
      kind === "commit" || kind === "void"
        ? key.split(/[:/]/).at(-1) === name
        : description === name,
    );
  }

  /** Whether anything went wrong while a call was under way, so that its answer may be unknown. */
  wasStruck({ began, ended }: Call): boolean {
    return this.ledger.strikes.some(
      ({ isFault, from, until }) => isFault && from <= ended && until >= began,
    );
  }

  /** Whether anything went wrong before a call was answered, other than when all was over. */
  wasStruckBefore({ began, ended }: Call): boolean {
    const { strikes, ending } = this.ledger;
    return began < ending.restedAt && strikes.some(({ isFault, from }) => isFault && from <= ended);
  }

  /** All sendings of the request of one. */
  sendings({ send }: Call): Call[] {
    return this.ledger.calls.filter((each) => each.send.name === send.name);
  }

  /**
   * A call and the time in which what it was told may have come about: since the first sending of its request. One that is
   * sent again, because the reply was lost, is told what the first was told, also when the reason is gone by then.
   */
  sinceFirst(call: Call): Call {
    return { ...call, began: Math.min(...this.sendings(call).map(({ began }) => began)) };
  }

  /** The request that made a record; undefined for what a timer made. */
  requestOf(record: Record): Request | undefined {
    const name = record.description;
    return this.ledger.calls.find(({ send }) => send.name === name)?.send.request;
  }

  /** The movement that a record was asked for as, alone or in a batch; undefined for what followed from others. */
  movementOf(record: Record): Movement | undefined {
    const request = record.kind === "post" ? this.requestOf(record) : undefined;
    if (request?.kind === "post") return request;
    if (request?.kind !== "bulk") return undefined;
    return request.items.find(({ reference }) => reference === record.reference);
  }

  /** What follows from a record, or from the legs of a split. */
  following(record: Record, ...kinds: readonly Record["kind"][]): Record[] {
    const parents = new Set(this.legsOf(record).map(({ id }) => id));
    return this.records.filter(({ parent, kind }) => parents.has(parent) && kinds.includes(kind));
  }

  /** What moves the money of a record: itself, or the legs of a split. */
  legsOf(record: Record): Record[] {
    if (record.kind !== "split") return [record];
    return this.records.filter(({ group }) => group === record.id);
  }

  /** Whether somebody had been answered with the record before this call began. */
  wasToldBefore({ id }: Record, { began }: Call): boolean {
    return this.ledger.calls.some(
      ({ ended, told }) =>
        ended < began &&
        told.kind === "answer" &&
        told.status < 300 &&
        idsIn(told.body).includes(id),
    );
  }

  balance(account: Account, currency: Currency = "USD"): Balance | undefined {
    const id = this.ledger.balanceId(account, currency);
    return this.ledger.ending.balances.find((each) => each.id === id);
  }

  /** Whether any group may have kept money of an account back at some time of a period: that leaves no entry. */
  mayBeReserved(account: Account, { ended }: Pick<Call, "ended">): boolean {
    return this.ledger.calls.some(({ send: { request }, began }) => {
      if (began > ended) return false;
      if (request.kind === "split") {
        return request.one === account || request.many.includes(account);
      }
      return request.kind === "bulk" && request.items.some(({ from }) => from === account);
    });
  }

  /** What could be spent of an account at the moments of a period, as its entries tell. */
  spendableDuring(
    { from, currency }: Pick<Movement, "from" | "currency">,
    { began, ended }: Pick<Call, "began" | "ended">,
  ): bigint[] {
    const entries = this.balance(from, currency)?.entries ?? [];
    const before = entries.findLast((entry) => this.isBefore(entry, began));
    const during = entries.filter(
      (entry) =>
        !this.isBefore(entry, began) && this.ledger.clock.momentsOf(entry.atMs).first <= ended,
    );
    return [before ?? NOTHING, ...during].map(spendable);
  }

  /** Whether an entry was surely made before a moment. */
  isBefore({ atMs }: Entry, moment: number): boolean {
    return this.ledger.clock.momentsOf(atMs).last < moment;
  }

  /** Whether somebody had been answered before this call began that the record has moved its money. */
  wasDoneBefore(record: Record, { began }: Call): boolean {
    return this.ledger.calls.some((call) => call.ended < began && isDone(call, record));
  }
}

export type Amounts = Pick<Entry, "credit" | "debit" | "inflightCredit" | "inflightDebit">;

export const NOTHING: Amounts = { credit: 0n, debit: 0n, inflightCredit: 0n, inflightDebit: 0n };

export const spendable = ({ credit, debit, inflightDebit }: Amounts): bigint =>
  credit - debit - inflightDebit;

/** What a record does to both of its balances; null when it moves nothing. */
export function actionOf({ kind, status }: Record): "apply" | "hold" | "commit" | "void" | null {
  if (kind === "split" || status === "REJECTED") return null;
  if (status === "INFLIGHT") return "hold";
  if (status === "VOID") return "void";
  return kind === "commit" ? "commit" : "apply";
}

/** Whether an answer says that its record has moved the money. */
export function isDone({ told }: Call, { id }: Record): boolean {
  if (told.kind !== "answer" || told.status >= 300) return false;
  const results = fieldIn(told.body, "results");
  const list: Value[] = Array.isArray(results) ? results : [told.body];
  return list.some((each) => {
    const status = String(fieldIn(each, "status"));
    const isFinal = status === "APPLIED" || status === "INFLIGHT" || status === "VOID";
    return fieldIn(each, "transaction_id") === id && isFinal;
  });
}

/** The ids of all transactions that an answer tells of as recorded. */
function idsIn(body: Value): string[] {
  const results = fieldIn(body, "results");
  const list = Array.isArray(results) ? results : [body];
  return list.flatMap((each) => {
    const id = fieldIn(each, "transaction_id");
    const status = fieldIn(each, "status");
    return typeof id === "string" && typeof status === "string" && !NOTHING_RECORDED.has(status)
      ? [id]
      : [];
  });
}

const NOTHING_RECORDED = new Set(["REJECTED", "SKIPPED", "PENDING", "failed"]);
