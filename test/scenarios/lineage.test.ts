import { describe, expect, it } from "vitest";
import { codeOf, field, get, listOf, post, textOf } from "../support/api";
import {
  amountsOf,
  commit,
  hold,
  move,
  moveNow,
  newBalance,
  newBalances,
  newLedger,
  refund,
  release,
  settled,
  unique,
} from "../support/ledger";
import {
  bring,
  fundsOf,
  idOfIndicator,
  lineageOf,
  newOwner,
  newWallet,
  shadowIds,
} from "../support/lineage";

describe("the worked example of the contract", () => {
  it("tells whose money came, went and was passed on", async () => {
    const [ada, bob] = [await newWallet(), await newWallet()];
    const shop = await newBalance(await newLedger());
    const references = [unique("stripe"), unique("paypal"), unique("spend"), unique("pass")];
    const [first = "", second = "", third = "", fourth = ""] = references;
    const brought = await bring(ada, 10_000n, "stripe", first);
    await bring(ada, 5_000n, "paypal", second);
    expect(await fundsOf(ada)).toEqual(["stripe: 10000 = 10000 + 0", "paypal: 5000 = 5000 + 0"]);

    const spent = await moveNow({ from: ada, to: shop, amount: 12_000n, reference: third });
    expect(await fundsOf(ada)).toEqual(["stripe: 10000 = 0 + 10000", "paypal: 5000 = 3000 + 2000"]);
    const passed = await moveNow({ from: ada, to: bob, amount: 3_000n, reference: fourth });
    expect(await fundsOf(ada)).toEqual(["stripe: 10000 = 0 + 10000", "paypal: 5000 = 0 + 5000"]);
    expect(await fundsOf(bob)).toEqual(["paypal: 3000 = 3000 + 0"]);

    const told = await Promise.all(
      [brought, textOf(spent, "transaction_id"), textOf(passed, "transaction_id")].map(lineageOf),
    );
    expect(told.map(({ allocation }) => allocation)).toEqual([
      null,
      [
        { provider: "stripe", amount: 10_000n },
        { provider: "paypal", amount: 2_000n },
      ],
      [{ provider: "paypal", amount: 3_000n }],
    ]);
    const [all, stripe, paypal] = await Promise.all(
      [`@${ada}_lineage`, `@stripe_${ada}_lineage`, `@paypal_${ada}_lineage`].map(idOfIndicator),
    );
    const [allOfBob, paypalOfBob] = await Promise.all(
      [`@${bob}_lineage`, `@paypal_${bob}_lineage`].map(idOfIndicator),
    );
    const shadows = told.flatMap((each) => each.shadows);
    expect(shadows.map(({ body }) => body)).toEqual(
      [
        [`${first}_shadow_stripe`, "Shadow credit from stripe", stripe, all, 10_000n],
        [`${third}_release_stripe`, "Release stripe funds", all, stripe, 10_000n],
        [`${third}_release_paypal`, "Release paypal funds", all, paypal, 2_000n],
        [`${fourth}_release_paypal`, "Release paypal funds", all, paypal, 3_000n],
        [`${fourth}_receive_paypal`, "Receive paypal funds", paypalOfBob, allOfBob, 3_000n],
      ].map(([reference, description, source, destination, amount]) =>
        expect.objectContaining({
          reference,
          description,
          source,
          destination,
          precise_amount: amount,
          status: "APPLIED",
        }),
      ),
    );
  });

  it("says it in the metadata of the record, not in the answer to the request", async () => {
    const wallet = await newWallet();
    await bring(wallet, 100n, "visa");
    const spent = await moveNow({ from: wallet, to: "@Shop", amount: 30n });
    const id = textOf(spent, "transaction_id");

    expect(spent.body).not.toHaveProperty("meta_data");
    const allocation = { BLNK_FUND_ALLOCATION: [{ amount: 30n, provider: "visa" }] };
    expect(field(await get(`/transactions/${id}`), "meta_data")).toEqual(allocation);
    const listed = listOf(await get(`/transactions?transaction_id_eq=${id}`));
    expect(listed).toEqual([expect.objectContaining({ meta_data: allocation })]);
  });

  it("marks each shadow with what it tells of", async () => {
    const [owner, wallet] = [await newOwner("Grace"), await newWallet()];
    const other = await newWallet({ owner });
    const brought = await bring(wallet, 100n, "visa");
    const passed = textOf(
      await moveNow({ from: wallet, to: other, amount: 30n }),
      "transaction_id",
    );
    const shadows = [brought, passed].map(async (id) => (await lineageOf(id)).shadows);

    const marks = (await Promise.all(shadows)).flat().map((shadow) => field(shadow, "meta_data"));
    expect(marks).toEqual([
      expect.objectContaining({
        _shadow_for: brought,
        _provider: "visa",
        _lineage_type: "credit",
        _main_balance: wallet,
        _identity_id: expect.stringMatching(/^idt_/),
      }),
      expect.objectContaining({
        _shadow_for: passed,
        _provider: "visa",
        _lineage_type: "release",
        _main_balance: wallet,
        _allocation: "FIFO",
      }),
      expect.objectContaining({
        _shadow_for: passed,
        _provider: "visa",
        _lineage_type: "receive",
        _main_balance: other,
        _from_balance: wallet,
      }),
    ]);
  });
});

