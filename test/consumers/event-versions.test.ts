import { describe, expect, it } from "vitest";
import { get, post, textOf, wholeOf } from "../support/api";
import { sendBatch } from "../support/bulk";
import { eventsSoFar } from "../support/inbox";
import {
  commit,
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
import { bring, newWallet, shadowIds } from "../support/lineage";
import { until } from "../support/until";

interface Told {
  readonly id: string;
  readonly balances: readonly { readonly balance_id: string; readonly version: number }[];
}

const fromWorld = (to: string, amount: bigint) => ({
  from: "@World",
  to,
  amount,
  options: { allow_overdraft: true },
});

const atIndicator = (indicator: string) => get(`/balances/indicator/${indicator}/currency/USD`);

/** The versions of a balance in all of its events, each event once, in order, as soon as none is missing. */
async function versionsTold(balanceId: string): Promise<number[]> {
  const version = Number(wholeOf(await get(`/balances/${balanceId}`), "version"));
  const told = async () => {
    const events = new Map<string, Told>();
    for (const { body } of await eventsSoFar()) {
      if (!body.includes(balanceId)) continue;
      const event: Told = JSON.parse(body);
      events.set(event.id, event);
    }
    return [...events.values()]
      .flatMap(({ balances }) => balances)
      .filter(({ balance_id }) => balance_id === balanceId)
      .map(({ version: told }) => told)
      .sort((a, b) => a - b);
  };
  return until(
    told,
    (versions) => versions.length >= version,
    (versions) => `${versions.join()} of ${version} versions of ${balanceId}`,
  );
}

/** A balance has told of every version that it had, of none twice, and the first is that of its making. */
async function expectNoGap(balanceId: string, changes: number): Promise<void> {
  const versions = Array.from({ length: changes + 1 }, (_none, index) => index + 1);
  expect(await versionsTold(balanceId)).toEqual(versions);
}

describe("the versions in the events of a balance follow one another from its making on", () => {
  it("made by hand, and before anything moved", async () => {
    const balanceId = await newBalance(await newLedger());
    await expectNoGap(balanceId, 0);

    await moveNow(fromWorld(balanceId, 100n));
    await expectNoGap(balanceId, 1);
  });

  it.each(["moveNow", "move"] as const)(
    "made by its indicator in a transaction (%s)",
    async (how) => {
      const indicator = unique("@first");
      const sent = await { move, moveNow }[how](fromWorld(indicator, 100n));
      await settled(textOf(sent, "transaction_id"));
      const balanceId = textOf(await atIndicator(indicator), "balance_id");

      await expectNoGap(balanceId, 1);
    },
  );

  it("made by its indicator as the source, by a hold", async () => {
    const [from, to] = [unique("@source"), unique("@destination")];
    const held = await hold({ from, to, amount: 10n, options: { allow_overdraft: true } });
    expect(held.status).toBe(201);

    await expectNoGap(textOf(await atIndicator(from), "balance_id"), 1);
    await expectNoGap(textOf(await atIndicator(to), "balance_id"), 1);
  });

  it("through holds, commits, voids, refunds and refusals", async () => {
    const [alice = "", shop = ""] = await newBalances(2);
    await moveNow(fromWorld(alice, 1_000n));
    const kept = textOf(await hold({ from: alice, to: shop, amount: 60n }), "transaction_id");
    const dropped = textOf(await hold({ from: alice, to: shop, amount: 40n }), "transaction_id");
    await commit(kept, 20n);
    await commit(kept);
    await release(dropped);
    const paid = textOf(await moveNow({ from: alice, to: shop, amount: 5n }), "transaction_id");
    await refund(paid);
    const refused = await move({ from: alice, to: shop, amount: 9_000n });
    await settled(textOf(refused, "transaction_id"));

    await expectNoGap(alice, 8);
    await expectNoGap(shop, 7);
  });

  it.each([
    ["at once", { skip_queue: true }],
    ["all or nothing", { skip_queue: true, atomic: true }],
  ])("made by a batch (%s)", async (_how, options) => {
    const indicator = unique("@batch");
    const items = [1, 2, 3].map(() => ({
      from: "@World",
      to: indicator,
      amount: 7n,
      reference: unique("item"),
      options: { allow_overdraft: true },
    }));
    const sent = await sendBatch(items, options);
    expect(sent.status).toBe(201);

    await expectNoGap(textOf(await atIndicator(indicator), "balance_id"), 3);
  });

  it("made by a split", async () => {
    const indicator = unique("@leg");
    const sent = await post("/transactions", {
      precise_amount: 100,
      precision: 100,
      currency: "USD",
      reference: unique("split"),
      description: "two legs for one",
      source: "@World",
      allow_overdraft: true,
      skip_queue: true,
      destinations: [
        { identifier: indicator, distribution: "40%" },
        { identifier: unique("@other"), distribution: "left" },
      ],
    });
    expect(sent.status).toBe(201);

    await expectNoGap(textOf(await atIndicator(indicator), "balance_id"), 1);
  });

  it("with funds kept apart, also those of their shadows", async () => {
    const wallet = await newWallet();
    const brought = await bring(wallet, 100n, "grant");
    const ids = await until(
      () => shadowIds(brought),
      (found) => found.length > 0,
      () => `no shadow of ${brought}`,
    );

    await expectNoGap(wallet, 1);
    const shadow = await get(`/transactions/${ids[0]}`);
    const version = Number(
      wholeOf(await get(`/balances/${textOf(shadow, "destination")}`), "version"),
    );
    await expectNoGap(textOf(shadow, "destination"), version - 1);
  });
});
