import { afterAll, describe, expect, it, vi } from "vitest";
import { startServer } from "../support/server.ts";
import { clientOf, dataOf, refusalOf, transfer, unique } from "./sdk-client.ts";

const server = await startServer({ authOff: true });
afterAll(() => server.close());

const { blnk, create, newBalance, newWallet, figuresOf, settledIn, decided } =
  await clientOf(server);

describe("W1: the official client creates", () => {
  it("a hold, with every field that it knows", async () => {
    const [source, destination] = [await newBalance(), await newBalance()];
    const hold = await create({
      amount: 12.34,
      rate: 2,
      source,
      destination,
      inflight: true,
      inflight_expiry_date: new Date("2099-01-02T03:04:05Z"),
      inflight_commit_date: "2098-01-02T03:04:05+01:00",
      effective_date: new Date("2024-02-03T04:05:06Z"),
      allow_overdraft: true,
      atomic: true,
      meta_data: { order: { id: 7 } },
    });
    expect(hold).toMatchObject({
      amount: 12.34,
      precise_amount: 1234,
      precision: 100,
      status: "INFLIGHT",
      source,
      destination,
      inflight: true,
      inflight_expiry_date: "2099-01-02T03:04:05Z",
      inflight_commit_date: "2098-01-02T03:04:05+01:00",
      effective_date: "2024-02-03T04:05:06Z",
      allow_overdraft: true,
      atomic: true,
      skip_queue: true,
      meta_data: { order: { id: 7 } },
    });
    expect(await figuresOf(source)).toEqual([{ settled: 0, held: 1234 }]);
  });

  it("a queued transfer, which it finds by id and by reference", async () => {
    const [source, destination] = [await newBalance(500), await newBalance()];
    const queued = await create({ amount: 2, source, destination, skip_queue: false });
    expect(queued.status).toBe("QUEUED");
    expect((await decided(queued.transaction_id)).status).toBe("APPLIED");
    for (const reference of [queued.reference, `${queued.reference}_q`]) {
      const { transaction_id } = dataOf(await blnk.Transactions.getByReference(reference));
      expect(transaction_id).toBe(queued.transaction_id);
    }
    expect(await settledIn(source, destination)).toEqual([300, 200]);
  });

  it("a transfer for later", async () => {
    const later = await create({
      amount: 1,
      source: "@World",
      destination: "@Later",
      allow_overdraft: true,
      scheduled_for: new Date("2099-01-01T00:00:00Z"),
      skip_queue: false,
    });
    expect(later).toMatchObject({ status: "SCHEDULED", scheduled_for: "2099-01-01T00:00:00Z" });
  });

  it("an amount that no double holds, without losing a digit", async () => {
    const destination = await newBalance();
    const precise_amount = "123456789012345678901";
    await create({ precise_amount, source: "@World", destination, allow_overdraft: true });
    const read = await fetch(`${server.baseUrl}/balances/${destination}`);
    expect(await read.text()).toContain(`"balance":${precise_amount},`);
  });

  it("one payment to many, by share, amount and rest", async () => {
    const source = await newBalance(10_000);
    const [fee, tax, seller] = [await newBalance(), await newBalance(), await newBalance()];
    const split = await create({
      amount: 100,
      source,
      destinations: [
        { identifier: fee, distribution: "2.5%" },
        { identifier: tax, distribution: "19.01" },
        { identifier: seller, distribution: "left" },
      ],
    });
    expect(split.destinations).toMatchObject([
      { identifier: fee, transaction_id: expect.stringMatching(/^txn_/) },
      { identifier: tax },
      { identifier: seller },
    ]);
    expect(await settledIn(source, fee, tax, seller)).toEqual([0, 250, 1901, 7849]);
  });

  it("one payment of many, in minor units", async () => {
    const [rich, poor, shop] = [await newBalance(700), await newBalance(300), await newBalance()];
    await create({
      precise_amount: 1000,
      destination: shop,
      sources: [
        { identifier: rich, precise_distribution: "700" },
        { identifier: poor, precise_distribution: "300" },
      ],
    });
    expect(await settledIn(rich, poor, shop)).toEqual([0, 0, 1000]);
  });

  it("nothing that is refused, and tells the code", async () => {
    const [source, destination] = [await newBalance(100), await newBalance()];
    const paid = transfer({ amount: 1, source, destination });
    dataOf(await blnk.Transactions.create(paid));
    expect(refusalOf(await blnk.Transactions.create(paid))).toEqual([
      409,
      "TXN_DUPLICATE_REFERENCE",
    ]);
    const more = transfer({ amount: 1, source, destination });
    expect(refusalOf(await blnk.Transactions.create(more))).toEqual([
      400,
      "TXN_INSUFFICIENT_FUNDS",
    ]);
    const unknown = transfer({ amount: 1, source: "bln_nobody", destination });
    expect(refusalOf(await blnk.Transactions.create(unknown))).toEqual([404, "TXN_NOT_FOUND"]);
    expect(refusalOf(await blnk.Transactions.get("txn_nobody"))).toEqual([404, "TXN_NOT_FOUND"]);
    expect(await settledIn(source, destination)).toEqual([0, 100]);
  });

  it("a dry run, and a batch of them, which move nothing", async () => {
    const source = await newBalance(100);
    const asked = { ...transfer({ amount: 1, source, destination: "@Shop" }), dry_run: true };
    expect(dataOf(await blnk.Transactions.create(asked))).toMatchObject({
      dry_run: true,
      would_apply: true,
      precise_amount: "100",
    });
    const batch = { transactions: [asked, transfer({ ...asked, reference: unique("r") })] };
    const preview = { ...batch, skip_queue: true, dry_run: true };
    expect(dataOf(await blnk.Transactions.createBulk(preview))).toMatchObject({
      would_apply: false,
      results: [{ would_apply: true }, { rejection: { code: "TXN_INSUFFICIENT_FUNDS" } }],
    });
    expect(await settledIn(source)).toEqual([100]);
  });
});

