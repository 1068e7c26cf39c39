import { describe, expect, it } from "vitest";
import { call, codeOf, field, get, post, textOf } from "../support/api";
import {
  balanceOf,
  fundedBalance,
  hold,
  move,
  moveNow,
  newBalances,
  settled,
  unique,
} from "../support/ledger";

const cancel = (id: string) => call("DELETE", `/transactions/${id}`);

/** A payment for next year, from a balance with a hundred. */
async function scheduled() {
  const from = await fundedBalance(100n);
  const answer = await move({
    from,
    to: "@rent",
    amount: 60n,
    options: { scheduled_for: "2099-01-01T00:00:00Z" },
  });
  expect(textOf(answer, "status")).toBe("SCHEDULED");
  return { from, id: textOf(answer, "transaction_id"), reference: textOf(answer, "reference") };
}

describe("cancelling", () => {
  it("rejects a scheduled transaction for good, and keeps its reference", async () => {
    const { from, id, reference } = await scheduled();
    const answer = await cancel(id);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ transaction_id: id, status: "REJECTED" });
    expect(field(answer, "meta_data")).toMatchObject({ blnk_rejection_reason: "cancelled" });
    expect((await cancel(id)).body).toEqual(answer.body);
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("REJECTED");
    const again = await moveNow({ from, to: "@rent", amount: 1n, reference });
    expect(codeOf(again)).toBe("TXN_DUPLICATE_REFERENCE");
    expect(await balanceOf(from)).toBe(100n);
  });

  it("of a queued transaction ends in one of two ways, and the answer says which", async () => {
    const [to = ""] = await newBalances(1);
    const from = await fundedBalance(100n);
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () =>
        textOf(await move({ from, to, amount: 10n }), "transaction_id"),
      ),
    );
    const answers = await Promise.all(ids.map(cancel));
    const ends = await Promise.all(ids.map(settled));
    ends.forEach((end, index) => {
      const status = answers[index]?.status;
      expect([textOf(end, "status"), status]).toEqual(
        status === 200 ? ["REJECTED", 200] : ["APPLIED", 409],
      );
    });
    const carriedOut = answers.filter(({ status }) => status === 409).length;
    expect(await balanceOf(to)).toBe(BigInt(carriedOut) * 10n);
  });

  it("comes too late for what has moved", async () => {
    const from = await fundedBalance(100n);
    const applied = await moveNow({ from, to: "@rent", amount: 1n });
    const held = await hold({ from, to: "@rent", amount: 1n });
    for (const { status, code } of await Promise.all(
      [applied, held].map(async (answer) => {
        const refused = await cancel(textOf(answer, "transaction_id"));
        return { status: refused.status, code: codeOf(refused) };
      }),
    )) {
      expect([status, code]).toEqual([409, "GEN_CONFLICT"]);
    }
    expect(await balanceOf(from)).toBe(99n);
  });

  it.each(["txn_nobody", "txn_11111111-1111-8111-8111-111111111111", "bln_x"])(
    "of %s finds nothing",
    async (id) => {
      const answer = await cancel(id);
      expect(answer.status).toBe(404);
      expect(codeOf(answer)).toBe("TXN_NOT_FOUND");
    },
  );
});

describe("recovering", () => {
  it.each`
    query                    | threshold
    ${""}                    | ${"2m0s"}
    ${"?threshold=1s"}       | ${"1s"}
    ${"?threshold=1h"}       | ${"1h0m0s"}
    ${"?threshold=-5m"}      | ${"-5m0s"}
    ${"?threshold=2500000h"} | ${"2500000h0m0s"}
  `("with $query echoes $threshold", async ({ query, threshold }) => {
    const answer = await post(`/transactions/recover${query}`, {});
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ recovered: 0n, threshold });
  });

  it.each(["5", "", "1d", "soon"])("wants a duration, not %j", async (threshold) => {
    const answer = await post(`/transactions/recover?threshold=${threshold}`, {});
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("GEN_VALIDATION_ERROR");
  });

  it("leaves what has not waited for two minutes, and what is for later", async () => {
    const { id } = await scheduled();
    const answer = await call("POST", "/transactions/recover?threshold=1ns");
    expect(answer.body).toEqual({ recovered: 0n, threshold: "1ns" });
    expect(textOf(await get(`/transactions/${id}`), "status")).toBe("SCHEDULED");
    expect((await cancel(id)).status).toBe(200);
  });
});

it("a cancelled transaction cannot be refunded or settled", async () => {
  const from = await fundedBalance(100n);
  const answer = await move({
    from,
    to: unique("@rent"),
    amount: 60n,
    options: { scheduled_for: "2099-01-01T00:00:00Z", inflight: true },
  });
  const id = textOf(answer, "transaction_id");
  await cancel(id);
  expect(codeOf(await post(`/refund-transaction/${id}`, {}))).toBe("TXN_NOT_FOUND");
  const settle = await call("PUT", `/transactions/inflight/${id}`, { body: { status: "commit" } });
  expect(codeOf(settle)).toBe("TXN_NOT_INFLIGHT");
});
