import { describe, expect, it } from "vitest";
import { type Answer, call, codeOf, field, post, textOf, type Value } from "../support/api";
import { fundedBalance, newBalances, unique } from "../support/ledger";

const body = (changes: Record<string, unknown>) => ({
  precision: 100,
  currency: "USD",
  reference: unique("r"),
  description: "d",
  skip_queue: true,
  ...changes,
});

const expanded = (changes: Record<string, unknown>): Promise<Answer> =>
  post("/transactions?expand=balances", body(changes));

const balancesIn = (answer: Answer): Value[] => {
  const balances = field(answer, "balances");
  return Array.isArray(balances) ? balances : [];
};

describe("a transfer that is asked to show its balances", () => {
  it("L3: shows both as it left them", async () => {
    const from = await fundedBalance(1_000n);
    const [to = ""] = await newBalances(1);
    const answer = await expanded({ precise_amount: 300, source: from, destination: to });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      status: "APPLIED",
      balances: [
        {
          balance_id: from,
          role: "source",
          currency: "USD",
          balance: 700n,
          available: 700n,
          credit_balance: 1_000n,
          debit_balance: 300n,
          version: 3n,
        },
        { balance_id: to, role: "destination", balance: 300n, available: 300n, version: 2n },
      ],
    });
  });

  it("shows what a hold leaves to spend", async () => {
    const from = await fundedBalance(1_000n);
    const to = unique("@shop");
    const answer = await expanded({
      precise_amount: 300,
      source: from,
      destination: to,
      inflight: true,
    });
    expect(answer.body).toMatchObject({
      status: "INFLIGHT",
      balances: [
        { balance: 1_000n, available: 700n, inflight_debit_balance: 300n, inflight_balance: -300n },
        { indicator: to, balance: 0n, available: 0n, inflight_credit_balance: 300n },
      ],
    });
  });

  it("shows its own moment, however many move the same money", async () => {
    const from = await fundedBalance(1_000n);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        expanded({ precise_amount: 10, source: from, destination: "@crowd" }),
      ),
    );
    const seen = answers.map((answer) => balancesIn(answer)[0]);
    const expected = Array.from({ length: 20 }, (_none, n) => ({
      version: BigInt(n) + 3n,
      balance: 990n - BigInt(n) * 10n,
    }));
    for (const each of expected) expect(seen).toContainEqual(expect.objectContaining(each));
  });

  it("shows the same to a repeat, though the money has moved on", async () => {
    const from = await fundedBalance(1_000n);
    const headers = { "Idempotency-Key": unique("key") };
    const sent = body({ precise_amount: 10, source: from, destination: "@crowd" });
    const path = "/transactions?expand=balances";
    const first = await call("POST", path, { body: sent, headers });
    await expanded({ precise_amount: 10, source: from, destination: "@crowd" });
    const again = await call("POST", path, { body: sent, headers });
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(again.body).toEqual(first.body);
  });

  it("shows every balance of a split once", async () => {
    const from = await fundedBalance(1_000n);
    const [bob = "", carol = ""] = await newBalances(2);
    const answer = await expanded({
      precise_amount: 1_000,
      source: from,
      destinations: [
        { identifier: bob, distribution: "25%" },
        { identifier: carol, distribution: "left" },
      ],
    });
    expect(answer.body).toMatchObject({
      balances: [
        { balance_id: from, role: "source", balance: 0n },
        { balance_id: bob, role: "destination", balance: 250n },
        { balance_id: carol, role: "destination", balance: 750n },
      ],
    });
  });

  it("is asked by the standard header as well, which is confirmed", async () => {
    const from = await fundedBalance(1_000n);
    const answer = await call("POST", "/transactions", {
      body: body({ precise_amount: 10, source: from, destination: "@crowd" }),
      headers: { Prefer: "respond-async, Return=Representation" },
    });
    expect(balancesIn(answer)).toHaveLength(2);
    expect(answer.headers.get("Preference-Applied")).toBe("return=representation");
  });

  it("shows none while it waits in the queue", async () => {
    const from = await fundedBalance(1_000n);
    const answer = await expanded({
      precise_amount: 10,
      source: from,
      destination: "@crowd",
      skip_queue: false,
    });
    expect(textOf(answer, "status")).toBe("QUEUED");
    expect(answer.body).not.toHaveProperty("balances");
  });
});

it.each([false, true])("nothing else can be expanded, with dry_run %s either", async (dry_run) => {
  const answer = await post("/transactions?expand=ledger", body({ dry_run }));
  expect(answer.status).toBe(400);
  expect(codeOf(answer)).toBe("GEN_VALIDATION_ERROR");
});
