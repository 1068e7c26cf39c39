import { describe, expect, it } from "vitest";
import { type Answer, codeOf, field, get, listOf, post, textOf } from "../support/api";
import {
  amountsOf,
  balanceOf,
  commit,
  fundedBalance,
  hold,
  moveNow,
  release,
  unique,
} from "../support/ledger";

const idOf = (answer: Answer): string => textOf(answer, "transaction_id");

/** What can be spent: settled money less what is held. */
async function availableOn(card: string): Promise<bigint> {
  const { balance, inflightDebit } = await amountsOf(card);
  return balance - inflightDebit;
}

const authorise = (card: string, amount: bigint): Promise<Answer> =>
  hold({ from: card, to: "@Merchants", amount });

describe("payments with a virtual card", () => {
  it("V6, V9: an authorised amount is held: still on the card, no longer available", async () => {
    const card = await fundedBalance(500n);

    const answer = await authorise(card, 120n);

    expect([answer.status, textOf(answer, "status")]).toEqual([201, "INFLIGHT"]);
    expect([await balanceOf(card), await availableOn(card)]).toEqual([500n, 380n]);
  });

  it("V7: an approval commits the hold, in full or in part", async () => {
    const card = await fundedBalance(500n);
    const [full, part] = [idOf(await authorise(card, 100n)), idOf(await authorise(card, 200n))];

    await commit(full);
    await commit(part, 150n);

    expect([await balanceOf(card), await availableOn(card)]).toEqual([250n, 200n]);
  });

  it("V8: a decline gives back what is held", async () => {
    const card = await fundedBalance(500n);
    const id = idOf(await authorise(card, 500n));

    await release(id);

    expect([await balanceOf(card), await availableOn(card)]).toEqual([500n, 500n]);
  });

  it("V10: held money cannot be spent, however many ask at once", async () => {
    const card = await fundedBalance(500n);

    const answers = await Promise.all(
      Array.from({ length: 12 }, (_none, index) =>
        index % 2 === 0
          ? authorise(card, 90n)
          : moveNow({ from: card, to: "@Merchants", amount: 90n }),
      ),
    );

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 400).map(codeOf)).toEqual(
      Array(7).fill("TXN_INSUFFICIENT_FUNDS"),
    );
    expect(await availableOn(card)).toBe(50n);
  });

  it("V11: an approval or a decline sent twice at once happens once", async () => {
    const card = await fundedBalance(500n);
    const id = idOf(await authorise(card, 200n));

    const answers = await Promise.all([commit(id), commit(id), release(id), release(id)]);

    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
    expect([200n, 0n]).toContain(500n - (await balanceOf(card)));
    expect(await availableOn(card)).toBe(await balanceOf(card));
  });

  it("V13, V18: open holds are listed with what remains of each and their age", async () => {
    const card = await fundedBalance(500n);
    const [open, done] = [idOf(await authorise(card, 40n)), idOf(await authorise(card, 60n))];
    await commit(done);

    const list = await get(
      `/transactions?source_eq=${card}&status_eq=INFLIGHT&inflight_remaining_gt=0`,
    );

    expect(list.body).toMatchObject([{ transaction_id: open, inflight_remaining: 40n }]);
    expect(listOf(list)).toHaveLength(1);
    const tooOld = `created_at_lt=${encodeURIComponent(new Date(Date.now() - 60_000).toISOString())}`;
    expect(listOf(await get(`/transactions?source_eq=${card}&${tooOld}`))).toEqual([]);
  });
});

describe("the state of a card", () => {
  it("V1, V2, V3, V5, V19: lives in its metadata, is changed there, and can be listed by", async () => {
    const ledger = await post("/ledgers", { name: "USD Ledger" });
    const details = { masked_number: "**** **** **** 4321", expiry: "11/29" };
    const batch = unique("batch");
    const card = await post("/balances", {
      ledger_id: textOf(ledger, "ledger_id"),
      currency: "USD",
      meta_data: { customer_name: "Jerry", batch, card_state: "ACTIVE", card_details: details },
    });
    const id = textOf(card, "balance_id");

    await post(`/${id}/metadata`, { meta_data: { card_state: "BLOCKED" } });

    expect(field(await get(`/balances/${id}`), "meta_data")).toEqual({
      customer_name: "Jerry",
      batch,
      card_state: "BLOCKED",
      card_details: details,
    });
    const blocked = `meta_data.card_state_eq=BLOCKED&meta_data.batch_eq=${batch}`;
    expect(listOf(await get(`/balances?${blocked}`))).toHaveLength(1);
    const active = `meta_data.card_state_eq=ACTIVE&meta_data.batch_eq=${batch}`;
    expect(listOf(await get(`/balances?${active}`))).toEqual([]);
  });

  it("V20: a payment's verification is noted on the hold and on what followed from it", async () => {
    const card = await fundedBalance(500n);
    const id = idOf(await authorise(card, 10n));
    const committed = idOf(await commit(id));

    await post(`/${id}/metadata`, { meta_data: { verification_status: "VERIFIED" } });

    for (const each of [id, committed]) {
      expect(field(await get(`/transactions/${each}`), "meta_data")).toMatchObject({
        verification_status: "VERIFIED",
      });
    }
  });
});
