import { describe, expect, it } from "vitest";
import { codeOf, field, get, listOf, post, put, textOf, wholeOf } from "../support/api";
import { eventsWith } from "../support/inbox";
import {
  amountsOf,
  balanceOf,
  commit,
  fund,
  fundedBalance,
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

/** What docs/compatibility.md promises: where Purser answers other than Blnk, on purpose. */
describe("P1: a queued transaction is one transaction", () => {
  it("keeps its id while its status moves on, also as <reference>_q", async () => {
    const alice = await fundedBalance(100n);
    const reference = unique("queued");
    const recorded = await move({ from: alice, to: "@Shop", amount: 40n, reference });
    const id = textOf(recorded, "transaction_id");

    expect(textOf(recorded, "status")).toBe("QUEUED");
    expect(textOf(await settled(id), "status")).toBe("APPLIED");
    for (const name of [reference, `${reference}_q`]) {
      const found = await get(`/transactions/reference/${name}`);
      expect([textOf(found, "transaction_id"), textOf(found, "reference")]).toEqual([
        id,
        reference,
      ]);
    }
  });

  it("leaves <reference>_q to a transaction that was posted with it", async () => {
    const alice = await fundedBalance(100n);
    const reference = unique("queued");
    await moveNow({ from: alice, to: "@Shop", amount: 1n, reference });
    const other = await moveNow({
      from: alice,
      to: "@Shop",
      amount: 2n,
      reference: `${reference}_q`,
    });

    const found = await get(`/transactions/reference/${reference}_q`);

    expect(textOf(found, "transaction_id")).toBe(textOf(other, "transaction_id"));
  });

  it("is committed and refunded under the id that the client holds", async () => {
    const alice = await fundedBalance(100n);
    const held = await move({
      from: alice,
      to: "@Shop",
      amount: 60n,
      options: { inflight: true },
    });
    const id = textOf(held, "transaction_id");
    expect(textOf(await settled(id), "status")).toBe("INFLIGHT");

    expect(textOf(await commit(id), "parent_transaction")).toBe(id);
    expect(await balanceOf(alice)).toBe(40n);
    expect(textOf(await refund(id), "status")).toBe("APPLIED");
    expect(await balanceOf(alice)).toBe(100n);
  });
});

describe("P2, W20: a reference that was used is refused on every path", () => {
  it.each([
    ["the queue", move],
    ["skip_queue", moveNow],
  ])("with 409 and the first one's id, by %s", async (_path, send) => {
    const alice = await fundedBalance(100n);
    const reference = unique("twice");
    const first = await moveNow({ from: alice, to: "@Shop", amount: 10n, reference });

    const second = await send({ from: alice, to: "@Shop", amount: 99n, reference });

    expect([second.status, codeOf(second)]).toEqual([409, "TXN_DUPLICATE_REFERENCE"]);
    const detail = { ...second, body: field(second, "error_detail") };
    const details = { ...second, body: field(detail, "details") };
    expect(textOf(details, "transaction_id")).toBe(textOf(first, "transaction_id"));
    expect(await balanceOf(alice)).toBe(90n);
  });
});

it("P2, W20: one reference, sent many times at once between other balances, moves money once", async () => {
  const sources = await Promise.all([1, 2, 3, 4].map(() => fundedBalance(100n)));
  const reference = unique("at-once");

  const answers = await Promise.all(
    sources.map((from) => moveNow({ from, to: "@Shop", amount: 10n, reference })),
  );

  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  const left = await Promise.all(sources.map(balanceOf));
  expect(left.sort()).toEqual([100n, 100n, 100n, 90n].sort());
});

it("P6: a single transaction that is rejected is announced as itself, also with atomic", async () => {
  const alice = await fundedBalance(10n);
  const reference = unique("alone");
  await move({ from: alice, to: "@Shop", amount: 11n, reference, options: { atomic: true } });

  const events = await eventsWith(reference, 1);

  expect(events.map(({ body }) => JSON.parse(body).event)).toEqual(["transaction.rejected"]);
});

describe("P3: both balances hold the transaction's currency (L4)", () => {
  it("with skip_queue it is refused", async () => {
    const dollars = await fundedBalance(100n, "USD");
    const [euros = ""] = await newBalances(1, "EUR");

    const refused = await moveNow({ from: dollars, to: euros, amount: 10n, currency: "USD" });

    expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_VALIDATION_ERROR"]);
    expect([await balanceOf(dollars), await balanceOf(euros)]).toEqual([100n, 0n]);
  });

  it.each(["USD", "EUR", "GBP"])("by the queue, in %s, it is rejected", async (currency) => {
    const dollars = await fundedBalance(100n, "USD");
    const [euros = ""] = await newBalances(1, "EUR");

    const recorded = await move({ from: dollars, to: euros, amount: 10n, currency });

    const after = await settled(textOf(recorded, "transaction_id"));
    expect(textOf(after, "status")).toBe("REJECTED");
    const metaData = { ...after, body: field(after, "meta_data") };
    expect(textOf(metaData, "blnk_rejection_reason")).toMatch(
      /^balance bln_\S+ is in (?:USD|EUR), the transaction is in/,
    );
    expect([await balanceOf(dollars), await balanceOf(euros)]).toEqual([100n, 0n]);
  });
});

describe("P4: a balance that does not exist", () => {
  const nobody = "bln_00000000-0000-4000-8000-000000000000";

  it.each([
    ["source", { from: nobody, to: "@Shop" }],
    ["destination", { from: "@World", to: nobody }],
  ])("as %s makes a queued transaction REJECTED, and that is announced", async (_side, ends) => {
    const reference = unique("nobody");
    const options = { allow_overdraft: true };
    const recorded = await move({ ...ends, amount: 1n, reference, options });

    const after = await settled(textOf(recorded, "transaction_id"));

    expect(textOf(after, "status")).toBe("REJECTED");
    const [event] = await eventsWith(reference, 1);
    expect(event?.body).toContain('"event":"transaction.rejected"');
  });
});

describe("P11: a list never ignores what it does not understand", () => {
  it.each([
    ["/transactions?colour_eq=red", "colour"],
    ["/transactions?colour=red", "colour"],
    ["/balances?created_at_gte=soon", "created_at"],
    ["/ledgers?name_like=a&nome_like=b", "nome"],
    ["/identities?sort_by=shoe", "sort_by"],
  ])("%s names %s in a 400", async (path, name) => {
    const answer = await get(path);

    expect(answer.status).toBe(400);
    expect(textOf(answer, "error")).toContain(name);
  });

  it("also in a filter's sort_by", async () => {
    const answer = await post("/transactions/filter", { filters: [], sort_by: "colour" });

    expect(answer.status).toBe(400);
    expect(textOf(answer, "error")).toContain("colour");
  });

  it("but ignores unknown keys of other bodies", async () => {
    const answer = await post("/ledgers", { name: unique("ledger"), colour: "red" });

    expect(answer.status).toBe(201);
  });
});

describe("P13: a hold shows what remains of it", () => {
  it("as inflight_remaining, in reads and lists, and it can be filtered by it", async () => {
    const alice = await fundedBalance(100n);
    const id = textOf(await hold({ from: alice, to: "@Shop", amount: 90n }), "transaction_id");
    const remaining = async () => wholeOf(await get(`/transactions/${id}`), "inflight_remaining");
    const open = async () =>
      listOf(await get(`/transactions?source_eq=${alice}&inflight_remaining_gt=0`)).length;

    expect([await remaining(), await open()]).toEqual([90n, 1]);
    await commit(id, 30n);
    expect([await remaining(), await open()]).toEqual([60n, 1]);
    await release(id);
    expect([await remaining(), await open()]).toEqual([0n, 0]);
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("INFLIGHT");
  });
});

describe("P14: the ledger's own keys in meta_data are not a client's to set", () => {
  it("are dropped from a transaction's body, and change nothing", async () => {
    const alice = await fundedBalance(100n);

    const answer = await moveNow({
      from: alice,
      to: "@Shop",
      amount: 10n,
      options: {
        meta_data: { inflight: true, QUEUED_PARENT_TRANSACTION: "txn_x", order: 7 },
      },
    });

    expect(textOf(answer, "status")).toBe("APPLIED");
    const stored = await get(`/transactions/${textOf(answer, "transaction_id")}`);
    expect(field(stored, "meta_data")).toEqual({ order: 7n });
  });

  it("are dropped from the metadata route", async () => {
    const alice = await fundedBalance(100n);
    const id = textOf(await moveNow({ from: alice, to: "@Shop", amount: 1n }), "transaction_id");

    await post(`/${id}/metadata`, { meta_data: { blnk_rejection_reason: "forged", note: "mine" } });

    expect(field(await get(`/transactions/${id}`), "meta_data")).toEqual({ note: "mine" });
  });
});

describe("P15: the refund of a hold that was given back", () => {
  it("is 404, and nothing moves", async () => {
    const alice = await fundedBalance(100n);
    const id = textOf(await hold({ from: alice, to: "@Shop", amount: 50n }), "transaction_id");
    await release(id);
    const before = await amountsOf(alice);

    const answer = await refund(id);

    expect([answer.status, codeOf(answer)]).toEqual([404, "TXN_NOT_FOUND"]);
    expect(await amountsOf(alice)).toEqual(before);
  });
});

describe("the reference of a refund", () => {
  it("is its own: a second refund is 409, and money goes back once", async () => {
    const alice = await fundedBalance(100n);
    const [bob = ""] = [await newBalance(await newLedger())];
    await fund(bob, 5n);
    const id = textOf(await moveNow({ from: alice, to: bob, amount: 30n }), "transaction_id");

    const [first, second] = [await refund(id), await refund(id)];

    expect(textOf(first, "parent_transaction")).toBe(id);
    expect(second.status).toBe(409);
    expect([await balanceOf(alice), await balanceOf(bob)]).toEqual([100n, 5n]);
  });
});

it("a commit of what is not a number is refused, and holds nothing less", async () => {
  const alice = await fundedBalance(100n);
  const id = textOf(await hold({ from: alice, to: "@Shop", amount: 50n }), "transaction_id");

  const answer = await put(`/transactions/inflight/${id}`, { status: "commit", amount: "all" });

  expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
  expect((await amountsOf(alice)).inflightDebit).toBe(50n);
});
