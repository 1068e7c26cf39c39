import { describe, expect, it } from "vitest";
import { type Answer, codeOf, field, get, post, put, textOf, writeJson } from "../support/api";
import { type Item, partOf, sendBatch } from "../support/bulk";
import {
  amountsOf,
  balanceOf,
  commit,
  fundedBalance,
  hold,
  newBalances,
  unique,
} from "../support/ledger";

const DRY = { dry_run: true };
const inMinor = (current: string, resulting: string) => ({
  current_balance: current,
  resulting_balance: resulting,
});

/** A chain: the second one spends what the first one brings. */
async function chain() {
  const alice = await fundedBalance(100n);
  const [bob = "", carol = ""] = await newBalances(2);
  const items: Item[] = [
    { from: alice, to: bob, amount: 80n },
    { from: bob, to: carol, amount: 50n },
  ];
  return { alice, bob, carol, items };
}

describe("a dry run of a batch", () => {
  it("with skip_queue lets its items build on each other, and shows them together", async () => {
    const { alice, bob, carol, items } = await chain();
    const answer = await sendBatch(items, DRY);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      dry_run: true,
      would_apply: true,
      cumulative: true,
      atomic: false,
      results: [
        { would_apply: true, status: "APPLIED", precise_amount: "80", balances: null },
        { would_apply: true, status: "APPLIED", precise_amount: "50", balances: null },
      ],
      balances: [
        { balance_id: alice, ...inMinor("100", "20") },
        { balance_id: bob, ...inMinor("0", "30") },
        { balance_id: carol, ...inMinor("0", "50") },
      ],
    });
    expect(await balanceOf(alice)).toBe(100n);
  });

  it("without it shows each on its own, because the queue has no order", async () => {
    const { alice, bob, carol, items } = await chain();
    const answer = await sendBatch(items, { ...DRY, skip_queue: false, run_async: true });
    expect(answer.body).toMatchObject({
      would_apply: false,
      cumulative: false,
      results: [
        {
          would_apply: true,
          balances: [
            { balance_id: alice, ...inMinor("100", "20") },
            { balance_id: bob, ...inMinor("0", "80") },
          ],
        },
        {
          would_apply: false,
          rejection: { rule: "available_funds", balance_id: bob, shortfall: "50" },
          balances: [
            { balance_id: bob, ...inMinor("0", "0") },
            { balance_id: carol, ...inMinor("0", "0") },
          ],
        },
      ],
    });
    expect(field(answer, "notes")).toHaveLength(2);
  });

  it("as a hold shows holds, whatever its items say", async () => {
    const { alice, items } = await chain();
    const [first] = items;
    const answer = await sendBatch([first ?? { from: "", to: "", amount: 0n }], {
      ...DRY,
      inflight: true,
    });
    expect(partOf(answer.body, "results", 0, "status")).toBe("INFLIGHT");
    expect(partOf(answer.body, "balances", 0)).toMatchObject({
      balance_id: alice,
      ...inMinor("100", "100"),
      resulting_inflight_debit_balance: "80",
    });
  });

  it.each([true, false])("that is atomic goes as a whole or not (skip_queue %s)", async (skip) => {
    const { alice, bob, items } = await chain();
    const how = { ...DRY, atomic: true, skip_queue: skip };
    expect(field(await sendBatch(items, how), "would_apply")).toBe(true);
    const held = textOf(await hold({ from: alice, to: "@shop", amount: 30n }), "transaction_id");
    const refused = await sendBatch(items, how);
    expect(refused.body).toMatchObject({ would_apply: false, atomic: true, cumulative: skip });
    expect(partOf(refused.body, "results", 0, "rejection")).toMatchObject({
      code: "TXN_INSUFFICIENT_FUNDS",
      balance_id: alice,
      shortfall: "10",
      holds: [{ transaction_id: held, inflight_remaining: "30" }],
    });
    expect(partOf(refused.body, "balances", 1)).toMatchObject({
      balance_id: bob,
      ...inMinor("0", "0"),
    });
  });

  it("finds references that were used before, and those that it uses twice", async () => {
    const { alice, items } = await chain();
    const reference = unique("twice");
    const twice = items.map((item) => ({ ...item, reference }));
    const inside = await sendBatch(twice, { ...DRY, skip_queue: false });
    expect(partOf(inside.body, "results", 1, "rejection")).toMatchObject({
      code: "TXN_DUPLICATE_REFERENCE",
      rule: "reference",
    });
    await sendBatch([{ from: alice, to: "@shop", amount: 1n, reference }]);
    const before = await sendBatch(twice, DRY);
    expect(partOf(before.body, "results", 0, "rejection", "code")).toBe("TXN_DUPLICATE_REFERENCE");
    expect(partOf(before.body, "results", 1, "rejection", "rule")).toBe("order");
  });

  it.each`
    what                    | items                                             | status | code
    ${"nothing"}            | ${[]}                                             | ${400} | ${"TXN_BULK_EMPTY"}
    ${"an unknown balance"} | ${[{ from: "bln_nobody", to: "@a", amount: 1n }]} | ${404} | ${"TXN_NOT_FOUND"}
    ${"what breaks a rule"} | ${[{ from: "@a", to: "@a", amount: 1n }]}         | ${400} | ${"TXN_VALIDATION_ERROR"}
  `("of $what stays an error: $status $code", async ({ items, status, code }) => {
    const answer = await sendBatch(items, DRY);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it("of 2,000 items answers for each of them", async () => {
    const source = await fundedBalance(2_000n);
    const items = Array.from({ length: 2_000 }, (_none, n) => ({
      from: source,
      to: `@paper-${n % 10}`,
      amount: 1n,
    }));
    const answer = await sendBatch(items, DRY);
    expect(field(answer, "would_apply")).toBe(true);
    expect(field(answer, "results")).toHaveLength(2_000);
    expect(partOf(answer.body, "balances", 0)).toMatchObject(inMinor("2000", "0"));
    expect(field(answer, "balances")).toHaveLength(11);
  });
});

