import { afterEach, describe, expect, it } from "vitest";
import { type Answer, codeOf, field, get, post, put, textOf } from "../support/api";
import { clearFaults, setFaults, WELL } from "../support/faults";
import {
  amountsOf,
  commit,
  fundedBalance,
  hold,
  move,
  moveNow,
  newBalances,
  refund,
  settled,
  unique,
} from "../support/ledger";

interface Asked {
  readonly [key: string]: unknown;
}

/** Transactions stay in the queue until the end of the test. */
function stopTheQueue(): void {
  setFaults("default", {
    call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
  });
}
afterEach(() => clearFaults("default"));

const inMinor = (current: string, resulting: string) => ({
  current_balance: current,
  resulting_balance: resulting,
});

const settle = (id: string, body: Asked): Promise<Answer> =>
  put(`/transactions/inflight/${id}`, { dry_run: true, ...body });

describe("a dry run of a commit or void", () => {
  it("shows what the hold would become", async () => {
    const from = await fundedBalance(100n);
    const [to = ""] = await newBalances(1);
    const id = textOf(await hold({ from, to, amount: 60n }), "transaction_id");
    await commit(id, 10n);
    const part = await settle(id, { status: "commit", amount: 0.2 });
    expect(Object.keys(part.body ?? {}).slice(0, 4)).toEqual([
      "dry_run",
      "would_apply",
      "operation",
      "status",
    ]);
    expect(part.body).toMatchObject({
      operation: "commit",
      status: "APPLIED",
      amount: 0.2,
      precise_amount: "20",
      balances: [
        {
          ...inMinor("90", "70"),
          current_inflight_debit_balance: "50",
          resulting_inflight_debit_balance: "30",
        },
        { ...inMinor("10", "30"), resulting_inflight_credit_balance: "30" },
      ],
    });
    const all = await settle(id, { status: "void", amount: 0.2 });
    expect(all.body).toMatchObject({ operation: "void", status: "VOID", precise_amount: "50" });
    expect(field(all, "notes")).toHaveLength(1);
    expect(await amountsOf(from)).toMatchObject({ balance: 90n, inflightDebit: 50n });
  });

  it("refuses as the real call does, with nothing to show", async () => {
    const from = await fundedBalance(100n);
    const id = textOf(await hold({ from, to: "@shop", amount: 60n }), "transaction_id");
    const answer = await settle(id, { status: "commit", precise_amount: 61 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      dry_run: true,
      would_apply: false,
      rejection: {
        code: "TXN_COMMIT_AMOUNT_EXCEEDED",
        reason: "other",
        message: expect.any(String),
        rule: "amount",
      },
      operation: "commit",
      currency: "",
      amount: 0n,
      precise_amount: "0",
      precision: 0n,
      balances: [],
    });
    await commit(id);
    const late = await settle(id, { status: "void" });
    expect(field(late, "rejection")).toMatchObject({
      code: "TXN_ALREADY_COMMITTED",
      rule: "state",
    });
  });

  it.each([true, false])("of an unknown hold is 404 (skip_queue %s)", async (skip) => {
    for (const id of ["txn_nobody", "txn_11111111-1111-8111-8111-111111111111"]) {
      const answer = await settle(id, { status: "commit", skip_queue: skip });
      expect([answer.status, codeOf(answer)]).toEqual([404, "TXN_NOT_FOUND"]);
    }
  });

  it("checks the request first", async () => {
    expect(codeOf(await settle("txn_x", { status: "keep" }))).toBe("TXN_INVALID_STATUS_ACTION");
    const zero = await settle("txn_x", { status: "commit", precise_amount: 0 });
    expect(codeOf(zero)).toBe("TXN_INVALID_AMOUNT");
  });

  it("carries out a hold that is still queued first, on paper", async () => {
    stopTheQueue();
    const from = await fundedBalance(100n);
    const to = unique("@shop");
    const queued = await move({ from, to, amount: 60n, options: { inflight: true } });
    const id = textOf(queued, "transaction_id");
    const answer = await settle(id, { status: "commit", skip_queue: true });
    expect(answer.body).toMatchObject({
      status: "APPLIED",
      balances: [inMinor("100", "40"), { virtual: true, ...inMinor("0", "60") }],
    });
    expect(field(answer, "notes")).toHaveLength(1);
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("QUEUED");
  });

  it("answers something that was true, while others settle the same hold", async () => {
    const from = await fundedBalance(100n);
    const [to = ""] = await newBalances(1);
    const id = textOf(await hold({ from, to, amount: 100n }), "transaction_id");
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 30 }, () => settle(id, { status: "void" }))),
      Promise.all(Array.from({ length: 20 }, () => commit(id, 5n))),
    ]);
    for (const answer of answers) {
      const told = field(answer, "would_apply");
      const rest = BigInt(textOf(answer, "precise_amount"));
      expect([answer.status, told, rest % 5n]).toEqual([200, rest > 0n, 0n]);
    }
  });

  it("of a queued hold without the money finds nothing to settle", async () => {
    stopTheQueue();
    const from = await fundedBalance(100n);
    const queued = await move({ from, to: "@shop", amount: 101n, options: { inflight: true } });
    const answer = await settle(textOf(queued, "transaction_id"), { status: "commit" });
    expect(field(answer, "rejection")).toMatchObject({ code: "TXN_NOT_INFLIGHT" });
  });

  it("shows every leg of a split", async () => {
    const source = await fundedBalance(100n);
    const held = await post("/transactions", {
      precise_amount: 40,
      precision: 100,
      currency: "USD",
      reference: unique("r"),
      description: "d",
      source,
      destinations: [
        { identifier: unique("@a"), distribution: "25%" },
        { identifier: unique("@b"), distribution: "left" },
      ],
      inflight: true,
      skip_queue: true,
    });
    const answer = await settle(textOf(held, "transaction_id"), { status: "void" });
    expect(answer.body).toMatchObject({
      precise_amount: "40",
      legs: [{ role: "source" }, { role: "source" }],
      balances: [
        { balance_id: source, resulting_available: "100", current_available: "60" },
        { resulting_inflight_credit_balance: "0" },
        { resulting_inflight_credit_balance: "0" },
      ],
    });
  });
});

