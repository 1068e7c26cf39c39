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
import { commit, hold, move, moveNow, release, settled, unique, wallet } from "../support/ledger";

describe("recording", () => {
  it("carries out a skip_queue transaction before it answers", async () => {
    const alice = await wallet(10_000n);
    const reference = unique("r");
    const answer = await post("/transactions", {
      amount: 99.99,
      precision: 100,
      currency: "USD",
      reference,
      description: "rent",
      source: alice,
      destination: "@landlord",
      skip_queue: true,
      meta_data: { note: "direct", n: 12345678901234567890n },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      precise_amount: 9999n,
      amount: 99.99,
      status: "APPLIED",
      reference,
      skip_queue: true,
      meta_data: { note: "direct", n: 12345678901234567890n },
    });
    expect(textOf(answer, "source")).toMatch(/^bln_/);
    const read = await get(`/transactions/${textOf(answer, "transaction_id")}`);
    expect(read.body).toMatchObject({ status: "APPLIED", hash: field(answer, "hash") });
  });

  it("answers QUEUED, and the same id becomes APPLIED", async () => {
    const alice = await wallet(100n);
    const queued = await move({ from: alice, to: "@bob", amount: 100n });
    expect(queued.status).toBe(201);
    expect(queued.body).toMatchObject({ status: "QUEUED", source: alice, destination: "@bob" });
    const id = textOf(queued, "transaction_id");
    expect(await settled(id).then((answer) => textOf(answer, "status"))).toBe("APPLIED");
    for (const alias of ["", "_q"]) {
      const reference = textOf(queued, "reference") + alias;
      const found = await get(`/transactions/reference/${encodeURIComponent(reference)}`);
      expect(textOf(found, "transaction_id")).toBe(id);
    }
  });

  it("rejects a queued transaction without the money, and says why", async () => {
    const alice = await wallet(100n);
    const queued = await move({ from: alice, to: "@bob", amount: 101n });
    const rejected = await settled(textOf(queued, "transaction_id"));
    expect(textOf(rejected, "status")).toBe("REJECTED");
    expect(field(rejected, "meta_data")).toHaveProperty("blnk_rejection_reason");
  });

  it("keeps forty digits from the request to the answer and every reading", async () => {
    const amount = 1234567890123456789012345678901234567890n;
    const to = unique("@vault");
    const answer = await moveNow({
      from: "@World",
      to,
      amount,
      options: { allow_overdraft: true },
    });
    expect(wholeOf(answer, "precise_amount")).toBe(amount);
    expect(textOf(answer, "amount_string")).toBe("12345678901234567890123456789012345678.9");
    const id = textOf(answer, "transaction_id");
    expect(wholeOf(await get(`/transactions/${id}`), "precise_amount")).toBe(amount);
    const [row] = listOf(await get(`/transactions?transaction_id_eq=${id}`));
    expect(row).toMatchObject({ precise_amount: amount });
  });

  it.each`
    what                                | changes                                          | status | code
    ${"a short amount as text"}         | ${{ precise_amount: "100" }}                     | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${"meta_data that is a list"}       | ${{ meta_data: [] }}                             | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${"an effective date that is none"} | ${{ effective_date: "2031-04-05" }}              | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${"a share that is a number"}       | ${{ destinations: [{ distribution: 5 }] }}       | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${"nothing to move"}                | ${{ precise_amount: null }}                      | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"zero"}                           | ${{ precise_amount: 0 }}                         | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"a scheduled time that is none"}  | ${{ scheduled_for: "2026-13-01" }}               | ${400} | ${"TXN_VALIDATION_ERROR"}
    ${"a balance that does not exist"}  | ${{ source: "bln_nobody" }}                      | ${404} | ${"TXN_NOT_FOUND"}
    ${"more than there is"}             | ${{ precise_amount: 101 }}                       | ${400} | ${"TXN_INSUFFICIENT_FUNDS"}
    ${"more than may be owed"}          | ${{ precise_amount: 201, overdraft_limit: 1.0 }} | ${400} | ${"TXN_VALIDATION_ERROR"}
  `("refuses $what: $status $code", async ({ changes, status, code }) => {
    const answer = await post("/transactions", {
      precise_amount: 1,
      precision: 100,
      currency: "USD",
      reference: unique("r"),
      description: "d",
      source: await wallet(100n),
      destination: "@bob",
      skip_queue: true,
      ...changes,
    });
    expect(codeOf(answer)).toBe(code);
    expect(answer.status).toBe(status);
  });

  it("never moves money for a dry run", async () => {
    const reference = unique("r");
    const alice = await wallet(100n);
    const asked = { from: alice, to: "@bob", amount: 1n, reference };
    const answer = await moveNow({ ...asked, options: { dry_run: true } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ dry_run: true, would_apply: true });
    expect((await moveNow(asked)).status).toBe(201);
  });

  it("shows broken field rules under `errors`, all of them", async () => {
    const answer = await post("/transactions", {});
    expect(answer.status).toBe(400);
    expect(field(answer, "errors")).toBe(
      "amount: send amount or precise_amount; currency: cannot be blank; description: cannot be blank; destination: send either destination or destinations; reference: cannot be blank; source: send either source or sources.",
    );
    expect(answer.body).not.toHaveProperty("error");
  });
});

