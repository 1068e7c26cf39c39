import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { shardStub } from "../../src/durable/journal/client";
import { codeOf, field, get, listOf, post, put, textOf } from "../support/api";
import { batchAtItsEnd, partOf, sendBatch } from "../support/bulk";
import { clearFaults, setFaults, WELL } from "../support/faults";
import {
  amountsOf,
  balanceOf,
  commit,
  fundedBalance,
  move,
  moveNow,
  newBalances,
  settled,
  unique,
} from "../support/ledger";

/** Transactions stay in the queue until the end of the test. */
function stopTheQueue(): void {
  setFaults("default", {
    call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
  });
}
afterEach(() => {
  clearFaults("default");
  vi.useRealTimers();
});

/** Two payments from a balance with a hundred, of which the second one may be too much. */
async function payments(first: bigint, second: bigint) {
  const alice = await fundedBalance(100n);
  const [bob = "", carol = ""] = await newBalances(2);
  const items = [
    { from: alice, to: bob, amount: first, reference: unique("first") },
    { from: alice, to: carol, amount: second, reference: unique("second") },
  ];
  return { alice, bob, carol, items };
}

const balancesOf = ({ alice, bob, carol }: { alice: string; bob: string; carol: string }) =>
  Promise.all([alice, bob, carol].map(balanceOf));

describe("P7: the record of a batch", () => {
  it("is answered by its id, with what became of each transaction", async () => {
    const { items } = await payments(60n, 30n);
    const sent = await sendBatch(items);
    const id = textOf(sent, "batch_id");
    const byId = await get(`/transactions/${id}`);
    expect(byId.body).toMatchObject({
      batch_id: id,
      status: "applied",
      transaction_count: 2n,
      processed: 2n,
      results: items.map(({ reference }) => ({ reference, status: "APPLIED" })),
    });
    expect((await get(`/transactions/bulk/${id}`)).body).toEqual(byId.body);
    expect(field(sent, "results")).toEqual(field(byId, "results"));
    const item = textOf({ ...byId, body: partOf(byId.body, "results", 1) }, "transaction_id");
    expect((await get(`/transactions/${item}`)).body).toMatchObject({
      parent_transaction: id,
      meta_data: { sequence: 2n },
    });
  });

  it("is in no list: its transactions are", async () => {
    const { alice, items } = await payments(60n, 30n);
    const id = textOf(await sendBatch(items), "batch_id");
    const listed = listOf(await get(`/transactions?source_eq=${alice}&sort_by=created_at`));
    expect(listed.map((each) => partOf(each, "parent_transaction"))).toEqual([id, id]);
  });
});

it("metadata sent to a batch's id is that of each of its transactions", async () => {
  const { items } = await payments(60n, 30n);
  const id = textOf(await sendBatch(items), "batch_id");
  expect((await post(`/${id}/metadata`, { meta_data: { run: 7 } })).status).toBe(200);
  for (const [index, { reference }] of items.entries()) {
    const read = await get(`/transactions/reference/${reference}`);
    expect(field(read, "meta_data")).toEqual({ sequence: BigInt(index + 1), run: 7n });
  }
});

describe("a batch that is not atomic", () => {
  it("with skip_queue stops at the first refusal, and says what became of each", async () => {
    const some = await payments(60n, 41n);
    const last = { from: some.alice, to: some.bob, amount: 1n };
    const answer = await sendBatch([...some.items, last]);
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(field(answer, "results")).toMatchObject([
      { status: "APPLIED" },
      { status: "REJECTED", code: "TXN_INSUFFICIENT_FUNDS" },
      { status: "SKIPPED" },
    ]);
    expect(await balancesOf(some)).toEqual([40n, 60n, 0n]);
  });

  it("by the queue carries out each on its own: one that is refused stops nobody", async () => {
    const some = await payments(101n, 30n);
    const answer = await sendBatch(some.items, { skip_queue: false });
    expect(answer.body).toMatchObject({ status: "applied", results: [{ status: "QUEUED" }, {}] });
    await Promise.all(
      [0, 1].map((at) => settled(String(partOf(answer.body, "results", at, "transaction_id")))),
    );
    const read = await get(`/transactions/bulk/${textOf(answer, "batch_id")}`);
    expect(field(read, "results")).toMatchObject([{ status: "REJECTED" }, { status: "APPLIED" }]);
    expect(await balancesOf(some)).toEqual([70n, 0n, 30n]);
  });
});