describe("W1: the official client settles", () => {
  const holdOf = async (source: string, destination: string, amount: number) =>
    (await create({ amount, source, destination, inflight: true })).transaction_id;
  const now = { skip_queue: true };

  it("a hold: in parts by either amount, and what remains is given back", async () => {
    const [source, destination] = [await newBalance(1_000), await newBalance()];
    const id = await holdOf(source, destination, 10);
    const commit = { status: "commit", ...now } as const;
    const first = dataOf(await blnk.Transactions.updateStatus(id, { ...commit, amount: 2.5 }));
    expect(first).toMatchObject({ status: "APPLIED", parent_transaction: id, precise_amount: 250 });
    dataOf(await blnk.Transactions.updateStatus(id, { ...commit, precise_amount: 50 }));
    const tooMuch = await blnk.Transactions.updateStatus(id, { ...commit, amount: 7.01 });
    expect(refusalOf(tooMuch)).toEqual([400, "TXN_COMMIT_AMOUNT_EXCEEDED"]);
    const rest = dataOf(await blnk.Transactions.updateStatus(id, { status: "void", ...now }));
    expect(rest).toMatchObject({ status: "VOID", precise_amount: 700 });
    expect(refusalOf(await blnk.Transactions.updateStatus(id, commit))).toEqual([
      409,
      "TXN_ALREADY_VOIDED",
    ]);
    expect(await figuresOf(source)).toEqual([{ settled: 700, held: 0 }]);
    expect(await settledIn(destination)).toEqual([300]);
  });

  it("a hold by the queue", async () => {
    const [source, destination] = [await newBalance(1_000), await newBalance()];
    const id = await holdOf(source, destination, 10);
    const answer = dataOf(await blnk.Transactions.updateStatus(id, { status: "commit" }));
    expect(answer).toMatchObject({ transaction_id: id, queued: true });
    await vi.waitFor(async () => expect(await settledIn(destination)).toEqual([1_000]), 20_000);
  });

  it("all holds of a split by its id", async () => {
    const [source, one, two] = [await newBalance(1_000), await newBalance(), await newBalance()];
    const split = await create({
      amount: 10,
      source,
      destinations: [
        { identifier: one, distribution: "40%" },
        { identifier: two, distribution: "left" },
      ],
      inflight: true,
    });
    expect(await figuresOf(source)).toEqual([{ settled: 1_000, held: 1_000 }]);
    const id = split.transaction_id;
    dataOf(await blnk.Transactions.updateStatus(id, { status: "commit", ...now }));
    expect(await settledIn(source, one, two)).toEqual([0, 400, 600]);
  });

  it("many holds in one call, and hears of each", async () => {
    const [source, destination] = [await newBalance(1_000), await newBalance()];
    const [part = "", whole = "", back = "", queued = ""] = await Promise.all(
      [1, 2, 3, 4].map((amount) => holdOf(source, destination, amount)),
    );
    const committed = await blnk.Transactions.bulkCommitInflight({
      ...now,
      transactions: [
        { transaction_id: part, amount: 0.4 },
        { transaction_id: whole },
        { transaction_id: back, precise_amount: 301 },
        { transaction_id: "txn_nobody" },
      ],
    });
    expect(dataOf(committed)).toMatchObject({
      succeeded: 2,
      failed: 2,
      results: [
        { transaction_id: part, status: "succeeded" },
        { transaction_id: whole, status: "succeeded" },
        { transaction_id: back, status: "failed", code: "INVALID_AMOUNT" },
        { transaction_id: "txn_nobody", status: "failed", code: "NOT_FOUND" },
      ],
    });
    const voided = await blnk.Transactions.bulkVoidInflight({
      ...now,
      transaction_ids: [part, whole, back],
    });
    expect(dataOf(voided)).toMatchObject({
      succeeded: 2,
      failed: 1,
      results: [{ status: "succeeded" }, { code: "ALREADY_COMMITTED" }, { status: "succeeded" }],
    });
    expect(await figuresOf(source)).toEqual([{ settled: 760, held: 400 }]);
    const waiting = await blnk.Transactions.bulkVoidInflight({ transaction_ids: [queued] });
    expect(dataOf(waiting)).toMatchObject({ results: [{ status: "queued", code: "QUEUED" }] });
    await vi.waitFor(
      async () => expect(await figuresOf(source)).toMatchObject([{ held: 0 }]),
      20_000,
    );
  });
});

