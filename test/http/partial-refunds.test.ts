import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, call, codeOf, field, post, textOf, wholeOf } from "../support/api";
import {
  amountsOf,
  balanceOf,
  commit,
  fundedBalance,
  hold,
  moveNow,
  newBalances,
  settled,
  unique,
} from "../support/ledger";

const refundOf = (id: string, body: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  post(`/refund-transaction/${id}`, { skip_queue: true, ...body });

/** A hundred that was paid in whole. */
async function payment() {
  const from = await fundedBalance(100n);
  const [to = ""] = await newBalances(1);
  const paid = await moveNow({ from, to, amount: 100n });
  return { from, to, id: textOf(paid, "transaction_id") };
}

describe("a refund of a part", () => {
  it("gives back that part, and a refund without an amount all that is left", async () => {
    const { from, to, id } = await payment();
    const part = await refundOf(id, { amount: 0.3 });
    expect(part.status).toBe(201);
    expect(part.body).toMatchObject({
      status: "APPLIED",
      precise_amount: 30n,
      amount: 0.3,
      parent_transaction: id,
      source: to,
      destination: from,
    });
    expect(textOf(part, "reference")).toMatch(new RegExp(`^${id}_refund_[0-9a-f-]{36}$`));
    expect(wholeOf(await refundOf(id, { precise_amount: 25 }), "precise_amount")).toBe(25n);
    expect(wholeOf(await refundOf(id), "precise_amount")).toBe(45n);
    expect(codeOf(await refundOf(id))).toBe("GEN_CONFLICT");
    expect(codeOf(await refundOf(id, { precise_amount: 1 }))).toBe("GEN_CONFLICT");
    expect(await balanceOf(from)).toBe(100n);
    expect(await balanceOf(to)).toBe(0n);
  });

  it("of everything is the refund of the whole, with its reference", async () => {
    const { id } = await payment();
    const whole = await refundOf(id, { amount: 1 });
    expect(textOf(whole, "reference")).toBe(`${id}_refund`);
  });

  it.each`
    body                       | status | code
    ${{ amount: 0 }}           | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ amount: 0.004 }}       | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ amount: -1 }}          | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ precise_amount: 0 }}   | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ precise_amount: -1 }}  | ${400} | ${"TXN_INVALID_AMOUNT"}
    ${{ amount: "1" }}         | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${{ precise_amount: 1.5 }} | ${400} | ${"GEN_MALFORMED_REQUEST"}
    ${{ precise_amount: 71 }}  | ${400} | ${"GEN_BAD_REQUEST"}
  `("is refused for $body: $code", async ({ body, status, code }) => {
    const { from, id } = await payment();
    await refundOf(id, { precise_amount: 30 });
    const answer = await refundOf(id, body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    if (code === "GEN_BAD_REQUEST") {
      expect(field(answer, "error_detail")).toMatchObject({ details: { refundable: "70" } });
    }
    expect(await balanceOf(from)).toBe(30n);
  });

  it("goes through the queue as well, and counts from the moment it is asked", async () => {
    const { from, id } = await payment();
    const queued = await refundOf(id, { precise_amount: 60, skip_queue: false });
    expect(textOf(queued, "status")).toBe("QUEUED");
    expect(codeOf(await refundOf(id, { precise_amount: 41 }))).toBe("GEN_BAD_REQUEST");
    await settled(textOf(queued, "transaction_id"));
    expect(await balanceOf(from)).toBe(60n);
  });

  it("happens once under one Idempotency-Key", async () => {
    const { from, id } = await payment();
    const headers = { "Idempotency-Key": unique("key") };
    const ask = () =>
      call("POST", `/refund-transaction/${id}`, {
        body: { precise_amount: 30, skip_queue: true },
        headers,
      });
    const answers = await Promise.all([ask(), ask(), ask()]);
    const ids = new Set(answers.map((answer) => textOf(answer, "transaction_id")));
    expect(ids.size).toBe(1);
    expect(await balanceOf(from)).toBe(30n);
  });

  it("of a hold takes from its commits, the newest first", async () => {
    const from = await fundedBalance(100n);
    const [to = ""] = await newBalances(1);
    const id = textOf(await hold({ from, to, amount: 100n }), "transaction_id");
    const older = textOf(await commit(id, 20n), "transaction_id");
    const newer = textOf(await commit(id, 30n), "transaction_id");
    const part = await refundOf(id, { precise_amount: 40 });
    expect(part.body).toMatchObject({ parent_transaction: newer, precise_amount: 30n });
    expect(await amountsOf(from)).toMatchObject({ balance: 90n, inflightDebit: 50n });
    const rest = await refundOf(older);
    expect(wholeOf(rest, "precise_amount")).toBe(10n);
    expect(await balanceOf(from)).toBe(100n);
  });
});

it("refunds of parts that race never give back more than was moved", async () => {
  const part = fc.option(fc.integer({ min: 1, max: 60 }), { nil: null });
  const ask = fc.record({ part, skip: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(ask, { minLength: 2, maxLength: 6 }), async (asks) => {
      const { from, to, id } = await payment();
      const answers = await Promise.all(
        asks.map(({ part: minor, skip }) =>
          refundOf(id, {
            skip_queue: skip,
            ...(minor === null ? {} : { precise_amount: minor }),
          }),
        ),
      );
      const given = answers.filter(({ status }) => status === 201);
      await Promise.all(given.map((answer) => settled(textOf(answer, "transaction_id"))));
      const sum = given.reduce((total, answer) => total + wholeOf(answer, "precise_amount"), 0n);
      expect(sum).toBeLessThanOrEqual(100n);
      expect(await balanceOf(from)).toBe(sum);
      expect(await balanceOf(to)).toBe(100n - sum);
      // What is left, and not more, is given back by a refund of the whole.
      const rest = await refundOf(id);
      expect(rest.status).toBe(sum === 100n ? 409 : 201);
      expect(await balanceOf(from)).toBe(100n);
    }),
    { numRuns: 20 },
  );
});