const holdsOf = async (from: string, ...amounts: readonly bigint[]): Promise<string[]> =>
  Promise.all(
    amounts.map(async (amount) =>
      textOf(await hold({ from, to: "@shop", amount }), "transaction_id"),
    ),
  );

describe("a dry run of many commits or voids", () => {
  const NOBODY = "txn_11111111-1111-8111-8111-111111111111";

  it("tells of each on its own, also of those that do not exist", async () => {
    const from = await fundedBalance(100n);
    const [open = "", done = ""] = await holdsOf(from, 40n, 30n);
    await commit(done);
    const answer = await post("/transactions/inflight/bulk/commit", {
      ...DRY,
      skip_queue: true,
      transactions: [
        { transaction_id: open, precise_amount: 0 },
        { transaction_id: open, amount: 0.41 },
        { transaction_id: done },
        { transaction_id: NOBODY },
      ],
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      dry_run: true,
      would_apply: false,
      cumulative: false,
      results: [
        { would_apply: true, operation: "commit", status: "APPLIED", precise_amount: "40" },
        { would_apply: false, rejection: { code: "TXN_COMMIT_AMOUNT_EXCEEDED", rule: "amount" } },
        { would_apply: false, rejection: { code: "TXN_ALREADY_COMMITTED", rule: "state" } },
        { would_apply: false, rejection: { code: "GEN_NOT_FOUND", reason: "" }, balances: null },
      ],
      notes: [expect.stringContaining(open)],
    });
    expect(await amountsOf(from)).toMatchObject({ balance: 70n, inflightDebit: 40n });
  });

  it("of voids shows all that comes back", async () => {
    const from = await fundedBalance(100n);
    const ids = await holdsOf(from, 40n, 30n);
    const body = { ...DRY, transaction_ids: ids };
    const answer = await post("/transactions/inflight/bulk/void", body);
    expect(answer.body).toMatchObject({
      would_apply: true,
      results: [
        { operation: "void", status: "VOID", precise_amount: "40" },
        { operation: "void", status: "VOID", precise_amount: "30" },
      ],
    });
    expect(await amountsOf(from)).toMatchObject({ inflightDebit: 70n });
  });

  it.each(["commit", "void"])("of none is refused: %s", async (action) => {
    const answer = await post(`/transactions/inflight/bulk/${action}`, DRY);
    expect([answer.status, codeOf(answer)]).toEqual([400, "TXN_BULK_EMPTY"]);
  });
});

