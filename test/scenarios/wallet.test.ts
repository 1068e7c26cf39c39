import { describe, expect, it } from "vitest";
import {
  type Answer,
  call,
  codeOf,
  field,
  get,
  listOf,
  post,
  put,
  textOf,
  wholeOf,
} from "../support/api";
import {
  amountsOf,
  balanceOf,
  fundedBalance,
  move,
  moveNow,
  newBalance,
  newBalances,
  newLedger,
  settled,
  unique,
} from "../support/ledger";

const idOf = (answer: Answer): string => textOf(answer, "transaction_id");

async function newCustomer(metaData: object = {}): Promise<string> {
  const answer = await post("/identities", {
    identity_type: "individual",
    first_name: "Ada",
    last_name: "Eze",
    email_address: "ada@example.com",
    phone_number: "+2348012345678",
    meta_data: metaData,
  });
  expect(answer.status).toBe(201);
  return textOf(answer, "identity_id");
}

async function newWallet(ledgerId: string, identityId: string, metaData: object): Promise<string> {
  const body = {
    ledger_id: ledgerId,
    identity_id: identityId,
    currency: "USD",
    meta_data: metaData,
  };
  return textOf(await post("/balances", body), "balance_id");
}

const references = (answer: Answer): string[] =>
  listOf(answer).map((body) => textOf({ ...answer, body }, "reference"));

describe("a customer and their wallets", () => {
  it("W6, W7, W8: ledgers organise balances, and their ids stay", async () => {
    const metaData = { description: "wallets — für alle", application: "Wallet Management System" };
    const main = await post("/ledgers", { name: "Customer Main Ledger", meta_data: metaData });
    const card = await post("/ledgers", { name: "Customer Card Ledger" });

    const id = textOf(main, "ledger_id");
    expect(textOf(card, "ledger_id")).not.toBe(id);
    await put(`/ledgers/${id}`, { name: "Renamed" });
    const read = await get(`/ledgers/${id}`);
    expect([textOf(read, "ledger_id"), textOf(read, "name")]).toEqual([id, "Renamed"]);
    expect(field(read, "meta_data")).toEqual(metaData);
  });

  it("W9, W10: an identity keeps what it was made with", async () => {
    const metaData = { customer_id: "c-1", registration_date: "2026-11-21T10:00:00.000Z" };
    const read = await get(`/identities/${await newCustomer(metaData)}`);

    expect(read.body).toMatchObject({
      identity_type: "individual",
      first_name: "Ada",
      last_name: "Eze",
      email_address: "ada@example.com",
      phone_number: "+2348012345678",
      meta_data: metaData,
    });
  });

  it("W11, W12, W13, W24, W25: several wallets belong to one identity, each with its metadata", async () => {
    const [ledger, ada] = [await newLedger(), await newCustomer()];
    const cardDetails = { masked_number: "xxxx-xxxx-xxxx-1234", expiry: "12/25", type: "virtual" };
    const main = await newWallet(ledger, ada, { wallet_type: "main", status: "active" });
    const card = await newWallet(ledger, ada, { wallet_type: "card", card_details: cardDetails });

    const found = await get(`/balances?identity_id_eq=${ada}`);

    expect(
      listOf(found)
        .map((body) => textOf({ ...found, body }, "balance_id"))
        .sort(),
    ).toEqual([main, card].sort());
    expect(field(await get(`/balances/${card}`), "meta_data")).toEqual({
      wallet_type: "card",
      card_details: cardDetails,
    });
  });
});