describe("whose money is spent first", () => {
  it.each([
    ["FIFO", ["visa: 100 = 0 + 100", "swift: 50 = 30 + 20"]],
    ["LIFO", ["visa: 100 = 30 + 70", "swift: 50 = 0 + 50"]],
    ["proportional", ["visa: 100 = 20 + 80", "swift: 50 = 10 + 40"]],
  ])("by %s", async (strategy, after) => {
    const wallet = await newWallet({ strategy });
    await bring(wallet, 100n, "visa");
    await bring(wallet, 50n, "swift");
    await moveNow({ from: wallet, to: "@Shop", amount: 120n });

    expect(await fundsOf(wallet)).toEqual(after);
  });

  it("is known as far as anybody's is: the rest is nobody's", async () => {
    const wallet = await newWallet();
    await moveNow({ from: "@World", to: wallet, amount: 70n, options: { allow_overdraft: true } });
    await bring(wallet, 30n, "visa");
    const spent = textOf(
      await moveNow({ from: wallet, to: "@Shop", amount: 50n }),
      "transaction_id",
    );

    expect((await lineageOf(spent)).allocation).toEqual([{ provider: "visa", amount: 30n }]);
    expect(await fundsOf(wallet)).toEqual(["visa: 30 = 0 + 30"]);
    expect((await amountsOf(wallet)).balance).toBe(50n);
  });

  it("is not for a client to say: what a source has decides, and what it does not know of is nobody's", async () => {
    const [wallet, other] = [await newWallet(), await newWallet()];
    await bring(wallet, 100n, "visa");
    const tagged = { meta_data: { BLNK_LINEAGE_PROVIDER: "swift" } };
    await moveNow({ from: wallet, to: other, amount: 40n, options: tagged });

    expect(await fundsOf(wallet)).toEqual(["visa: 100 = 60 + 40"]);
    expect(await fundsOf(other)).toEqual(["visa: 40 = 40 + 0"]);
  });
});