describe("P5, W26: an atomic batch is all or nothing", () => {
  it("refused at once, it leaves nothing behind, and its references free", async () => {
    const some = await payments(60n, 41n);
    const answer = await sendBatch(some.items, { atomic: true });
    expect([answer.status, codeOf(answer)]).toEqual([400, "TXN_INSUFFICIENT_FUNDS"]);
    expect(await balancesOf(some)).toEqual([100n, 0n, 0n]);
    expect(listOf(await get(`/transactions?source_eq=${some.alice}`))).toEqual([]);
    const again = some.items.map((item) => ({ ...item, amount: 50n }));
    expect((await sendBatch(again, { atomic: true })).status).toBe(201);
    expect(await balancesOf(some)).toEqual([0n, 50n, 50n]);
  });

  it("refused by the queue, none of its transactions is applied later, by no recovery either", async () => {
    stopTheQueue();
    const some = await payments(60n, 41n);
    const sent = await sendBatch(some.items, { atomic: true, skip_queue: false });
    const batch = await batchAtItsEnd(textOf(sent, "batch_id"));
    expect(batch.body).toMatchObject({
      status: "failed",
      error_detail: { code: "TXN_INSUFFICIENT_FUNDS" },
      results: [{ status: "REJECTED" }, { status: "REJECTED" }],
    });
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 3_600_000);
    clearFaults("default");
    expect((await post("/transactions/recover?threshold=2m", {})).status).toBe(200);
    for (let shard = 0; shard < 16; shard += 1) {
      await runDurableObjectAlarm(shardStub({ instance: "default", journal: env.JOURNAL }, shard));
    }
    expect(await balancesOf(some)).toEqual([100n, 0n, 0n]);
    for (const { reference } of some.items) {
      const read = await get(`/transactions/reference/${reference}`);
      expect(textOf(read, "status")).toBe("REJECTED");
    }
  });

  it("counts what comes in it: a chain of payments needs no money of its own", async () => {
    const { alice, bob, carol } = await payments(0n, 0n);
    const chain = [
      { from: alice, to: bob, amount: 100n },
      { from: bob, to: carol, amount: 100n },
    ];
    expect((await sendBatch(chain, { atomic: true })).status).toBe(201);
    expect(await balancesOf({ alice, bob, carol })).toEqual([0n, 0n, 100n]);
  });

  it("that holds is held as a whole, and settled by its id", async () => {
    const some = await payments(60n, 40n);
    const id = textOf(await sendBatch(some.items, { atomic: true, inflight: true }), "batch_id");
    expect(await amountsOf(some.alice)).toMatchObject({ balance: 100n, inflightDebit: 100n });
    const body = { status: "commit", skip_queue: true };
    expect((await put(`/transactions/inflight/${id}`, body)).status).toBe(200);
    const again = await put(`/transactions/inflight/${id}`, body);
    expect([again.status, codeOf(again)]).toEqual([409, "TXN_ALREADY_COMMITTED"]);
    expect(await balancesOf(some)).toEqual([0n, 60n, 40n]);
  });

  it.each([
    [0.001, "TXN_INVALID_AMOUNT"],
    [-0.001, "GEN_BAD_REQUEST"],
  ])("is not committed by %d of each", async (amount, code) => {
    const some = await payments(60n, 40n);
    const id = textOf(await sendBatch(some.items, { atomic: true, inflight: true }), "batch_id");
    const body = { status: "commit", amount, skip_queue: true };
    const answer = await put(`/transactions/inflight/${id}`, body);
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
    const dry = await put(`/transactions/inflight/${id}`, { ...body, dry_run: true });
    expect(dry.body).toMatchObject({ would_apply: false, rejection: { code } });
    expect(await amountsOf(some.alice)).toMatchObject({ balance: 100n, inflightDebit: 100n });
  });
});

describe("W20: a reference moves money once in a batch as well", () => {
  it.each([true, false])("used before, or twice in it (skip_queue %s)", async (skip) => {
    const { alice, bob, items } = await payments(10n, 10n);
    const [first] = items;
    const reference = first?.reference ?? "";
    await moveNow({ from: alice, to: bob, amount: 10n, reference });
    const used = await sendBatch(items, { skip_queue: skip, atomic: true });
    expect([used.status, codeOf(used)]).toEqual([409, "TXN_DUPLICATE_REFERENCE"]);
    const again = items.map((item) => ({ ...item, reference: `${reference}-again` }));
    const twice = await sendBatch(again, { skip_queue: skip, atomic: true });
    expect([twice.status, codeOf(twice)]).toEqual([409, "TXN_DUPLICATE_REFERENCE"]);
    expect(await balanceOf(alice)).toBe(90n);
  });
});

describe("a batch in the background", () => {
  it("is answered at once, and can be asked how far it is", async () => {
    const some = await payments(60n, 40n);
    const sent = await sendBatch(some.items, { run_async: true });
    expect(sent.status).toBe(202);
    expect(sent.body).toMatchObject({ status: "processing" });
    const batch = await batchAtItsEnd(textOf(sent, "batch_id"));
    expect(batch.body).toMatchObject({ status: "applied", processed: 2n, run_async: true });
    expect(await balancesOf(some)).toEqual([0n, 60n, 40n]);
  });
});

describe("V11: many commits in one call", () => {
  it("of a queued hold's id settle that very hold: the money moves once, whoever commits again", async () => {
    const alice = await fundedBalance(100n);
    const [bob = ""] = await newBalances(1);
    // Somebody else's hold between the same balances stays as it is.
    const other = { from: alice, to: bob, amount: 30n, options: { inflight: true } };
    await moveNow(other);
    const queued = await move({ ...other, amount: 50n });
    const id = textOf(queued, "transaction_id");
    await settled(id);
    const commits = await post("/transactions/inflight/bulk/commit", {
      transactions: [{ transaction_id: id }],
      skip_queue: true,
    });
    expect(commits.body).toMatchObject({ succeeded: 1n, failed: 0n });
    expect(codeOf(await commit(id))).toBe("TXN_ALREADY_COMMITTED");
    expect(await amountsOf(alice)).toMatchObject({ balance: 50n, inflightDebit: 30n });
    expect(await amountsOf(bob)).toMatchObject({ balance: 50n, inflightCredit: 30n });
  });
});