/** What a preview says that a balance will hold, and what it then holds. */
async function expectForetold(preview: Answer, balanceId: string): Promise<void> {
  const found = field(preview, "balances");
  const own = Array.isArray(found)
    ? found.find((each) => partOf(each, "balance_id") === balanceId)
    : null;
  const { balance, inflightDebit } = await amountsOf(balanceId);
  expect(own, writeJson(preview.body)).toMatchObject({
    resulting_balance: String(balance),
    resulting_inflight_debit_balance: String(inflightDebit),
  });
}

describe("a dry run by a batch's id", () => {
  const heldBatch = async (options: Readonly<Record<string, unknown>> = {}) => {
    const from = await fundedBalance(100n);
    const items = [40n, 30n].map((amount) => ({ from, to: unique("@shop"), amount }));
    const batchId = textOf(await sendBatch(items, { inflight: true, ...options }), "batch_id");
    return { from, batchId };
  };

  it.each`
    body                                 | total   | legs
    ${{ status: "commit" }}              | ${"70"} | ${2}
    ${{ status: "commit", amount: 0.3 }} | ${"60"} | ${2}
    ${{ status: "void" }}                | ${"70"} | ${2}
  `("of $body tells what becomes of all its holds", async ({ body, total, legs }) => {
    const { from, batchId } = await heldBatch();
    const path = `/transactions/inflight/${batchId}`;
    const preview = await put(path, { ...body, ...DRY, skip_queue: true });
    expect(preview.body).toMatchObject({ would_apply: true, precise_amount: total });
    expect(field(preview, "legs")).toHaveLength(legs);
    expect(await amountsOf(from)).toMatchObject({ inflightDebit: 70n });
    expect((await put(path, { ...body, skip_queue: true })).status).toBe(200);
    await expectForetold(preview, from);
    if (body.amount === undefined) {
      const again = await put(path, { ...body, ...DRY });
      const code = body.status === "void" ? "TXN_ALREADY_VOIDED" : "TXN_ALREADY_COMMITTED";
      expect(partOf(again.body, "rejection", "code")).toBe(code);
    }
  });

  it("refuses an amount that one of its holds has not, and holds that are none", async () => {
    const { batchId } = await heldBatch();
    const path = `/transactions/inflight/${batchId}`;
    const tooMuch = await put(path, { status: "commit", amount: 0.4, ...DRY });
    expect(partOf(tooMuch.body, "rejection", "code")).toBe("TXN_COMMIT_AMOUNT_EXCEEDED");
    const paid = await sendBatch([{ from: await fundedBalance(1n), to: "@shop", amount: 1n }]);
    const none = await put(`/transactions/inflight/${textOf(paid, "batch_id")}`, {
      status: "void",
      ...DRY,
    });
    expect(partOf(none.body, "rejection", "code")).toBe("TXN_NOT_INFLIGHT");
  });

  it("carries out what is still queued first, on paper", async () => {
    const { from, batchId } = await heldBatch({ skip_queue: false });
    const preview = await put(`/transactions/inflight/${batchId}`, { status: "commit", ...DRY });
    expect(preview.body).toMatchObject({ would_apply: true, precise_amount: "70" });
    expect(await balanceOf(from)).toBe(100n);
  });

  it("of a refund tells all that comes back, once", async () => {
    const from = await fundedBalance(100n);
    const items = [40n, 30n].map((amount) => ({ from, to: unique("@shop"), amount }));
    const batchId = textOf(await sendBatch(items), "batch_id");
    const path = `/refund-transaction/${batchId}`;
    const preview = await post(path, DRY);
    expect(preview.body).toMatchObject({ would_apply: true, precise_amount: "70" });
    expect((await post(path, { skip_queue: true })).status).toBe(201);
    await expectForetold(preview, from);
    expect(partOf((await post(path, DRY)).body, "rejection", "code")).toBe("GEN_CONFLICT");
    const part = await post(path, { ...DRY, amount: 0.1 });
    expect(partOf(part.body, "rejection", "code")).toBe("GEN_BAD_REQUEST");
  });

  it("of a batch that does not exist is 404", async () => {
    const nobody = "bulk_11111111-1111-8111-8111-111111111111";
    const answers = [
      await put(`/transactions/inflight/${nobody}`, { status: "commit", ...DRY, skip_queue: true }),
      await post(`/refund-transaction/${nobody}`, DRY),
    ];
    expect(answers.map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [404, "TXN_NOT_FOUND"],
      [404, "TXN_NOT_FOUND"],
    ]);
    expect((await get(`/transactions/bulk/${nobody}`)).status).toBe(404);
  });
});