describe("a hold of somebody's money", () => {
  it("ties it up: what is held cannot be spent again", async () => {
    const wallet = await newWallet();
    await bring(wallet, 100n, "visa");
    await bring(wallet, 100n, "swift");
    await hold({ from: wallet, to: "@Shop", amount: 80n });
    const spent = textOf(
      await moveNow({ from: wallet, to: "@Shop", amount: 50n }),
      "transaction_id",
    );

    expect((await lineageOf(spent)).allocation).toEqual([
      { provider: "visa", amount: 20n },
      { provider: "swift", amount: 30n },
    ]);
    expect(await fundsOf(wallet)).toEqual(["visa: 100 = 0 + 20 + 80 held", "swift: 100 = 70 + 30"]);
  });

  it("is committed in its shadows as far as it is committed, and given back in them as well", async () => {
    const [wallet, other] = [await newWallet(), await newWallet()];
    await bring(wallet, 50n, "visa");
    await bring(wallet, 50n, "swift");
    const held = textOf(await hold({ from: wallet, to: other, amount: 80n }), "transaction_id");
    expect(await fundsOf(other)).toEqual(["visa: 0 = 0 + 0", "swift: 0 = 0 + 0"]);
    const first = textOf(await commit(held, 60n), "transaction_id");
    expect(await fundsOf(wallet)).toEqual(["visa: 50 = 0 + 50", "swift: 50 = 20 + 10 + 20 held"]);
    expect(await fundsOf(other)).toEqual(["visa: 50 = 50 + 0", "swift: 10 = 10 + 0"]);
    const rest = textOf(await release(held), "transaction_id");

    expect(await fundsOf(wallet)).toEqual(["visa: 50 = 0 + 50", "swift: 50 = 40 + 10"]);
    const told = await Promise.all([held, first, rest].map(lineageOf));
    expect(
      told.map(({ shadows }) =>
        shadows.map((each) => `${field(each, "precise_amount")} ${field(each, "status")}`),
      ),
    ).toEqual([
      ["50 INFLIGHT", "30 INFLIGHT", "50 INFLIGHT", "30 INFLIGHT"],
      ["50 APPLIED", "10 APPLIED", "50 APPLIED", "10 APPLIED"],
      ["20 VOID", "20 VOID"],
    ]);
    const [shadow = ""] = (await shadowIds(held)).slice(1);
    expect(field(await get(`/transactions/${shadow}`), "inflight_remaining")).toBe(0n);
    expect(await amountsOf(await idOfIndicator(`@swift_${wallet}_lineage`))).toMatchObject({
      debit: 50n,
      credit: 10n,
      inflightCredit: 0n,
    });
  });

  it("that a provider named counts once it is committed", async () => {
    const wallet = await newWallet();
    const tagged = { meta_data: { BLNK_LINEAGE_PROVIDER: "visa" }, allow_overdraft: true };
    const held = await hold({ from: "@World", to: wallet, amount: 100n, options: tagged });
    const id = textOf(held, "transaction_id");
    expect(await fundsOf(wallet)).toEqual(["visa: 0 = 0 + 0"]);
    await commit(id, 40n);

    expect(await fundsOf(wallet)).toEqual(["visa: 40 = 40 + 0"]);
  });
});