describe("W1: the official client sends batches", () => {
  /** Two payments of a balance with 10.00: 4.00 and another. */
  async function payments(second: number) {
    const [source, destination] = [await newBalance(1_000), await newBalance()];
    const transactions = [4, second].map((amount) => transfer({ amount, source, destination }));
    return { source, destination, transactions };
  }
  const now = { skip_queue: true };

  it("L12: that are carried out in order, and refunds one by its id", async () => {
    const { source, destination, transactions } = await payments(5);
    const batch = dataOf(await blnk.Transactions.createBulk({ transactions, ...now }));
    expect(batch).toMatchObject({ status: "applied", transaction_count: 2 });
    expect(await settledIn(source, destination)).toEqual([100, 900]);
    expect(dataOf(await blnk.Transactions.refund(batch.batch_id, now)).status).toBe("APPLIED");
    expect(await settledIn(source, destination)).toEqual([1_000, 0]);
  });

  it("by the queue", async () => {
    const { source, destination, transactions } = await payments(6);
    dataOf(await blnk.Transactions.createBulk({ transactions }));
    await vi.waitFor(
      async () => expect(await settledIn(source, destination)).toEqual([0, 1_000]),
      20_000,
    );
  });

  it("that stop at the first refusal, or move nothing at all", async () => {
    const some = await payments(7);
    const stopped = await blnk.Transactions.createBulk({ ...some, ...now });
    expect(refusalOf(stopped)).toEqual([400, "TXN_INSUFFICIENT_FUNDS"]);
    expect(await settledIn(some.source)).toEqual([600]);
    const none = await payments(7);
    const refused = await blnk.Transactions.createBulk({ ...none, ...now, atomic: true });
    expect(refusalOf(refused)).toEqual([400, "TXN_INSUFFICIENT_FUNDS"]);
    expect(await settledIn(none.source, none.destination)).toEqual([1_000, 0]);
  });

  it("of holds, and commits them by the batch's id", async () => {
    const { source, destination, transactions } = await payments(5);
    const held = await blnk.Transactions.createBulk({ transactions, ...now, inflight: true });
    const { batch_id, status } = dataOf(held);
    expect(status).toBe("inflight");
    expect(await figuresOf(source)).toEqual([{ settled: 1_000, held: 900 }]);
    dataOf(await blnk.Transactions.updateStatus(batch_id, { status: "commit", ...now }));
    expect(await settledIn(source, destination)).toEqual([100, 900]);
  });

  it("in the background, and looks how far they are", async () => {
    const { source, destination, transactions } = await payments(5);
    const how = { run_async: true, atomic: true, ...now };
    const started = await blnk.Transactions.createBulk({ transactions, ...how });
    expect(started.status).toBe(202);
    const { batch_id, status } = dataOf(started);
    expect(status).toBe("processing");
    await vi.waitFor(
      async () =>
        expect(dataOf(await blnk.Transactions.get(batch_id))).toMatchObject({ status: "applied" }),
      20_000,
    );
    expect(await settledIn(source, destination)).toEqual([100, 900]);
  });
});

