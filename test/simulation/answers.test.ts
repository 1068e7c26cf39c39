import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { answersOf } from "./answers";
import { Clock } from "./clock";
import type { Entry } from "./ending";
import { Facts } from "./facts";
import type { Post, Send } from "./plan";
import type { Call, Ledger } from "./play";
import type { Told } from "./requests";

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

const DEBIT: Post = {
  kind: "post",
  reference: "debit",
  from: "owned",
  to: "@b",
  amount: 10n,
  limit: 0n,
  currency: "USD",
  inflight: false,
  skipQueue: true,
  due: null,
};

const SEND: Send = {
  do: "send",
  name: "debit",
  neighbour: false,
  request: DEBIT,
  keyed: true,
  times: 1,
  isLost: false,
};

const LOST: Told = { kind: "unknown", why: "the reply was lost", code: null };
const REFUSED: Told = {
  kind: "answer",
  status: 400,
  code: "TXN_INSUFFICIENT_FUNDS",
  body: {},
  isBehind: false,
};

/** A ledger in which a balance without money got some at a moment. */
function ledgerOf(clock: Clock, paidMs: number, calls: readonly Call[]): Facts {
  const entry: Entry = {
    transactionId: "paid",
    side: "destination",
    action: "apply",
    amount: 50n,
    credit: 50n,
    debit: 0n,
    inflightCredit: 0n,
    inflightDebit: 0n,
    version: 1,
    atMs: paidMs,
  };
  const balance = {
    id: "owned",
    currency: "USD",
    credit: 50n,
    debit: 0n,
    inflightCredit: 0n,
    inflightDebit: 0n,
    reserved: 0n,
    entries: [entry],
  };
  const ledger: Ledger = {
    calls,
    balanceId: (account) => account,
    transactionId: (reference) => reference,
    alarmOf: () => null,
    ending: {
      records: [],
      balances: [balance],
      events: [],
      differences: [],
      stuck: "",
      findings: [],
      restedAt: Number.POSITIVE_INFINITY,
      restedAtMs: 0,
      alarms: [],
    },
    clock,
    batches: new Map(),
    strikes: [],
    mismatches: [],
  };
  return new Facts(ledger);
}

it.each([
  ["was sent before there was money, and its first reply was lost", true, 0],
  ["was sent when there was money", false, 1],
])("a debit is refused that %s", (_what, isSentBefore, violations) => {
  const clock = new Clock();
  const sending = (told: Told): Call => {
    const began = clock.tick();
    return { send: SEND, sentMs: began, began, ended: clock.tick(), told };
  };
  const before = isSentBefore ? [sending(LOST)] : [];
  const paidMs = clock.tick();
  const calls = [...before, sending(REFUSED)];

  expect(answersOf(ledgerOf(clock, paidMs, calls))).toHaveLength(violations);
});
