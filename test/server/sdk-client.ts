import { BlnkInit } from "@blnkfinance/blnk-typescript";
import { expect, vi } from "vitest";
import type { TestServer } from "../support/server.ts";

const quiet = { info() {}, error() {} };

type Created = Parameters<ReturnType<typeof BlnkInit>["Transactions"]["create"]>[0];

interface SdkAnswer<T> {
  readonly status: number;
  readonly message: string;
  readonly data: T | null;
  readonly error?: { readonly code: string } | null | undefined;
}

/** What an answer of the client brought. Throws when it is a refusal. */
export function dataOf<T>({ status, message, data }: SdkAnswer<T>): T {
  if (status >= 300 || data === null) throw new Error(`the server answered ${status}: ${message}`);
  return data;
}

/** The status and code of a refusal. */
export const refusalOf = ({ status, error }: SdkAnswer<unknown>) => [status, error?.code];

let made = 0;

/** A text that nobody else uses. */
export function unique(word: string): string {
  made += 1;
  return `${word}-${made}`;
}

/** A transfer of dollars, carried out before the answer. */
export const transfer = (changes: Partial<Created>): Created => ({
  precision: 100,
  currency: "USD",
  reference: unique("reference"),
  description: "a transfer",
  skip_queue: true,
  ...changes,
});

/** The official client of a server that asks for no key, and what tests do with it again and again. Amounts of balances are cents. */
export async function clientOf({ baseUrl }: TestServer) {
  const blnk = BlnkInit("", { baseUrl, logger: quiet });
  const { ledger_id } = dataOf(await blnk.Ledgers.create({ name: "Everybody's" }));

  const create = async (changes: Partial<Created>) =>
    dataOf(await blnk.Transactions.create(transfer(changes)));

  const newBalance = async (cents = 0): Promise<string> => {
    const body = { ledger_id, currency: "USD" };
    const { balance_id } = dataOf(await blnk.LedgerBalances.create(body));
    if (cents > 0) {
      const from = { source: "@World", allow_overdraft: true };
      await create({ ...from, destination: balance_id, precise_amount: cents });
    }
    return balance_id;
  };

  /** A balance that spends the newest provider's money first, with so many cents of each provider. */
  const newWallet = async (brought: Readonly<Record<string, number>>): Promise<string> => {
    const owner = dataOf(
      await blnk.Identity.create({ identity_type: "individual", first_name: "Ada" }),
    );
    const { balance_id: destination } = dataOf(
      await blnk.LedgerBalances.create({
        ledger_id,
        currency: "USD",
        identity_id: owner.identity_id,
        track_fund_lineage: true,
        allocation_strategy: "LIFO",
      }),
    );
    const from = { source: "@World", allow_overdraft: true, destination };
    for (const [provider, precise_amount] of Object.entries(brought)) {
      await create({ ...from, precise_amount, meta_data: { BLNK_LINEAGE_PROVIDER: provider } });
    }
    return destination;
  };

  /** What settled in balances, and what they hold back. */
  const figuresOf = async (...balanceIds: readonly string[]) => {
    const answers = await Promise.all(balanceIds.map((id) => blnk.LedgerBalances.get(id)));
    return answers.map(dataOf).map(({ balance, inflight_debit_balance }) => ({
      settled: balance,
      held: inflight_debit_balance,
    }));
  };

  const settledIn = async (...balanceIds: readonly string[]): Promise<number[]> =>
    (await figuresOf(...balanceIds)).map(({ settled }) => settled);

  /** The transaction once the ledger has decided it. */
  const decided = (id: string) =>
    vi.waitFor(async () => {
      const transaction = dataOf(await blnk.Transactions.get(id));
      expect(transaction.status).not.toBe("QUEUED");
      return transaction;
    }, 20_000);

  return { blnk, create, newBalance, newWallet, figuresOf, settledIn, decided };
}