describe("W1: the official client", () => {
  it("has no method for transactions that is not used here", () => {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(blnk.Transactions));
    expect(methods.sort()).toEqual([
      "bulkCommitInflight",
      "bulkVoidInflight",
      "constructor",
      "create",
      "createBulk",
      "get",
      "getByReference",
      "getLineage",
      "recoverQueue",
      "refund",
      "updateStatus",
    ]);
  });

  it("asks whose money it is", async () => {
    const wallet = await newWallet({ visa: 100, swift: 100 });
    const spent = await create({ amount: 1.5, source: wallet, destination: "@Shop" });

    expect(dataOf(await blnk.LedgerBalances.getLineage(wallet))).toMatchObject({
      total_with_lineage: 50,
      providers: [
        { provider: "visa", amount: 100, available: 50, spent: 50 },
        { provider: "swift", amount: 100, available: 0, spent: 100 },
      ],
    });
    expect(dataOf(await blnk.Transactions.getLineage(spent.transaction_id))).toMatchObject({
      fund_allocation: [{ amount: 100 }, { amount: 50 }],
      shadow_transactions: [{ status: "APPLIED" }, { status: "APPLIED" }],
    });
  });

  it("refunds once, at once or by the queue", async () => {
    const [source, destination] = [await newBalance(1_000), await newBalance()];
    const pay = () => create({ amount: 3, source, destination });
    const [first, second] = [await pay(), await pay()];
    const now = { skip_queue: true };
    const refund = dataOf(await blnk.Transactions.refund(first.transaction_id, now));
    expect(refund).toMatchObject({
      status: "APPLIED",
      parent_transaction: first.transaction_id,
      reference: `${first.transaction_id}_refund`,
      source: destination,
      destination: source,
      precise_amount: 300,
    });
    expect(refusalOf(await blnk.Transactions.refund(first.transaction_id, now))).toEqual([
      409,
      "GEN_CONFLICT",
    ]);
    const queued = dataOf(await blnk.Transactions.refund(second.transaction_id));
    expect(queued.status).toBe("QUEUED");
    expect((await decided(queued.transaction_id)).status).toBe("APPLIED");
    expect(await settledIn(source, destination)).toEqual([1_000, 0]);
  });

  it("adds metadata to a transaction, and finds it by that", async () => {
    const color = unique("green");
    const { transaction_id } = await create({
      amount: 1,
      source: "@World",
      destination: "@Shop",
      allow_overdraft: true,
      meta_data: { kept: true },
    });
    const merged = await blnk.Metadata.update(transaction_id, { meta_data: { color } });
    expect(dataOf(merged).meta_data).toEqual({ color });
    const found = await blnk.Search.filter(
      {
        filters: [
          { field: "meta_data.color", operator: "eq", value: color },
          { field: "status", operator: "in", values: ["APPLIED", "VOID"] },
        ],
        include_count: true,
        sort_by: "created_at",
        limit: 5,
      },
      "transactions",
    );
    expect(dataOf(found)).toMatchObject({
      data: [{ transaction_id, meta_data: { kept: true, color } }],
      total_count: 1,
    });
  });

  it("asks for what waits too long: nothing does", async () => {
    expect(dataOf(await blnk.Transactions.recoverQueue())).toEqual({
      recovered: 0,
      threshold: "2m0s",
    });
    const threshold = "1h30m";
    expect(dataOf(await blnk.Transactions.recoverQueue({ threshold })).threshold).toBe("1h30m0s");
  });
});
