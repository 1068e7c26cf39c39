import { describe, expect, it } from "vitest";
import { type Answer, codeOf, field, get, listOf, post, put, textOf } from "../support/api";
import {
  amountsOf,
  balanceOf,
  fundedBalance,
  moveNow,
  newBalances,
  refund,
  settled,
  unique,
} from "../support/ledger";

interface Asked {
  readonly [key: string]: unknown;
}

const sendSplit = (changes: Asked): Promise<Answer> =>
  post("/transactions", {
    precise_amount: 100,
    precision: 100,
    currency: "USD",
    reference: unique("split"),
    description: "a split",
    skip_queue: true,
    ...changes,
  });

/** Half to each. */
const halves = (...identifiers: readonly string[]) =>
  identifiers.map((identifier) => ({ identifier, distribution: "50%" }));

/** A split of a hundred from one funded balance to two new ones. */
async function newSplit(changes: Asked = {}) {
  const alice = await fundedBalance(1_000n);
  const [bob = "", carol = ""] = await newBalances(2);
  const sent = await sendSplit({ source: alice, destinations: halves(bob, carol), ...changes });
  return { alice, bob, carol, sent, id: textOf(sent, "transaction_id") };
}

/** The ids of a split's legs, as its answer lists them. */
const legsOf = (answer: Answer, side = "destinations"): string[] =>
  listOf({ ...answer, body: field(answer, side) }).map((share) =>
    textOf({ ...answer, body: share }, "transaction_id"),
  );

const balancesOf = (...ids: readonly string[]) => Promise.all(ids.map(balanceOf));

describe("P7: the record of a split", () => {
  it("is answered by id and by reference, with its legs, each of which has its own", async () => {
    const { sent, id, bob } = await newSplit();
    const reference = textOf(sent, "reference");

    const [byId, byReference] = [
      await get(`/transactions/${id}`),
      await get(`/transactions/reference/${reference}`),
    ];

    expect(textOf(byId, "status")).toBe("APPLIED");
    expect(byReference.body).toEqual(byId.body);
    expect(legsOf(byId)).toEqual(legsOf(sent));
    const [first = ""] = legsOf(sent);
    const leg = await get(`/transactions/reference/${reference}-1`);
    expect([textOf(leg, "transaction_id"), textOf(leg, "destination")]).toEqual([first, bob]);
    expect(textOf(leg, "parent_transaction")).toBe(id);
  });

  it("is in no list: its legs are", async () => {
    const { alice, sent } = await newSplit();

    const listed = listOf(await get(`/transactions?source_eq=${alice}`)).map((row) =>
      textOf({ ...sent, body: row }, "transaction_id"),
    );

    expect(listed.sort()).toEqual(legsOf(sent).sort());
  });

  it("keeps its reference from everybody else, on both paths", async () => {
    const { alice, bob, sent, id } = await newSplit({ skip_queue: false });
    await settled(id);
    const reference = textOf(sent, "reference");

    for (const changes of [{ skip_queue: true }, { skip_queue: false }]) {
      const again = await sendSplit({ source: alice, destination: bob, reference, ...changes });
      expect([again.status, codeOf(again)]).toEqual([409, "TXN_DUPLICATE_REFERENCE"]);
    }
    expect(await balanceOf(alice)).toBe(900n);
  });
});

describe("P5, W26: a split is all or nothing", () => {
  it.each([true, false])("whatever atomic says (%s)", async (atomic) => {
    const [rich, poor] = [await fundedBalance(100n), await fundedBalance(10n)];
    const [shop = ""] = await newBalances(1);

    const refused = await sendSplit({ sources: halves(rich, poor), destination: shop, atomic });

    expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_INSUFFICIENT_FUNDS"]);
    expect(await balancesOf(rich, poor, shop)).toEqual([100n, 10n, 0n]);
  });

  it("by the queue: every leg is rejected with the split", async () => {
    const [rich, poor] = [await fundedBalance(100n), await fundedBalance(10n)];
    const [shop = ""] = await newBalances(1);

    const sent = await sendSplit({
      sources: halves(rich, poor),
      destination: shop,
      skip_queue: false,
    });

    const all = [textOf(sent, "transaction_id"), ...legsOf(sent, "sources")];
    for (const id of all) expect(textOf(await settled(id), "status")).toBe("REJECTED");
    expect(await balancesOf(rich, poor, shop)).toEqual([100n, 10n, 0n]);
  });

  it("refused, it leaves its own reference and those of its legs free", async () => {
    const [rich, poor] = [await fundedBalance(1_000n), await fundedBalance(10n)];
    const reference = unique("split");
    await sendSplit({ sources: halves(rich, poor), destination: "@shop", reference });

    for (const free of [reference, `${reference}-1`]) {
      const sent = await moveNow({ from: rich, to: "@shop", amount: 1n, reference: free });
      expect(sent.status).toBe(201);
    }
  });

  it("names a balance once", async () => {
    const alice = await fundedBalance(100n);

    const refused = await sendSplit({ source: alice, destinations: halves("@bob", "@bob") });

    expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_VALIDATION_ERROR"]);
    expect(await balanceOf(alice)).toBe(100n);
  });
});

