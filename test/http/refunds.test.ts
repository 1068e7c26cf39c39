import { describe, expect, it } from "vitest";
import { call, codeOf, post, textOf } from "../support/api";
import { moveNow, refund, unique, wallet } from "../support/ledger";

describe("refunds", () => {
  it("give back once, under the original, with no body at all", async () => {
    const alice = await wallet(100n);
    const paid = await moveNow({ from: alice, to: unique("@shop"), amount: 42n });
    const id = textOf(paid, "transaction_id");
    const given = await refund(id);
    expect(given.status).toBe(201);
    expect(given.body).toMatchObject({
      reference: `${id}_refund`,
      parent_transaction: id,
      source: textOf(paid, "destination"),
      destination: textOf(paid, "source"),
      allow_overdraft: true,
      status: "APPLIED",
    });
    const again = await call("POST", `/refund-transaction/${id}`);
    expect(again.status).toBe(409);
    expect(codeOf(again)).toBe("GEN_CONFLICT");
  });

  it("take their own description and metadata", async () => {
    const alice = await wallet(100n);
    const paid = await moveNow({
      from: alice,
      to: unique("@shop"),
      amount: 42n,
      options: { meta_data: { order: 9 } },
    });
    const given = await post(`/refund-transaction/${textOf(paid, "transaction_id")}`, {
      skip_queue: true,
      description: "goods returned",
      meta_data: { reason: "broken" },
    });
    expect(given.body).toMatchObject({
      description: "goods returned",
      meta_data: { order: 9n, reason: "broken", allow_overdraft: true },
    });
  });

  it.each(["txn_nobody", "txn_11111111-1111-8111-8111-111111111111"])(
    "of %s find nothing",
    async (id) => {
      const answer = await refund(id);
      expect(answer.status).toBe(404);
      expect(codeOf(answer)).toBe("TXN_NOT_FOUND");
    },
  );

  it("are one request under one Idempotency-Key, with an empty body and with none", async () => {
    for (const [one, other] of [
      [{}, { body: {} }],
      [{ body: {} }, {}],
    ]) {
      const paid = await moveNow({ from: await wallet(100n), to: unique("@shop"), amount: 42n });
      const path = `/refund-transaction/${textOf(paid, "transaction_id")}`;
      const headers = { "Idempotency-Key": unique("key") };
      const first = await call("POST", path, { ...one, headers });
      const again = await call("POST", path, { ...other, headers });
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.headers.get("Idempotent-Replayed")).toBe("true");
      expect(again.body).toEqual(first.body);
    }
  });

  it("want a body that can be read, if there is one", async () => {
    const answer = await call("POST", "/refund-transaction/txn_nobody", { raw: "[]" });
    expect(codeOf(answer)).toBe("GEN_MALFORMED_REQUEST");
  });
});
