import { expect } from "vitest";
import { type Answer, get, post, put, textOf, wholeOf, writeJson } from "./api";
import { until } from "./until";

/** The amounts of a balance in minor units, as its object has them. */
export interface Amounts {
  readonly balance: bigint;
  readonly credit: bigint;
  readonly debit: bigint;
  readonly inflightCredit: bigint;
  readonly inflightDebit: bigint;
}

/** A movement in ledger words. Amounts are minor units; there are a hundred in a major one. */
export interface Movement {
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
  readonly reference?: string;
  readonly currency?: string;
  /** Anything else that the API takes, such as `inflight` or `allow_overdraft`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A text that nobody else uses. */
export const unique = (word: string): string => `${word}-${crypto.randomUUID().slice(0, 13)}`;

/** A new ledger's id. */
export async function newLedger(): Promise<string> {
  return textOf(await created("/ledgers", { name: unique("ledger") }), "ledger_id");
}

/** A new balance's id. */
export async function newBalance(ledgerId: string, currency = "USD"): Promise<string> {
  return textOf(await created("/balances", { ledger_id: ledgerId, currency }), "balance_id");
}

/** New balances in a new ledger, as many as are asked for. */
export async function newBalances(count: number, currency = "USD"): Promise<string[]> {
  const ledgerId = await newLedger();
  return Promise.all(Array.from({ length: count }, () => newBalance(ledgerId, currency)));
}

/** A new balance that holds `amount`, given by an internal balance that may go negative. */
export async function fundedBalance(amount: bigint, currency = "USD"): Promise<string> {
  const balanceId = await newBalance(await newLedger(), currency);
  await fund(balanceId, amount, currency);
  return balanceId;
}

/** Gives a balance money from an internal one. */
export async function fund(balanceId: string, amount: bigint, currency = "USD"): Promise<void> {
  const answer = await moveNow({
    from: "@World",
    to: balanceId,
    amount,
    currency,
    options: { allow_overdraft: true },
  });
  expect(answer.status, writeJson(answer.body)).toBe(201);
}

/** Sends a transaction by the queue. */
export const move = (movement: Movement): Promise<Answer> =>
  post("/transactions", bodyOf(movement));

/** Sends a transaction that is carried out before the answer. */
export const moveNow = (movement: Movement): Promise<Answer> =>
  post("/transactions", { ...bodyOf(movement), skip_queue: true });

/** Holds money, at once. */
export const hold = (movement: Movement): Promise<Answer> =>
  moveNow({ ...movement, options: { ...movement.options, inflight: true } });

/** Commits a hold: all that remains, or `amount` minor units of it. */
export const commit = (transactionId: string, amount?: bigint): Promise<Answer> =>
  put(`/transactions/inflight/${transactionId}`, {
    status: "commit",
    skip_queue: true,
    ...(amount === undefined ? {} : { precise_amount: amount }),
  });

/** Gives back what remains of a hold. */
export const release = (transactionId: string): Promise<Answer> =>
  put(`/transactions/inflight/${transactionId}`, { status: "void", skip_queue: true });

export const refund = (transactionId: string): Promise<Answer> =>
  post(`/refund-transaction/${transactionId}`, { skip_queue: true });

/** The amounts of a balance now. */
export async function amountsOf(balanceId: string): Promise<Amounts> {
  const answer = await get(`/balances/${balanceId}`);
  return {
    balance: wholeOf(answer, "balance"),
    credit: wholeOf(answer, "credit_balance"),
    debit: wholeOf(answer, "debit_balance"),
    inflightCredit: wholeOf(answer, "inflight_credit_balance"),
    inflightDebit: wholeOf(answer, "inflight_debit_balance"),
  };
}

/** What settled in a balance. */
export const balanceOf = async (balanceId: string): Promise<bigint> =>
  (await amountsOf(balanceId)).balance;

/** The transaction once it is no longer QUEUED. */
export async function settled(transactionId: string): Promise<Answer> {
  return until(
    () => get(`/transactions/${transactionId}`),
    (answer) => textOf(answer, "status") !== "QUEUED",
    () => `${transactionId} is still QUEUED`,
  );
}

async function created(path: string, body: unknown): Promise<Answer> {
  const answer = await post(path, body);
  expect(answer.status, writeJson(answer.body)).toBe(201);
  return answer;
}

const bodyOf = ({ from, to, amount, reference, currency = "USD", options }: Movement) => ({
  precise_amount: amount,
  precision: 100n,
  currency,
  reference: reference ?? unique("ref"),
  description: "a movement",
  source: from,
  destination: to,
  ...options,
});

/** An internal balance that nobody else uses, with some money. */
export async function wallet(amount: bigint): Promise<string> {
  const indicator = unique("@wallet");
  const given = await moveNow({
    from: "@World",
    to: indicator,
    amount,
    options: { allow_overdraft: true },
  });
  expect(given.status).toBe(201);
  return indicator;
}
