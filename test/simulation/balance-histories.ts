import type { Value } from "../support/api";
import type { Record } from "./ending";
import {
  type Amounts,
  actionOf,
  breaks,
  type Facts,
  isDone,
  NOTHING,
  spendable,
  type Violation,
} from "./facts";
import { linearize, type Model, type Operation } from "./linearizability";
import { ACCOUNTS, type Account } from "./plan";
import type { Call } from "./play";
import { fieldIn } from "./requests";

/** What a client did to one balance, or saw of it. Amounts are minor units. */
export type BalanceAction =
  | { readonly kind: "read"; readonly seen: Amounts | "nothing" }
  | {
      readonly kind: "change";
      readonly side: "source" | "destination";
      readonly action: "apply" | "hold" | "commit" | "void";
      readonly amount: bigint;
      /** What the source may owe afterwards; null when that is no question, or not this operation's alone. */
      readonly limit: bigint | null;
    }
  /** A movement that was refused because not enough was there. */
  | { readonly kind: "refused"; readonly amount: bigint; readonly limit: bigint };

interface State extends Amounts {
  readonly exists: boolean;
}

/** One balance, one operation after another. */
export const BALANCE: Model<State, BalanceAction> = {
  initial: { ...NOTHING, exists: false },
  next: (state, action) => {
    switch (action.kind) {
      case "read":
        return isSeen(state, action.seen) ? state : null;
      case "refused":
        return spendable(state) + action.limit < action.amount ? state : null;
      case "change":
        return changed(state, action);
    }
  },
  textOf: ({ credit, debit, inflightCredit, inflightDebit, exists }) =>
    [credit, debit, inflightCredit, inflightDebit, exists].join(" "),
};

function isSeen(state: State, seen: Amounts | "nothing"): boolean {
  if (seen === "nothing") return !state.exists;
  const isSame = (name: keyof Amounts): boolean => state[name] === seen[name];
  return isSame("credit") && isSame("debit") && isSame("inflightCredit") && isSame("inflightDebit");
}

function changed(
  state: State,
  { side, action, amount, limit }: Extract<BalanceAction, { kind: "change" }>,
): State | null {
  if (limit !== null && spendable(state) + limit < amount) return null;
  const [settled, held] =
    side === "source"
      ? (["debit", "inflightDebit"] as const)
      : (["credit", "inflightCredit"] as const);
  const moves = action === "apply" || action === "commit" ? amount : 0n;
  const holds = action === "hold" ? amount : action === "apply" ? 0n : -amount;
  const after = {
    ...state,
    exists: true,
    [settled]: state[settled] + moves,
    [held]: state[held] + holds,
  };
  return after[held] < 0n ? null : after;
}

/** Laws 3 and 5: what clients did to each balance, and read of it, has an order. */
export function balanceHistoriesOf(facts: Facts): Violation[] {
  return ACCOUNTS.flatMap((account) => {
    const history = historyOf(account, facts);
    const { isLinearizable, order } = linearize(history, BALANCE);
    if (isLinearizable) return [];
    const stuck = history.filter((each) => !order.includes(each));
    return [
      breaks(5, `${account} has no order after ${order.length} operations: ${textOf(stuck)}`),
    ];
  });
}

const textOf = (operations: readonly Operation<BalanceAction>[]): string =>
  JSON.stringify(operations, (_key, part: unknown) =>
    typeof part === "bigint" ? `${part}` : part,
  );

/** The history of one balance, as its clients saw it. */
export function historyOf(account: Account, facts: Facts): Operation<BalanceAction>[] {
  const id = facts.ledger.balanceId(account);
  return [
    ...facts.records.flatMap((record) => changesOf(record, id, facts)),
    ...facts.ledger.calls.flatMap((call) => seenBy(call, account, facts)),
    ...(account === "owned" ? [MADE] : []),
  ];
}

/** A balance that its owner made exists before anybody uses it. */
const MADE: Operation<BalanceAction> = {
  began: 0,
  ended: 0,
  action: { kind: "change", side: "destination", action: "apply", amount: 0n, limit: null },
};

function changesOf(record: Record, id: string, facts: Facts): Operation<BalanceAction>[] {
  const action = actionOf(record);
  if (action === null) return [];
  const movement = facts.movementOf(record);
  const isAlone = record.group === null && movement !== undefined && movement.from !== "@world";
  const period = periodOf(record, facts);
  const change = (side: "source" | "destination") => {
    const limit = side === "source" && isAlone ? movement.limit : null;
    return {
      ...period,
      action: { kind: "change" as const, side, action, amount: record.amount, limit },
    };
  };
  return [
    ...(record.source === id ? [change("source")] : []),
    ...(record.destination === id ? [change("destination")] : []),
  ];
}

/** Between the first request for a record and the first answer that says that it is done. */
function periodOf(record: Record, facts: Facts): { began: number; ended: number } {
  const calls = facts.ledger.calls.filter((call) =>
    facts.madeBy(call).some(({ id }) => id === record.id),
  );
  const done = calls.filter((call) => isDone(call, record));
  return {
    // What a timer made has no request.
    began: calls.length === 0 ? 0 : Math.min(...calls.map(({ began }) => began)),
    ended: Math.min(...done.map(({ ended }) => ended)),
  };
}

function seenBy(call: Call, account: Account, facts: Facts): Operation<BalanceAction>[] {
  const { told, began, ended, send } = call;
  const { request } = send;
  if (told.kind !== "answer") return [];
  if (request.kind === "weigh" && request.account === account) {
    const seen = told.status === 404 ? "nothing" : amountsIn(told.body);
    return [{ began, ended, action: { kind: "read", seen } }];
  }
  const isShort = told.code === "TXN_INSUFFICIENT_FUNDS";
  // What groups keep back is in no balance's amounts.
  const isPlain = request.kind === "post" && request.from === account && request.currency === "USD";
  if (!isShort || !isPlain || facts.mayBeReserved(account, call)) return [];
  const { amount, limit } = request;
  const since = facts.sinceFirst(call).began;
  return [{ began: since, ended, action: { kind: "refused", amount, limit } }];
}

const amountsIn = (body: Value): Amounts => ({
  credit: wholeIn(body, "credit_balance"),
  debit: wholeIn(body, "debit_balance"),
  inflightCredit: wholeIn(body, "inflight_credit_balance"),
  inflightDebit: wholeIn(body, "inflight_debit_balance"),
});

function wholeIn(body: Value, name: string): bigint {
  const value = fieldIn(body, name);
  if (typeof value === "bigint") return value;
  throw new TypeError(`${name} is no whole number`);
}
