import { describe, expect, it } from "vitest";
import { type Answer, codeOf, field, get, post, textOf, writeJson } from "../support/api";
import {
  commit,
  fundedBalance,
  hold,
  moveNow,
  newBalance,
  newBalances,
  newLedger,
  unique,
} from "../support/ledger";

interface Asked {
  readonly [key: string]: unknown;
}

const bodyOf = (changes: Asked): Asked => ({
  precise_amount: 40,
  precision: 100,
  currency: "USD",
  reference: unique("r"),
  description: "d",
  ...changes,
});

const preview = (changes: Asked): Promise<Answer> =>
  post("/transactions", { ...bodyOf(changes), dry_run: true });

const inMinor = (current: string, resulting: string) => ({
  current_balance: current,
  resulting_balance: resulting,
});

describe("a dry run of a transaction", () => {
  it("shows both balances now and then, its keys in the order of the contract", async () => {
    const source = await fundedBalance(100n);
    const [destination = ""] = await newBalances(1);
    const answer = await preview({ source, destination, skip_queue: true });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body ?? {})).toEqual([
      "dry_run",
      "would_apply",
      "status",
      "reference",
      "currency",
      "amount",
      "precise_amount",
      "precision",
      "balances",
    ]);
    expect(answer.body).toMatchObject({
      dry_run: true,
      would_apply: true,
      status: "APPLIED",
      amount: 0.4,
      precise_amount: "40",
      precision: 100n,
    });
    expect(writeJson(field(answer, "balances"))).toBe(
      writeJson([
        {
          balance_id: source,
          role: "source",
          currency: "USD",
          current_balance: "100",
          current_available: "100",
          current_credit_balance: "100",
          current_debit_balance: "0",
          current_inflight_debit_balance: "0",
          current_inflight_credit_balance: "0",
          resulting_balance: "60",
          resulting_available: "60",
          resulting_credit_balance: "100",
          resulting_debit_balance: "40",
          resulting_inflight_debit_balance: "0",
          resulting_inflight_credit_balance: "0",
        },
        {
          balance_id: destination,
          role: "destination",
          currency: "USD",
          current_balance: "0",
          current_available: "0",
          current_credit_balance: "0",
          current_debit_balance: "0",
          current_inflight_debit_balance: "0",
          current_inflight_credit_balance: "0",
          resulting_balance: "40",
          resulting_available: "40",
          resulting_credit_balance: "40",
          resulting_debit_balance: "0",
          resulting_inflight_debit_balance: "0",
          resulting_inflight_credit_balance: "0",
        },
      ]),
    );
  });

  it("names the shortfall and the holds that tie the money up, the largest first", async () => {
    const source = await fundedBalance(10_000n);
    const held = await Promise.all(
      Array.from({ length: 22 }, async (_none, n) => {
        const amount = BigInt(n) + 100n;
        const answer = await hold({ from: source, to: "@shop", amount });
        return { id: textOf(answer, "transaction_id"), amount };
      }),
    );
    const [first] = held;
    await commit(first?.id ?? "", 60n);
    const answer = await preview({ source, destination: "@shop", precise_amount: 10_000 });
    expect(field(answer, "rejection")).toEqual({
      code: "TXN_INSUFFICIENT_FUNDS",
      reason: "insufficient_funds",
      message: expect.any(String),
      rule: "available_funds",
      balance_id: source,
      // 22 holds of 100 to 121 less the 60 that were committed, and these 60 themselves.
      shortfall: "2431",
      holds: held
        .slice(2)
        .reverse()
        .map(({ id, amount }) => ({
          transaction_id: id,
          reference: expect.any(String),
          inflight_remaining: amount.toString(),
        })),
    });
    expect(answer.body).not.toHaveProperty("status");
    expect(field(answer, "balances")).toMatchObject([
      inMinor("9940", "9940"),
      { current_balance: expect.any(String) },
    ]);
  });

  it("counts the overdraft limit into the shortfall", async () => {
    const source = await fundedBalance(100n);
    const answer = await preview({
      source,
      destination: "@shop",
      precise_amount: 151,
      overdraft_limit: 0.5,
    });
    expect(field(answer, "rejection")).toMatchObject({
      code: "TXN_VALIDATION_ERROR",
      reason: "overdraft_limit",
      rule: "overdraft_limit",
      shortfall: "1",
    });
    expect(field(answer, "rejection")).not.toHaveProperty("holds");
  });

  it("names an internal balance that it would make, and does not make it", async () => {
    const indicator = unique("@new");
    const answer = await preview({
      source: indicator,
      destination: unique("@other"),
      allow_overdraft: true,
    });
    expect(field(answer, "balances")).toMatchObject([
      { balance_id: indicator, virtual: true, ...inMinor("0", "-40") },
      { virtual: true, ...inMinor("0", "40") },
    ]);
    const read = await get(`/balances/indicator/${indicator}/currency/USD`);
    expect(codeOf(read)).toBe("BAL_NOT_FOUND");
  });

  it("says that a reference is used, and by which transaction", async () => {
    const source = await fundedBalance(100n);
    const first = await moveNow({ from: source, to: "@shop", amount: 1n });
    const reference = textOf(first, "reference");
    const answer = await preview({ source, destination: "@shop", reference });
    expect(field(answer, "rejection")).toMatchObject({
      code: "TXN_DUPLICATE_REFERENCE",
      reason: "other",
      rule: "reference",
      transaction_id: textOf(first, "transaction_id"),
    });
  });

  it("refuses a currency that a balance does not hold", async () => {
    const source = await fundedBalance(100n);
    const destination = await newBalance(await newLedger(), "EUR");
    const answer = await preview({ source, destination });
    expect(field(answer, "rejection")).toMatchObject({
      code: "TXN_VALIDATION_ERROR",
      reason: "other",
      rule: "currency",
      balance_id: destination,
    });
    expect(answer.body).not.toHaveProperty("notes");
  });

  it("leaves out of account when it is to happen, and says so", async () => {
    const source = await fundedBalance(100n);
    const changes = { source, destination: "@shop", scheduled_for: "2099-01-01T00:00:00Z" };
    const answer = await preview(changes);
    expect(answer.body).toMatchObject({ would_apply: true, status: "APPLIED" });
    expect(field(answer, "notes")).toHaveLength(1);
    expect((await preview({ ...changes, skip_queue: true })).body).not.toHaveProperty("notes");
  });

  it.each`
    what                      | changes                                                               | status | code
    ${"an unknown balance"}   | ${{ source: "bln_nobody" }}                                           | ${404} | ${"TXN_NOT_FOUND"}
    ${"an unknown id"}        | ${{ destination: `bln_${"0".repeat(36)}` }}                           | ${404} | ${"TXN_NOT_FOUND"}
    ${"no amount"}            | ${{ precise_amount: null }}                                           | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"the same balance"}     | ${{ source: "@shop" }}                                                | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"shares that are none"} | ${{ source: "", sources: [{ identifier: "@a", distribution: "x" }] }} | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"a wrong type"}         | ${{ precise_amount: "4" }}                                            | ${400} | ${"GEN_MALFORMED_REQUEST"}
  `("of $what stays an error: $status $code", async ({ changes, status, code }) => {
    const answer = await preview({ source: "@world", destination: "@shop", ...changes });
    expect(codeOf(answer)).toBe(code);
    expect(answer.status).toBe(status);
  });

  it("of nothing to move is refused as the real one is", async () => {
    const answer = await preview({ source: "@world", destination: "@shop", precise_amount: 0 });
    expect(field(answer, "rejection")).toMatchObject({
      code: "TXN_VALIDATION_ERROR",
      rule: "amount",
    });
  });
});