describe("a reference", () => {
  it.each([true, false])("moves money once, and names who has it (skip_queue %s)", async (skip) => {
    const alice = await wallet(100n);
    const first = await moveNow({ from: alice, to: "@bob", amount: 10n });
    const again = await post("/transactions", {
      amount: 1,
      currency: "USD",
      reference: textOf(first, "reference"),
      description: "again",
      source: alice,
      destination: "@bob",
      skip_queue: skip,
    });
    expect(again.status).toBe(409);
    expect(codeOf(again)).toBe("TXN_DUPLICATE_REFERENCE");
    expect(field(again, "error_detail")).toMatchObject({
      details: { transaction_id: textOf(first, "transaction_id") },
    });
  });

  it("is free again after a refused skip_queue transaction", async () => {
    const alice = await wallet(100n);
    const reference = unique("r");
    expect((await moveNow({ from: alice, to: "@bob", amount: 101n, reference })).status).toBe(400);
    expect((await get(`/transactions/reference/${reference}`)).status).toBe(404);
    expect((await moveNow({ from: alice, to: "@bob", amount: 100n, reference })).status).toBe(201);
  });
});

describe("holds", () => {
  it("are committed in parts, and their rest is given back", async () => {
    const alice = await wallet(100n);
    const held = await hold({ from: alice, to: "@bob", amount: 100n });
    expect(held.body).toMatchObject({ status: "INFLIGHT", inflight: true });
    const id = textOf(held, "transaction_id");

    const part = await commit(id, 30n);
    expect(part.status).toBe(200);
    expect(part.body).toMatchObject({
      status: "APPLIED",
      precise_amount: 30n,
      amount_string: "0.3",
      parent_transaction: id,
      skip_queue: false,
    });
    expect(textOf(part, "reference")).toMatch(/^ref_/);
    expect(wholeOf(await get(`/transactions/${id}`), "inflight_remaining")).toBe(70n);

    expect(codeOf(await commit(id, 71n))).toBe("TXN_COMMIT_AMOUNT_EXCEEDED");
    const rest = await release(id);
    expect(rest.body).toMatchObject({ status: "VOID", precise_amount: 70n });
    expect(codeOf(await commit(id, 1n))).toBe("TXN_ALREADY_VOIDED");
    expect(wholeOf(await get(`/transactions/${id}`), "inflight_remaining")).toBe(0n);
  });

  it("that wait in the queue answer themselves, with queued", async () => {
    const alice = await wallet(100n);
    const id = textOf(await hold({ from: alice, to: "@bob", amount: 100n }), "transaction_id");
    const answer = await put(`/transactions/inflight/${id}`, { status: "commit" });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ transaction_id: id, status: "INFLIGHT", queued: true });
  });

  it.each`
    body                                                         | status | code
    ${{ status: "cancel" }}                                      | ${400} | ${"TXN_INVALID_STATUS_ACTION"}
    ${{}}                                                        | ${400} | ${"TXN_INVALID_STATUS_ACTION"}
    ${{ status: "commit", precise_amount: 0, skip_queue: true }} | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ status: "commit", amount: -1, skip_queue: true }}        | ${400} | ${"GEN_BAD_REQUEST"}
    ${{ status: "commit", precise_amount: "5" }}                 | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${{ status: "commit", amount: 100.01, skip_queue: true }}    | ${400} | ${"TXN_COMMIT_AMOUNT_EXCEEDED"}
  `("refuse $body: $code", async ({ body, status, code }) => {
    const alice = await wallet(100n);
    const id = textOf(await hold({ from: alice, to: "@bob", amount: 100n }), "transaction_id");
    const answer = await put(`/transactions/inflight/${id}`, body);
    expect(codeOf(answer)).toBe(code);
    expect(answer.status).toBe(status);
  });

  it.each`
    amount       | code
    ${"0.001"}   | ${"TXN_INVALID_AMOUNT"}
    ${"0.004"}   | ${"TXN_INVALID_AMOUNT"}
    ${"1e-9"}    | ${"TXN_INVALID_AMOUNT"}
    ${"-0.001"}  | ${"GEN_BAD_REQUEST"}
    ${"-0.004"}  | ${"GEN_BAD_REQUEST"}
    ${"-0.0049"} | ${"GEN_BAD_REQUEST"}
  `("refuse a commit of $amount by every way: $code", async ({ amount, code }) => {
    const alice = await wallet(100n);
    const id = textOf(await hold({ from: alice, to: "@bob", amount: 100n }), "transaction_id");
    const ask = (also: string): Promise<Answer> =>
      call("PUT", `/transactions/inflight/${id}`, {
        raw: `{"status":"commit","amount":${amount},${also}}`,
      });
    for (const also of ['"skip_queue":true', '"skip_queue":false']) {
      const answer = await ask(also);
      expect([answer.status, codeOf(answer)]).toEqual([400, code]);
    }
    const dry = await ask('"dry_run":true');
    expect(dry.body).toMatchObject({ would_apply: false, rejection: { code, rule: "amount" } });
    expect(wholeOf(await get(`/transactions/${id}`), "inflight_remaining")).toBe(100n);
  });

  it.each`
    id                                            | skip     | status | code
    ${"txn_nobody"}                               | ${true}  | ${400} | ${"TXN_NOT_INFLIGHT"}
    ${"txn_nobody"}                               | ${false} | ${404} | ${"TXN_NOT_FOUND"}
    ${"txn_11111111-1111-8111-8111-111111111111"} | ${true}  | ${400} | ${"TXN_NOT_INFLIGHT"}
    ${"txn_11111111-1111-8111-8111-111111111111"} | ${false} | ${404} | ${"TXN_NOT_FOUND"}
  `("that do not exist: $id with skip_queue $skip is $code", async ({ id, skip, status, code }) => {
    const answer = await put(`/transactions/inflight/${id}`, { status: "void", skip_queue: skip });
    expect(codeOf(answer)).toBe(code);
    expect(answer.status).toBe(status);
  });
});

