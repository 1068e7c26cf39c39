import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { uuidOfKey } from "../../src/domain/ids";
import { JournalClient } from "../../src/durable/journal/client";
import { type Answer, call, codeOf, field, post, put, textOf } from "../support/api";
import { itemBody, partOf, sendBatch } from "../support/bulk";
import { clearFaults, setFaults } from "../support/faults";
import {
  balanceOf,
  commit,
  fundedBalance,
  hold,
  moveNow,
  newBalance,
  newLedger,
  release,
  unique,
} from "../support/ledger";
import { anonymous, postingFor } from "../support/postings";

interface Asked {
  readonly [key: string]: unknown;
}

/** What the table's requests need: a balance with a hundred, and batches in some states. */
interface World {
  readonly alice: string;
  readonly euros: string;
  readonly used: string;
  readonly paid: string;
  readonly refunded: string;
  readonly held: string;
  readonly committed: string;
  readonly voided: string;
}

const NO_BATCH = "bulk_11111111-1111-8111-8111-111111111111";
const MANY = Array.from({ length: 10_001 }, () => ({}));
let world: World;

beforeAll(async () => {
  const alice = await fundedBalance(100n);
  const source = await fundedBalance(1_000n);
  const used = await moveNow({ from: source, to: "@shop", amount: 1n });
  const batch = async (options: Asked = {}): Promise<string> =>
    textOf(await sendBatch([{ from: source, to: "@shop", amount: 10n }], options), "batch_id");
  world = {
    alice,
    euros: await newBalance(await newLedger(), "EUR"),
    used: textOf(used, "reference"),
    paid: await batch(),
    refunded: await batch(),
    held: await batch({ inflight: true }),
    committed: await batch({ inflight: true }),
    voided: await batch({ inflight: true }),
  };
  await post(`/refund-transaction/${world.refunded}`, { skip_queue: true });
  await commit(world.committed);
  await release(world.voided);
});

const raw = (path: string, text: string) => (): Promise<Answer> =>
  call("POST", path, { raw: text });

/** A batch of a payment that goes, and of one with these changes. */
const second =
  (changes: (world: World) => Asked, options: Asked = {}) =>
  (): Promise<Answer> => {
    const one = itemBody({ from: world.alice, to: "@shop", amount: 1n });
    const other = { ...one, reference: unique("r"), ...changes(world) };
    return post("/transactions/bulk", { transactions: [one, other], skip_queue: true, ...options });
  };

const settle =
  (of: (world: World) => string, body: Asked, skip = true) =>
  (): Promise<Answer> =>
    put(`/transactions/inflight/${of(world)}`, { skip_queue: skip, ...body });

const giveBack =
  (of: (world: World) => string, body: Asked = {}) =>
  (): Promise<Answer> =>
    post(`/refund-transaction/${of(world)}`, { skip_queue: true, ...body });

const COMMIT = { status: "commit" };
const VOID = { status: "void" };
const BULK = "/transactions/bulk";
const COMMITS = "/transactions/inflight/bulk/commit";
const VOIDS = "/transactions/inflight/bulk/void";

type Row = readonly [what: string, ask: () => Promise<Answer>, status: number, code: string];