describe("a dry run of a split", () => {
  it.each([true, false])("shows its legs and each balance once (skip_queue %s)", async (skip) => {
    const source = await fundedBalance(100n);
    const [bob = "", carol = ""] = await newBalances(2);
    const answer = await preview({
      source,
      destinations: [
        { identifier: bob, distribution: "25%" },
        { identifier: carol, distribution: "left" },
      ],
      skip_queue: skip,
      precise_amount: 100,
    });
    expect(answer.body).toMatchObject({
      would_apply: true,
      balances: [
        { balance_id: source, ...inMinor("100", "0") },
        { balance_id: bob, ...inMinor("0", "25") },
        { balance_id: carol, ...inMinor("0", "75") },
      ],
      legs: [
        { identifier: bob, role: "destination", precise_amount: "25", amount: 0.25 },
        { identifier: carol, role: "destination", precise_amount: "75", amount: 0.75 },
      ],
    });
  });

  it("is all or nothing: the leg that lacks money refuses it, by how much it lacks", async () => {
    const rich = await fundedBalance(100n);
    const poor = await fundedBalance(10n);
    const answer = await preview({
      sources: [
        { identifier: rich, distribution: "50%" },
        { identifier: poor, distribution: "50%" },
      ],
      destination: "@shop",
      precise_amount: 100,
    });
    expect(field(answer, "rejection")).toMatchObject({
      rule: "available_funds",
      balance_id: poor,
      shortfall: "40",
    });
    expect(field(answer, "balances")).toMatchObject([
      inMinor("100", "100"),
      inMinor("10", "10"),
      { balance_id: expect.any(String) },
    ]);
  });

  it("finds a leg's reference that is used", async () => {
    const source = await fundedBalance(100n);
    const reference = unique("r");
    await moveNow({ from: source, to: "@shop", amount: 1n, reference: `${reference}-2` });
    const split = {
      source,
      destinations: [
        { identifier: "@a", distribution: "50%" },
        { identifier: "@b", distribution: "50%" },
      ],
      reference,
      skip_queue: true,
    };
    expect(field(await preview(split), "rejection")).toMatchObject({
      code: "TXN_DUPLICATE_REFERENCE",
    });
    expect(codeOf(await post("/transactions", bodyOf(split)))).toBe("TXN_DUPLICATE_REFERENCE");
  });
});
