import { describe, expect, it } from "vitest";
import { type Answer, call, field, get, listOf, post, textOf } from "../support/api";
import {
  amountsOf,
  balanceOf,
  fund,
  fundedBalance,
  move,
  moveNow,
  newBalance,
  newBalances,
  newLedger,
  refund,
  settled,
  unique,
} from "../support/ledger";

const idOf = (answer: Answer): string => textOf(answer, "transaction_id");
const statusOf = (answer: Answer): string => textOf(answer, "status");

describe("the life of a recorded transaction", () => {
  it("L1, L2, L3: QUEUED at once, APPLIED when both balances include it", async () => {
    const [alice, bob = ""] = [await fundedBalance(100n), ...(await newBalances(1))];

    const recorded = await move({ from: alice, to: bob, amount: 30n });

    expect([recorded.status, statusOf(recorded)]).toEqual([201, "QUEUED"]);
    expect(statusOf(await settled(idOf(recorded)))).toBe("APPLIED");
    expect([await balanceOf(alice), await balanceOf(bob)]).toEqual([70n, 30n]);
  });

  it.each([
    ["L5: with enough funds it is applied", 100n, {}, "APPLIED"],
    ["L5: without, it is rejected", 101n, {}, "REJECTED"],
    ["L6: with overdraft it is applied all the same", 101n, { allow_overdraft: true }, "APPLIED"],
    ["L6: within a limit too", 150n, { allow_overdraft: true, overdraft_limit: 0.5 }, "APPLIED"],
    ["L6: but not beyond", 151n, { allow_overdraft: true, overdraft_limit: 0.5 }, "REJECTED"],
  ])("%s", async (_rule, amount, options, outcome) => {
    const alice = await fundedBalance(100n);

    const recorded = await move({ from: alice, to: "@Shop", amount, options });

    expect(statusOf(await settled(idOf(recorded)))).toBe(outcome);
    expect(await balanceOf(alice)).toBe(outcome === "APPLIED" ? 100n - amount : 100n);
  });

  it("L7: the status is read by id and by reference", async () => {
    const alice = await fundedBalance(100n);
    const reference = unique("payout");
    const recorded = await move({ from: alice, to: "@Bank", amount: 5n, reference });
    await settled(idOf(recorded));

    const byReference = await get(`/transactions/reference/${reference}`);

    expect([idOf(byReference), statusOf(byReference)]).toEqual([idOf(recorded), "APPLIED"]);
    expect(statusOf(await get(`/transactions/${idOf(recorded)}`))).toBe("APPLIED");
  });
});

describe("pay-out and pay-in", () => {
  it("L8, L12, L19: a payout that failed is undone by a linked record, and both stay", async () => {
    const alice = await fundedBalance(100n);
    const payout = idOf(await moveNow({ from: alice, to: "@Bank", amount: 80n }));

    const undone = await refund(payout);

    expect([statusOf(undone), textOf(undone, "parent_transaction")]).toEqual(["APPLIED", payout]);
    expect(await amountsOf(alice)).toMatchObject({ balance: 100n, credit: 180n, debit: 80n });
    expect(statusOf(await get(`/transactions/${payout}`))).toBe("APPLIED");
    expect(listOf(await get(`/transactions?parent_transaction_eq=${payout}`))).toHaveLength(1);
  });

  it("L19: nothing deletes a transaction, a balance or a ledger", async () => {
    const ledger = await newLedger();
    const alice = await newBalance(ledger);
    await fund(alice, 10n);
    const id = idOf(await moveNow({ from: alice, to: "@Bank", amount: 1n }));

    // DELETE of a transaction cancels what has not moved; what has moved stays.
    for (const [path, status] of [
      [`/transactions/${id}`, 409],
      [`/balances/${alice}`, 404],
      [`/ledgers/${ledger}`, 404],
    ] as const) {
      expect((await call("DELETE", path)).status).toBe(status);
      expect((await get(path)).status).toBe(200);
    }
  });

  it("L11, L18: movements with the outside are told by the internal balance", async () => {
    const [alice, bob = ""] = [await fundedBalance(100n), ...(await newBalances(1))];
    const bank = `@${unique("Bank")}`;
    await moveNow({ from: alice, to: bob, amount: 10n });
    const outside = idOf(await moveNow({ from: alice, to: bank, amount: 20n }));

    const found = await get(`/transactions?source_eq=${alice}&indicator_eq=${bank}`);

    expect(listOf(found).map((body) => idOf({ ...found, body }))).toEqual([outside]);
  });

  it("L13, L17: a payment that came in finds its balance by identity or metadata", async () => {
    const accountNumber = unique("90001");
    const ledgerId = await newLedger();
    const identity = await post("/identities", { identity_type: "individual", first_name: "Ada" });
    const balance = await post("/balances", {
      ledger_id: ledgerId,
      identity_id: textOf(identity, "identity_id"),
      currency: "USD",
      meta_data: { account_number: accountNumber },
    });
    const byMetaData = await get(`/balances?meta_data.account_number_eq=${accountNumber}`);
    const byIdentity = await get(
      `/balances?identity_id_eq=${textOf(identity, "identity_id")}&currency_eq=USD`,
    );
    for (const found of [byMetaData, byIdentity]) {
      expect(listOf(found).map((body) => textOf({ ...found, body }, "balance_id"))).toEqual([
        textOf(balance, "balance_id"),
      ]);
    }

    await fund(textOf(balance, "balance_id"), 75n);

    expect(await balanceOf(textOf(balance, "balance_id"))).toBe(75n);
  });

  it("L10: metadata goes with the transaction from the request to its record", async () => {
    const alice = await fundedBalance(100n);
    const metaData = { order: 12345678901234567890n, lines: [{ item: "tea", qty: 2n }], note: "ö" };

    const recorded = await move({
      from: alice,
      to: "@Shop",
      amount: 1n,
      options: { meta_data: metaData },
    });

    expect(field(await settled(idOf(recorded)), "meta_data")).toMatchObject(metaData);
  });
});
