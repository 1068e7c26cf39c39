import { expect, it } from "vitest";
import { type Answer, codeOf, field, get, post, textOf } from "../support/api";
import { fundedBalance, hold, moveNow, newBalances, unique } from "../support/ledger";

const at = (id: string, query = ""): Promise<Answer> => get(`/balances/${id}/at${query}`);

/** What a balance had at a moment. */
const balanceAt = async (id: string, timestamp: string): Promise<unknown> => {
  const answer = await at(id, `?timestamp=${timestamp}`);
  expect(answer.status).toBe(200);
  return field(answer, "balance");
};

it("tells what had settled, holds apart", async () => {
  const from = await fundedBalance(100n);
  const [to = ""] = await newBalances(1);
  const before = new Date(Date.now() - 60_000).toISOString();
  await moveNow({ from, to, amount: 30n });
  await hold({ from, to, amount: 20n });
  const now = await at(from);
  expect(now.body).toEqual({
    balance: {
      balance: 70n,
      balance_id: from,
      credit_balance: 100n,
      currency: "USD",
      debit_balance: 30n,
    },
    from_source: false,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  expect(await balanceAt(from, before)).toMatchObject({ balance: 0n, credit_balance: 0n });
});

it("counts what was dated back, and not yet what is dated ahead", async () => {
  const [from = "", to = ""] = await newBalances(2);
  const dated = (effective_date: string, precise_amount: bigint) =>
    post("/transactions", {
      reference: unique("dated"),
      precise_amount,
      precision: 100,
      currency: "USD",
      source: from,
      destination: to,
      allow_overdraft: true,
      skip_queue: true,
      effective_date,
      description: "dated",
    });
  const huge = 90071992547409930000000001n;
  expect((await dated("2020-02-29T23:30:00+02:00", huge)).status).toBe(201);
  expect((await dated("2090-01-01T00:00:00Z", 5n)).status).toBe(201);
  expect(await balanceAt(to, "2020-02-29T21:29:59.999999Z")).toMatchObject({ balance: 0n });
  expect(await balanceAt(to, "2020-02-29T21:30:00Z")).toMatchObject({ balance: huge });
  expect(await balanceAt(from, "2030-01-01T00:00:00Z")).toMatchObject({
    balance: -huge,
    debit_balance: huge,
  });
  expect(await balanceAt(to, "2090-01-01T00:00:00Z")).toMatchObject({
    credit_balance: huge + 5n,
  });
});

it("tells the moment back in the zone that was asked for, also when its plus was not escaped", async () => {
  const [id = ""] = await newBalances(1);
  for (const zone of ["%2B", "+", " "]) {
    const answer = await at(id, `?timestamp=2031-03-01T10:00:00.25${zone}03:00&from_source=1`);
    expect([textOf(answer, "timestamp"), field(answer, "from_source")]).toEqual([
      "2031-03-01T10:00:00+03:00",
      true,
    ]);
  }
});

it.each([
  ["a word", "yesterday", "BAL_INVALID_TIMESTAMP"],
  ["a day", "2031-01-01", "BAL_INVALID_TIMESTAMP"],
  ["no zone", "2031-01-01T00:00:00", "BAL_INVALID_TIMESTAMP"],
  ["a day that is none", "2031-02-30T00:00:00Z", "BAL_INVALID_TIMESTAMP"],
  ["nothing", "", "BAL_INVALID_TIMESTAMP"],
  ["the zero time", "0001-01-01T00:00:00Z", "GEN_BAD_REQUEST"],
])("refuses %s", async (_what, timestamp, code) => {
  const [id = ""] = await newBalances(1);
  const answer = await at(id, `?timestamp=${timestamp}`);
  expect([answer.status, codeOf(answer)]).toEqual([400, code]);
});

it("does not know a balance that nobody has made", async () => {
  for (const id of ["bln_none", "nothing", `bln_${crypto.randomUUID()}`]) {
    const answer = await at(id);
    expect([answer.status, codeOf(answer)]).toEqual([404, "BAL_NOT_FOUND"]);
  }
});
