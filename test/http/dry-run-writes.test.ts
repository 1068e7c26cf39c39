import { expect, it } from "vitest";
import { type Answer, call, get, post, put, textOf } from "../support/api";
import { sendBatch } from "../support/bulk";
import { everythingWritten, settledDown } from "../support/everything";
import { fundedBalance, hold, moveNow, unique } from "../support/ledger";

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
  dry_run: true,
});

const preview = (changes: Asked): Promise<Answer> => post("/transactions", bodyOf(changes));

const settle = (id: string, body: Asked): Promise<Answer> =>
  put(`/transactions/inflight/${id}`, { dry_run: true, ...body });

const refundOf = (id: string, body: Asked = {}): Promise<Answer> =>
  post(`/refund-transaction/${id}`, { dry_run: true, ...body });

it("V22: a dry run of every route writes nothing: not a row, not a table, not a message", async () => {
  const source = await fundedBalance(100n);
  const paid = textOf(await moveNow({ from: source, to: "@shop", amount: 1n }), "transaction_id");
  const held = textOf(await hold({ from: source, to: "@shop", amount: 50n }), "transaction_id");
  const items = [1n, 2n].map((amount) => ({ from: source, to: "@shop", amount }));
  const batch = textOf(await sendBatch(items, { inflight: true }), "batch_id");
  const dry = { dry_run: true, skip_queue: true };
  await get("/transactions");
  await settledDown();
  const before = await everythingWritten();

  const key = { headers: { "Idempotency-Key": unique("key") } };
  const made = { source: unique("@new"), destination: unique("@made"), allow_overdraft: true };
  const answers = [
    await preview({ source, destination: "@shop", skip_queue: true }),
    await preview({ source, destination: "@shop", precise_amount: 99 }),
    await preview({ ...made, inflight: true, scheduled_for: "2099-01-01T00:00:00Z" }),
    await preview({
      source,
      destinations: [
        { identifier: unique("@a"), distribution: "50%" },
        { identifier: unique("@b"), distribution: "50%" },
      ],
      atomic: true,
    }),
    await call("POST", "/transactions", { body: bodyOf(made), ...key }),
    await settle(held, { status: "commit", precise_amount: 5, skip_queue: true }),
    await settle(held, { status: "void" }),
    await settle(paid, { status: "void" }),
    await refundOf(paid, { skip_queue: true }),
    await sendBatch(items, dry),
    await sendBatch([...items, { from: unique("@new"), to: "@shop", amount: 1n }], {
      ...dry,
      atomic: true,
      run_async: true,
    }),
    await call("POST", "/transactions/bulk", {
      body: { transactions: [bodyOf(made)], dry_run: true },
      ...key,
    }),
    await call("POST", "/transactions/inflight/bulk/commit", {
      body: { transactions: [{ transaction_id: held }, { transaction_id: paid }], ...dry },
      ...key,
    }),
    await post("/transactions/inflight/bulk/void", { transaction_ids: [held], ...dry }),
    await settle(batch, { status: "commit" }),
    await refundOf(batch),
    await refundOf(held),
  ];
  expect(answers.map(({ status }) => status)).toEqual([...Array(15).fill(200), 404, 404]);

  expect(await everythingWritten()).toEqual(before);

  // And it would have been seen.
  await moveNow({ from: source, to: "@shop", amount: 1n });
  expect(await everythingWritten()).not.toEqual(before);
});