const refundOf = (id: string, body: Asked = {}): Promise<Answer> =>
  post(`/refund-transaction/${id}`, { dry_run: true, ...body });

describe("a dry run of a refund", () => {
  it("shows what comes back, in whole or in part", async () => {
    const from = await fundedBalance(100n);
    const to = unique("@shop");
    const id = textOf(await moveNow({ from, to, amount: 60n }), "transaction_id");
    const whole = await refundOf(id);
    expect(whole.status).toBe(200);
    expect(whole.body).toMatchObject({
      would_apply: true,
      status: "APPLIED",
      reference: `${id}_refund`,
      precise_amount: "60",
      balances: [
        { role: "source", ...inMinor("60", "0") },
        { balance_id: from, role: "destination", ...inMinor("40", "100") },
      ],
      notes: [expect.stringContaining(id)],
    });
    const part = await refundOf(id, { amount: 0.25 });
    expect(part.body).toMatchObject({ precise_amount: "25", amount: 0.25 });
    expect(part.body).not.toHaveProperty("reference");
  });

  it("refuses a second one, and finds nothing where nothing moved", async () => {
    const from = await fundedBalance(100n);
    const id = textOf(await moveNow({ from, to: "@shop", amount: 60n }), "transaction_id");
    await refund(id);
    expect(field(await refundOf(id), "rejection")).toMatchObject({ code: "GEN_CONFLICT" });
    const held = textOf(await hold({ from, to: "@shop", amount: 60n }), "transaction_id");
    for (const nothing of [held, "txn_nobody", "txn_11111111-1111-8111-8111-111111111111"]) {
      const answer = await refundOf(nothing);
      expect([answer.status, codeOf(answer)]).toEqual([404, "TXN_NOT_FOUND"]);
    }
  });

  it("of a queued transaction carries that out first, on paper", async () => {
    stopTheQueue();
    const from = await fundedBalance(100n);
    const queued = await move({ from, to: unique("@shop"), amount: 60n });
    const id = textOf(queued, "transaction_id");
    expect((await refundOf(id)).body).toMatchObject({
      balances: [
        { virtual: true, ...inMinor("0", "0") },
        { balance_id: from, ...inMinor("100", "100") },
      ],
    });
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("QUEUED");
    clearFaults("default");
    await refund(id);
    expect(textOf(await settled(id), "status")).toBe("APPLIED");
  });

  it.each([true, false])(
    "of a queued transaction without the money finds nothing, as the refund does (skip_queue %s)",
    async (skip) => {
      stopTheQueue();
      const from = await fundedBalance(100n);
      const queued = await move({ from, to: unique("@shop"), amount: 101n });
      const id = textOf(queued, "transaction_id");
      const asked = await refundOf(id, { skip_queue: skip });
      expect(textOf(await get(`/transactions/${id}`), "status")).toBe("QUEUED");
      clearFaults("default");
      const done = await post(`/refund-transaction/${id}`, { skip_queue: skip });
      expect([done.status, codeOf(done)]).toEqual([404, "TXN_NOT_FOUND"]);
      expect([asked.status, codeOf(asked)]).toEqual([404, "TXN_NOT_FOUND"]);
    },
  );

  it("shows each commit of a hold", async () => {
    const from = await fundedBalance(100n);
    const id = textOf(await hold({ from, to: unique("@shop"), amount: 60n }), "transaction_id");
    await commit(id, 10n);
    await commit(id, 20n);
    const answer = await refundOf(id);
    expect(answer.body).toMatchObject({
      precise_amount: "30",
      legs: [{ precise_amount: "20" }, { precise_amount: "10" }],
      balances: [inMinor("30", "0"), inMinor("70", "100")],
    });
  });
});