describe("deposits, withdrawals and transfers", () => {
  it("W15, W16, W17, W19: an internal balance appears on first use, may owe, and the sum is zero", async () => {
    const world = `@${unique("World")}`;
    const wallet = await newBalance(await newLedger());
    const lookUp = () => get(`/balances/indicator/${world}/currency/USD`);
    expect((await lookUp()).status).toBe(404);

    const deposit = await post("/transactions", {
      amount: 1000,
      precision: 100,
      reference: unique("deposit"),
      description: "Deposit to wallet",
      currency: "USD",
      source: world,
      destination: wallet,
      allow_overdraft: true,
      meta_data: { transaction_type: "deposit", channel: "bank_transfer" },
    });
    await settled(idOf(deposit));
    await settled(idOf(await move({ from: wallet, to: world, amount: 250_50n })));

    const worldBalance = wholeOf(await lookUp(), "balance");
    expect([worldBalance, await balanceOf(wallet)]).toEqual([-749_50n, 749_50n]);
    expect((await get(`/balances/indicator/${world}/currency/EUR`)).status).toBe(404);
  });

  it("W18: a withdrawal beyond the funds is refused, or rejected by the queue", async () => {
    const wallet = await fundedBalance(100n);

    const refused = await moveNow({ from: wallet, to: "@World", amount: 101n });
    const queued = await settled(idOf(await move({ from: wallet, to: "@World", amount: 101n })));

    expect(codeOf(refused)).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(textOf(queued, "status")).toBe("REJECTED");
    expect(await balanceOf(wallet)).toBe(100n);
  });

  it.each([
    ["0.1", 100n, 10n],
    ["1150.25", 100n, 115_025n],
    ["4.35", 100n, 435n],
    ["1.005", 1000n, 1_005n],
    ["123456789012.345", 1000n, 123_456_789_012_345n],
  ])(
    "W23: %s in major units with precision %s is %s in minor ones",
    async (amount, precision, minor) => {
      const wallet = await newBalance(await newLedger());
      const raw = `{"amount":${amount},"precision":${precision},"reference":"${unique("exact")}",
      "currency":"USD","description":"d","source":"@World","destination":"${wallet}",
      "allow_overdraft":true,"skip_queue":true}`;

      const answer = await call("POST", "/transactions", { raw });

      expect(wholeOf(answer, "precise_amount")).toBe(minor);
      expect(await balanceOf(wallet)).toBe(minor);
    },
  );

  it("W26: a transfer is in both wallets, or in neither", async () => {
    const [main, card = ""] = [await fundedBalance(100n), ...(await newBalances(1))];

    const transfer = await moveNow({ from: main, to: card, amount: 60n });
    const tooMuch = await moveNow({ from: main, to: card, amount: 41n });

    expect([transfer.status, tooMuch.status]).toEqual([201, 400]);
    expect([await balanceOf(main), await balanceOf(card)]).toEqual([40n, 60n]);
  });

  it("W14, W27: balance ids name the ends, and every movement has an id of its own", async () => {
    const [main, card = ""] = [await fundedBalance(100n), ...(await newBalances(1))];
    const first = await moveNow({ from: main, to: card, amount: 1n });
    const second = await moveNow({ from: card, to: main, amount: 1n });

    expect([textOf(first, "source"), textOf(first, "destination")]).toEqual([main, card]);
    expect([textOf(second, "source"), textOf(second, "destination")]).toEqual([card, main]);
    expect(idOf(first)).not.toBe(idOf(second));
  });

  it("W29: many transfers at the same time keep every balance right", async () => {
    const wallets = await Promise.all(Array.from({ length: 8 }, () => fundedBalance(1_000n)));
    const pairs = wallets.flatMap((from, i) =>
      wallets.flatMap((to, j) => (i === j ? [] : [{ from, to, amount: BigInt(i + 1) }])),
    );

    const answers = await Promise.all(pairs.map((pair) => moveNow(pair)));

    expect(answers.map(({ status }) => status).every((status) => status === 201)).toBe(true);
    const balances = await Promise.all(wallets.map(balanceOf));
    // Each gives (i + 1) to seven others and gets the sum of what the others give: 36 − (i + 1).
    expect(balances).toEqual(wallets.map((_wallet, i) => 1_000n + 36n - 8n * BigInt(i + 1)));
  });
});

describe("what is on record", () => {
  it("W21, W22: description and metadata are stored, and found again", async () => {
    const wallet = await fundedBalance(100n);
    const [purpose, reference] = [unique("purpose"), unique("rent")];
    const options = { description: "Rent for May", meta_data: { purpose, channel: "app" } };
    await moveNow({ from: wallet, to: "@Landlord", amount: 70n, reference, options });
    await moveNow({ from: wallet, to: "@Landlord", amount: 7n });

    const found = await get(`/transactions?meta_data.purpose_eq=${purpose}`);

    expect(references(found)).toEqual([reference]);
    expect(found.body).toMatchObject([
      { description: "Rent for May", meta_data: { purpose, channel: "app" } },
    ]);
  });

  it("W5, W30: a wallet's history is its movements on both sides, newest first", async () => {
    const wallet = await newBalance(await newLedger());
    const [one, two, three] = [unique("one"), unique("two"), unique("three")];
    const options = { allow_overdraft: true };
    await moveNow({ from: "@World", to: wallet, amount: 9n, reference: one, options });
    await moveNow({ from: wallet, to: "@Shop", amount: 2n, reference: two });
    await settled(idOf(await move({ from: wallet, to: "@Shop", amount: 99n, reference: three })));
    await moveNow({ from: "@World", to: "@Shop", amount: 9n, options });

    const history = await get(`/transactions?balance_id_eq=${wallet}`);

    expect(references(history)).toEqual([three, two, one]);
  });

  it("W31: a transfer for later waits for its time", async () => {
    const wallet = await fundedBalance(100n);
    const later = new Date(Date.now() + 2_500).toISOString();

    const recorded = await move({
      from: wallet,
      to: "@Savings",
      amount: 25n,
      options: { scheduled_for: later },
    });

    const id = idOf(recorded);
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("SCHEDULED");
    expect(await balanceOf(wallet)).toBe(100n);
    await expect
      .poll(async () => textOf(await get(`/transactions/${id}`), "status"), { timeout: 20_000 })
      .toBe("APPLIED");
    expect((await amountsOf(wallet)).debit).toBe(25n);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(later));
  });
});