describe("an Idempotency-Key", () => {
  const named = (key: string) => ({ headers: { "Idempotency-Key": key } });

  it("answers the first answer again, however the body is written", async () => {
    const alice = await wallet(100n);
    const key = unique("key");
    const body = {
      precise_amount: 60,
      precision: 100,
      currency: "USD",
      reference: unique("r"),
      description: "d",
      source: alice,
      destination: "@bob",
      skip_queue: true,
    };
    const first = await call("POST", "/transactions", { body, ...named(key) });
    expect(first.status).toBe(201);
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();

    const reversed = Object.fromEntries(Object.entries(body).reverse());
    const again = await call("POST", "/transactions", { body: reversed, ...named(key) });
    expect(again.status).toBe(201);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(again.body).toEqual(first.body);

    const other = await call("POST", "/transactions", {
      body: { ...body, precise_amount: 61 },
      ...named(key),
    });
    expect(other.status).toBe(422);
    expect(codeOf(other)).toBe("GEN_IDEMPOTENCY_MISMATCH");
  });

  it("makes a partial commit happen once", async () => {
    const alice = await wallet(100n);
    const id = textOf(await hold({ from: alice, to: "@bob", amount: 100n }), "transaction_id");
    const key = unique("key");
    const body = { status: "commit", precise_amount: 30, skip_queue: true };
    const first = await call("PUT", `/transactions/inflight/${id}`, { body, ...named(key) });
    const again = await call("PUT", `/transactions/inflight/${id}`, { body, ...named(key) });
    expect(textOf(again, "transaction_id")).toBe(textOf(first, "transaction_id"));
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(wholeOf(await get(`/transactions/${id}`), "inflight_remaining")).toBe(70n);
  });

  it("makes a refund answer itself, not a conflict", async () => {
    const alice = await wallet(100n);
    const paid = await moveNow({ from: alice, to: unique("@shop"), amount: 42n });
    const path = `/refund-transaction/${textOf(paid, "transaction_id")}`;
    const options = { body: { skip_queue: true }, ...named(unique("key")) };
    const first = await call("POST", path, options);
    const again = await call("POST", path, options);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
  });

  it.each(["", "k".repeat(256)])("is refused when it is %j", async (key) => {
    const answer = await call("POST", "/refund-transaction/txn_nobody", named(key));
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("GEN_BAD_REQUEST");
  });
});

describe("lists", () => {
  it("show the caller's own writes, newest first", async () => {
    const alice = await wallet(100n);
    const first = await moveNow({ from: alice, to: "@bob", amount: 1n });
    const second = await moveNow({ from: alice, to: "@bob", amount: 2n });
    const source = textOf(first, "source");
    const rows = listOf(await get(`/transactions?source_eq=${source}`));
    expect(rows).toMatchObject([
      { transaction_id: textOf(second, "transaction_id") },
      { transaction_id: textOf(first, "transaction_id") },
    ]);
  });

  it("are filtered by a body, with the number of all that fit", async () => {
    const alice = await wallet(100n);
    const first = await moveNow({ from: alice, to: "@bob", amount: 1n });
    await moveNow({ from: alice, to: "@bob", amount: 2n });
    const answer = await post("/transactions/filter", {
      filters: [{ field: "source", operator: "eq", value: textOf(first, "source") }],
      limit: 1,
      include_count: true,
    });
    expect(answer.body).toMatchObject({ data: [{ precise_amount: 2n }], total_count: 2n });
    expect(answer.headers.get("X-Next-Cursor")).toBeTruthy();
  });

  it("refuse a parameter that they do not understand", async () => {
    const answer = await get("/transactions?colour_eq=red");
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("GEN_BAD_REQUEST");
  });
});