describe("a split that holds", () => {
  it("is given back leg by leg when its date has come", async () => {
    const { alice } = await newSplit({
      inflight: true,
      inflight_expiry_date: "2026-01-01T00:00:00+00:00",
    });

    await expect
      .poll(async () => (await amountsOf(alice)).inflightDebit, { timeout: 20_000 })
      .toBe(0n);
    expect(await balanceOf(alice)).toBe(1_000n);
  });

  it("commits an amount of each leg, or of none when one has less", async () => {
    const { alice, bob, carol, sent, id } = await newSplit({ inflight: true });
    const [first = ""] = legsOf(sent);
    const commitOf = (of: string, amount: number) =>
      put(`/transactions/inflight/${of}`, {
        status: "commit",
        precise_amount: amount,
        skip_queue: true,
      });
    await commitOf(first, 30);

    const refused = await commitOf(id, 25);

    expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_COMMIT_AMOUNT_EXCEEDED"]);
    expect(await balancesOf(alice, bob, carol)).toEqual([970n, 30n, 0n]);
    expect((await commitOf(id, 20)).status).toBe(200);
    expect(await balancesOf(alice, bob, carol)).toEqual([930n, 50n, 20n]);
  });
});

it("the legs of a queued split carry the client's metadata, each with marks of its own", async () => {
  const { alice, bob, carol, sent, id } = await newSplit({
    skip_queue: false,
    meta_data: { order: "o-7" },
  });
  await settled(id);

  const legs = await Promise.all(legsOf(sent).map((leg) => settled(leg)));

  expect(legs.map((leg) => field(leg, "meta_data"))).toMatchObject([
    { order: "o-7", queue_pair_key: `${alice}|${bob}|USD` },
    { order: "o-7", queue_pair_key: `${alice}|${carol}|USD` },
  ]);
});

it("a refund of a split gives back every leg, once", async () => {
  const { alice, bob, carol, id } = await newSplit();

  const [first, second] = [await refund(id), await refund(id)];

  expect([first.status, second.status]).toEqual([201, 409]);
  expect(await balancesOf(alice, bob, carol)).toEqual([1_000n, 0n, 0n]);
});

describe("a split of long names", () => {
  /** So many shares, and each name so long. */
  const shares = (count: number, length: number) =>
    Array.from({ length: count }, (_none, n) => ({
      identifier: `@${n}${"\u20ac".repeat(length)}`,
      distribution: `${100 / count}%`,
    }));

  it.each([true, false])(
    "is refused when its row cannot have them all (skip_queue %s)",
    async (skip) => {
      const source = await fundedBalance(1_000n);
      for (const how of [{ skip_queue: skip }, { dry_run: true }]) {
        const refused = await sendSplit({
          source,
          precise_amount: 500,
          destinations: shares(500, 995),
          ...how,
        });
        expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_VALIDATION_ERROR"]);
      }
      expect(await balanceOf(source)).toBe(1_000n);
    },
  );

  it("is carried out when it just can", async () => {
    const source = await fundedBalance(1_000n);
    const many = {
      destinations: shares(100, 980),
      reference: unique("\u20ac".repeat(1_950)),
      description: '"'.repeat(1_000),
      meta_data: { a: "\u20ac".repeat(38_000) },
    };
    const few = { destinations: shares(2, 10), meta_data: { a: "\u20ac".repeat(262_000) } };
    for (const texts of [many, few]) {
      const sent = await sendSplit({ source, ...texts });
      expect([sent.status, field(sent, "status")]).toEqual([201, "APPLIED"]);
    }
    expect(await balanceOf(source)).toBe(800n);
  });
});