/** contract/transactions.md sections 5.2, 5.3, 7.4, 7.6 and 8.2, of batches. */
const rows: readonly Row[] = [
  ["a batch with no body", () => call("POST", BULK), 400, "GEN_MALFORMED_REQUEST"],
  ["a batch that is cut off", raw(BULK, '{"transactions":['), 400, "GEN_MALFORMED_REQUEST"],
  ["a batch that is no list", () => post(BULK, { transactions: {} }), 400, "GEN_MALFORMED_REQUEST"],
  ["a batch of texts", () => post(BULK, { transactions: ["x"] }), 400, "GEN_MALFORMED_REQUEST"],
  ["a text for a flag", second(() => ({}), { atomic: "yes" }), 400, "GEN_MALFORMED_REQUEST"],
  ["a text for an amount", second(() => ({ amount: "1" })), 400, "GEN_MALFORMED_REQUEST"],
  ["a batch too large", raw(BULK, `"${"x".repeat(17 * 2 ** 20)}"`), 400, "GEN_MALFORMED_REQUEST"],
  ["an empty batch", () => post(BULK, { transactions: [] }), 400, "TXN_BULK_EMPTY"],
  ["no batch", () => post(BULK, {}), 400, "TXN_BULK_EMPTY"],
  ["10,001 of them", () => post(BULK, { transactions: MANY }), 400, "TXN_BULK_LIMIT_EXCEEDED"],
  ["one that is null", () => post(BULK, { transactions: [null] }), 400, "TXN_VALIDATION_ERROR"],
  ["one without currency", second(() => ({ currency: "" })), 400, "TXN_VALIDATION_ERROR"],
  [
    "a split",
    second(() => ({ destination: "", destinations: [{ identifier: "@a", distribution: "100%" }] })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "all or nothing by the queue, one of them for later",
    second(() => ({ scheduled_for: "2099-01-01T00:00:00Z" }), { atomic: true, skip_queue: false }),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  ["more than there is", second(() => ({ precise_amount: 1_000 })), 400, "TXN_INSUFFICIENT_FUNDS"],
  [
    "more than there is, all or nothing",
    second(() => ({ precise_amount: 1_000 }), { atomic: true }),
    400,
    "TXN_INSUFFICIENT_FUNDS",
  ],
  [
    "more than may be owed",
    second(() => ({ precise_amount: 1_000, overdraft_limit: 1 })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  ["nothing to move", second(() => ({ precise_amount: 0 })), 400, "TXN_VALIDATION_ERROR"],
  ["another currency", second(({ euros }) => ({ source: euros })), 400, "TXN_VALIDATION_ERROR"],
  ["an unknown balance", second(() => ({ source: "bln_nobody" })), 404, "TXN_NOT_FOUND"],
  [
    "a reference that is used",
    second(({ used }) => ({ reference: used })),
    409,
    "TXN_DUPLICATE_REFERENCE",
  ],

  ["a commit of no batch, at once", settle(() => NO_BATCH, COMMIT), 400, "TXN_NOT_INFLIGHT"],
  ["a commit of no batch, queued", settle(() => NO_BATCH, COMMIT, false), 404, "TXN_NOT_FOUND"],
  ["a commit of a paid batch", settle(({ paid }) => paid, COMMIT), 400, "TXN_NOT_INFLIGHT"],
  [
    "a commit beyond one of its holds",
    settle(({ held }) => held, { ...COMMIT, precise_amount: 11 }),
    400,
    "TXN_COMMIT_AMOUNT_EXCEEDED",
  ],
  [
    "a commit of nothing of it",
    settle(({ held }) => held, { ...COMMIT, precise_amount: 0 }),
    400,
    "TXN_INVALID_AMOUNT",
  ],
  [
    "a negative commit of it",
    settle(({ held }) => held, { ...COMMIT, amount: -1 }),
    400,
    "GEN_BAD_REQUEST",
  ],
  [
    "another action for it",
    settle(({ held }) => held, { status: "keep" }),
    400,
    "TXN_INVALID_STATUS_ACTION",
  ],
  ["its second commit", settle(({ committed }) => committed, COMMIT), 409, "TXN_ALREADY_COMMITTED"],
  ["its void too late", settle(({ committed }) => committed, VOID), 409, "TXN_ALREADY_COMMITTED"],
  ["its commit after a void", settle(({ voided }) => voided, COMMIT), 409, "TXN_ALREADY_VOIDED"],

  ["a refund of no batch", giveBack(() => NO_BATCH), 404, "TXN_NOT_FOUND"],
  ["a refund of an open batch", giveBack(({ held }) => held), 404, "TXN_NOT_FOUND"],
  ["a refund of a voided batch", giveBack(({ voided }) => voided), 404, "TXN_NOT_FOUND"],
  ["a second refund of it", giveBack(({ refunded }) => refunded), 409, "GEN_CONFLICT"],
  ["a part of it", giveBack(({ paid }) => paid, { amount: 0.05 }), 400, "GEN_BAD_REQUEST"],
  ["a batch that nobody has", () => call("GET", `${BULK}/${NO_BATCH}`), 404, "TXN_NOT_FOUND"],
  ["an id that is none", () => call("GET", `${BULK}/bulk_x`), 404, "TXN_NOT_FOUND"],
  [
    "metadata of no batch",
    () => post(`/${NO_BATCH}/metadata`, { meta_data: { a: 1 } }),
    404,
    "META_ENTITY_NOT_FOUND",
  ],

  ["commits with no body", () => call("POST", COMMITS), 400, "GEN_MALFORMED_REQUEST"],
  ["commits of a text", raw(COMMITS, '{"transactions":"x"}'), 400, "GEN_MALFORMED_REQUEST"],
  ["voids that are cut off", raw(VOIDS, "{"), 400, "GEN_MALFORMED_REQUEST"],
  ["voids of numbers", () => post(VOIDS, { transaction_ids: [5] }), 400, "GEN_MALFORMED_REQUEST"],
  ["no commits", () => post(COMMITS, {}), 400, "TXN_BULK_EMPTY"],
  ["no voids", () => post(VOIDS, { transaction_ids: [] }), 400, "TXN_BULK_EMPTY"],
  [
    "101 commits",
    () => post(COMMITS, { transactions: MANY.slice(0, 101) }),
    400,
    "TXN_BULK_LIMIT_EXCEEDED",
  ],
  [
    "101 voids",
    () => post(VOIDS, { transaction_ids: MANY.slice(0, 101).map(() => "txn_x") }),
    400,
    "TXN_BULK_LIMIT_EXCEEDED",
  ],
];

describe("every refusal of the batch routes can be met", () => {
  it.each(rows)("%s", async (_what, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it("a transaction that breaks a rule is named by its place, and nothing is carried out", async () => {
    const before = await balanceOf(world.alice);
    const answer = await second(() => ({ currency: "" }))();
    expect(partOf(answer.body, "error_detail", "details")).toEqual({ index: 1n });
    expect(textOf(answer, "errors")).toContain("transactions[1]");
    expect(await balanceOf(world.alice)).toBe(before);
  });

  it("a batch that stops names itself, and what became of each", async () => {
    const answer = await second(() => ({ precise_amount: 1_000 }))();
    const id = textOf(answer, "batch_id");
    expect(partOf(answer.body, "error_detail", "details")).toMatchObject({ batch_id: id });
    expect(field(answer, "results")).toMatchObject([
      { status: "APPLIED" },
      { status: "REJECTED", code: "TXN_INSUFFICIENT_FUNDS" },
    ]);
  });

  it("a batch between 5 and 16 MiB is taken", async () => {
    const transactions = Array.from({ length: 100 }, () => ({
      ...itemBody({ from: world.alice, to: "@shop", amount: 0n }),
      meta_data: { long: "x".repeat(60_000) },
    }));
    const body = { transactions, dry_run: true };
    const answer = await post(BULK, body);
    expect(answer.status).toBe(200);
  });
});

describe("what becomes of one of many commits or voids", () => {
  const all = { skip_queue: true };

  it("is told by its code", async () => {
    const from = await fundedBalance(1_000n);
    const one = { from, to: "@shop", amount: 10n };
    const holdId = async () => textOf(await hold(one), "transaction_id");
    const [open, done, back] = [await holdId(), await holdId(), await holdId()];
    const [little, negative] = [await holdId(), await holdId()];
    await commit(done);
    await release(back);
    const applied = textOf(await moveNow(one), "transaction_id");
    const items = [
      { transaction_id: "txn_x" },
      { transaction_id: done },
      { transaction_id: back },
      { transaction_id: applied },
      { transaction_id: open, precise_amount: 11 },
      { transaction_id: open },
      { transaction_id: little, amount: 0.001 },
      { transaction_id: negative, amount: -0.001 },
    ];
    const answer = await post(COMMITS, { transactions: items, ...all });
    expect(answer.status).toBe(200);
    expect(field(answer, "failed")).toBe(8n);
    const results = field(answer, "results");
    expect(Array.isArray(results) && results.map((each) => partOf(each, "code"))).toEqual([
      "NOT_FOUND",
      "ALREADY_COMMITTED",
      "ALREADY_VOIDED",
      "NOT_INFLIGHT",
      "INVALID_AMOUNT",
      // The first of the same id counts.
      "LOCKED",
      "INVALID_AMOUNT",
      "INVALID_AMOUNT",
    ]);
  });

  it("and of one that waits already, that it does", async () => {
    const from = await fundedBalance(10n);
    const id = textOf(await hold({ from, to: "@shop", amount: 10n }), "transaction_id");
    const twice = await post(VOIDS, { transaction_ids: [id, id] });
    expect(field(twice, "results")).toMatchObject([
      { status: "queued", code: "QUEUED" },
      { status: "queued", code: "ALREADY_QUEUED" },
    ]);
  });
});

describe("a shard that carries out a hundred batches", () => {
  const SHARDS = 16;
  const instance = "default";
  const journal = new JournalClient({
    instance,
    shards: SHARDS,
    journal: env.JOURNAL,
    balances: env.BALANCES,
  });

  /** A key whose batch lives in the first shard. */
  function keyOfFirstShard(): string {
    for (;;) {
      const key = unique("key");
      const byte = Number.parseInt(uuidOfKey(instance, key, "batch").slice(0, 2), 16);
      if (byte % SHARDS === 0) return key;
    }
  }

  it("turns away more: 429 in the background, 503 otherwise, and takes them later", async () => {
    const gate = Promise.withResolvers<void>();
    setFaults(instance, { step: (step) => (step === "group:begun" ? gate.promise : undefined) });
    const options = { atomic: true, inflight: false, skipQueue: true, runAsync: true };
    const batches = Array.from({ length: 100 }, () => {
      const batchId = `bulk_00${crypto.randomUUID().slice(2)}` as const;
      const transfer = { reference: unique("one"), from: "@world", to: "@shop", amount: 1n };
      const posting = { ...postingFor(instance, transfer), parentTransaction: batchId };
      return journal.recordBatch({ batchId, options, items: [posting], operation: anonymous() });
    });
    expect((await Promise.all(batches)).every(({ ok }) => ok)).toBe(true);

    const transactions = [itemBody({ from: "@shop", to: "@other", amount: 1n })];
    const send = (key: string, how: Asked) =>
      call("POST", BULK, {
        body: { transactions, atomic: true, skip_queue: true, ...how },
        headers: { "Idempotency-Key": key },
      });
    const key = keyOfFirstShard();
    const inBackground = await send(key, { run_async: true });
    expect([inBackground.status, codeOf(inBackground)]).toEqual([429, "GEN_RATE_LIMITED"]);
    const atOnce = await send(keyOfFirstShard(), {});
    expect([atOnce.status, codeOf(atOnce)]).toEqual([503, "GEN_OVERLOADED"]);
    gate.resolve();
    clearFaults(instance);
    await expect.poll(async () => (await send(key, { run_async: true })).status).toBe(202);
  });
});