describe("whose money it was is known as well of", () => {
  it("a queued transfer", async () => {
    const wallet = await newWallet();
    await bring(wallet, 100n, "visa");
    const sent = await move({ from: wallet, to: "@Shop", amount: 30n });
    const id = textOf(sent, "transaction_id");
    await settled(id);

    expect((await lineageOf(id)).allocation).toEqual([{ provider: "visa", amount: 30n }]);
  });

  it("a split, leg by leg", async () => {
    const [wallet, other] = [await newWallet(), await newWallet()];
    await bring(wallet, 100n, "visa");
    const split = await post("/transactions", {
      precise_amount: 80,
      precision: 100,
      currency: "USD",
      reference: unique("split"),
      description: "shared out",
      source: wallet,
      destinations: [
        { identifier: other, distribution: "25%" },
        { identifier: "@Shop", distribution: "left" },
      ],
      skip_queue: true,
    });
    const id = textOf(split, "transaction_id");

    expect(await fundsOf(wallet)).toEqual(["visa: 100 = 20 + 80"]);
    expect(await fundsOf(other)).toEqual(["visa: 20 = 20 + 0"]);
    const { allocation, shadows } = await lineageOf(id);
    expect(allocation).toEqual([
      { provider: "visa", amount: 20n },
      { provider: "visa", amount: 60n },
    ]);
    expect(shadows).toHaveLength(3);
  });

  it.each([true, false])("a batch in its order (atomic: %s)", async (atomic) => {
    const [first, second] = [await newWallet(), await newWallet()];
    const item = { precision: 100, currency: "USD", description: "of a batch" };
    const transactions = [
      {
        ...item,
        precise_amount: 100,
        reference: unique("in"),
        source: "@World",
        destination: first,
        allow_overdraft: true,
        meta_data: { BLNK_LINEAGE_PROVIDER: "visa" },
      },
      {
        ...item,
        precise_amount: 60,
        reference: unique("on"),
        source: first,
        destination: second,
      },
      {
        ...item,
        precise_amount: 50,
        reference: unique("out"),
        source: second,
        destination: "@Shop",
      },
    ];
    const sent = await post("/transactions/bulk", { transactions, atomic, skip_queue: true });
    expect(sent.status).toBe(201);

    expect(await fundsOf(first)).toEqual(["visa: 100 = 40 + 60"]);
    expect(await fundsOf(second)).toEqual(["visa: 60 = 10 + 50"]);
  });

  it("members of a batch in their order: none spends what a later one brings", async () => {
    const [ada, bob] = [await newWallet(), await newWallet()];
    await bring(bob, 100n, "visa");
    const item = { precision: 100, currency: "USD", description: "of a batch" };
    const transactions = [
      { ...item, precise_amount: 100, reference: unique("in"), source: bob, destination: ada },
      { ...item, precise_amount: 50, reference: unique("out"), source: ada, destination: "@Shop" },
      {
        ...item,
        precise_amount: 100,
        reference: unique("later"),
        source: "@World",
        destination: ada,
        allow_overdraft: true,
        meta_data: { BLNK_LINEAGE_PROVIDER: "amex" },
      },
    ];
    const sent = await post("/transactions/bulk", { transactions, atomic: true, skip_queue: true });
    expect(sent.status).toBe(201);

    expect(await fundsOf(ada)).toEqual(["visa: 100 = 50 + 50", "amex: 100 = 100 + 0"]);
  });

  it("a refund, which gives back to whoever paid", async () => {
    const wallet = await newWallet();
    await bring(wallet, 50n, "visa");
    await bring(wallet, 50n, "swift");
    const spent = await moveNow({ from: wallet, to: "@Shop", amount: 80n });
    const id = textOf(spent, "transaction_id");
    const part = { skip_queue: true, precise_amount: 40 };
    expect((await post(`/refund-transaction/${id}`, part)).status).toBe(201);
    expect(await fundsOf(wallet)).toEqual(["visa: 90 = 40 + 50", "swift: 50 = 20 + 30"]);
    await refund(id);

    expect(await fundsOf(wallet)).toEqual(["visa: 100 = 50 + 50", "swift: 80 = 50 + 30"]);
  });
});

describe("what has no lineage", () => {
  it("is a transfer between balances that do not track any", async () => {
    const [alice = "", bob = ""] = await newBalances(2);
    const tagged = { meta_data: { BLNK_LINEAGE_PROVIDER: "visa" }, allow_overdraft: true };
    const sent = await moveNow({ from: alice, to: bob, amount: 10n, options: tagged });

    expect(await lineageOf(textOf(sent, "transaction_id"))).toEqual({
      allocation: null,
      shadows: [],
    });
    const answer = await get(`/balances/${bob}/lineage`);
    expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_BAD_REQUEST"]);
  });

  it("is a wallet before its first credit", async () => {
    const wallet = await newWallet();
    expect((await get(`/balances/${wallet}/lineage`)).body).toEqual({
      balance_id: wallet,
      total_with_lineage: 0n,
      aggregate_balance_id: "",
      providers: [],
    });
  });

  it("is a provider whose name is too long", async () => {
    const options = { meta_data: { BLNK_LINEAGE_PROVIDER: "v".repeat(256) } };
    const sent = await moveNow({ from: "@World", to: "@Shop", amount: 1n, options });
    expect(sent.status).toBe(400);
  });
});
