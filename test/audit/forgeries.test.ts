import { beforeAll, describe, expect, it } from "vitest";
import { verifyBalance, verifyTransaction } from "../../assets/docs/verify.js";
import { get, textOf, writeJson } from "../support/api";
import {
  asOnPage,
  type BalanceProof,
  type Entry,
  forgedTransaction,
  type TransactionProof,
  withEntry,
  withoutSeals,
} from "../support/forge";
import { fundedBalance, hold, moveNow, newBalances } from "../support/ledger";

let alice: string;
let page: BalanceProof;
/** A transfer in the middle of the chains of both its balances. */
let proof: TransactionProof;

async function balanceProof(id: string, query = ""): Promise<BalanceProof> {
  return JSON.parse(writeJson((await get(`/balances/${id}/proof${query}`)).body));
}

async function transactionProof(id: string): Promise<TransactionProof> {
  return JSON.parse(writeJson((await get(`/transactions/${id}/proof`)).body));
}

beforeAll(async () => {
  alice = await fundedBalance(10_000n);
  const [bob = ""] = await newBalances(1);
  const movement = { from: alice, to: bob, amount: 100n };
  await moveNow(movement);
  const middle = await moveNow(movement);
  await moveNow(movement);
  await moveNow(movement);
  await hold(movement);
  page = await balanceProof(alice);
  proof = await transactionProof(textOf(middle, "transaction_id"));
});

/** What is wrong with a proof beside a page. */
const problemsOf = async (forged: TransactionProof, beside: BalanceProof = page) =>
  (await verifyTransaction(forged, { page: beside })).problems;

const hidden = (change: Partial<TransactionProof>) => ({ ...proof, entries: [], ...change });

describe("beside a checked page of its balance, the proof of a transaction", () => {
  it("holds when it is what the chain has", async () => {
    expect((await verifyBalance(page)).problems).toEqual([]);
    expect(await problemsOf(proof)).toEqual([]);
  });

  it("cannot say another amount or description, though it agrees with itself", async () => {
    const otherwise = { precise_amount: "99999999", description: "a bribe" };
    const forged = await forgedTransaction(proof, otherwise);
    expect((await verifyTransaction(forged)).problems).toEqual([]);
    expect(await problemsOf(forged)).toContain(
      `the proof does not show the entry that ${alice} has of it`,
    );
    const elsewhere = await forgedTransaction(proof, otherwise, { later: 1_000 });
    expect((await verifyTransaction(elsewhere)).problems).toEqual([]);
    expect(await problemsOf(elsewhere)).toContain(`its entry in ${alice} is not on the page`);
  });

  it("cannot say that it moved nothing, whatever it says why", async () => {
    const rejected = hidden({ status: "REJECTED" });
    const split = { ...(await forgedTransaction(proof, { kind: "split" })), entries: [] };
    for (const forged of [rejected, hidden({ status: "QUEUED" }), split]) {
      expect((await verifyTransaction(forged)).problems).toEqual([]);
      expect(await problemsOf(forged)).toEqual([
        `the proof does not show the entry that ${alice} has of it`,
      ]);
    }
  });

  it("cannot say that an invented one moved its money", async () => {
    const forged = await forgedTransaction(proof, { transaction_id: "txn_invented" });
    expect((await verifyTransaction(forged)).problems).toEqual([]);
    expect(await problemsOf(forged)).toContain(`its entry in ${alice} is not on the page`);
  });

  it("cannot show another end after the entry", async () => {
    const changed = (change: (typeof proof.entries)[number]) => ({
      ...proof,
      entries: proof.entries.map((place) => (place.balance_id === alice ? change : place)),
    });
    const place = proof.entries.find((each) => each.balance_id === alice);
    if (place === undefined) throw new Error("no entry");
    const newest = { ...place.newest, hash: "f".repeat(64) };
    expect(await problemsOf(changed({ ...place, newest }))).toEqual([
      `what follows its entry in ${alice} is not what the page has`,
    ]);
  });

  it("shows whose page it is, and in which currency", async () => {
    const other = await balanceProof(proof.recorded.destination);
    expect(await problemsOf(proof, { ...other, balance_id: alice })).not.toEqual([]);
    expect(await problemsOf(proof, { ...page, balance_id: "bln_other" })).not.toEqual([]);
    expect(await problemsOf(proof, { ...page, currency: "BTC" })).toEqual([
      `${alice} is in BTC, and it is not`,
    ]);
  });

  it("holds for what is older than seals", async () => {
    const older = await withoutSeals(page);
    expect((await verifyBalance(older)).problems).toEqual([]);
    expect(await problemsOf(asOnPage(proof, older), older)).toEqual([]);
  });
});

describe("a link that was known", () => {
  const problemsBeside = async (forged: TransactionProof, known: BalanceProof["newest"]) =>
    (await verifyTransaction(forged, { known: { [alice]: known } })).problems;
  const own = () => proof.entries.find((place) => place.balance_id === alice);

  it("is met when it is that of the entry or of the next one", async () => {
    for (const link of [own()?.entry, own()?.next]) {
      if (link === undefined || link === null) throw new Error("no entry");
      expect(await problemsBeside(proof, link)).toEqual([]);
    }
  });

  it("is refused rather than passed over when nothing in the proof leads to it", async () => {
    const entry = own()?.entry;
    if (entry === undefined) throw new Error("no entry");
    const refused = ({ version }: { readonly version: number }) =>
      `version ${version} of ${alice}, which was known, does not follow from it`;
    expect(await problemsBeside(proof, page.newest)).toEqual([refused(page.newest)]);

    const otherwise = { precise_amount: "99999999" };
    const forged = await forgedTransaction(proof, otherwise);
    expect(await problemsBeside(forged, page.newest)).toEqual([refused(page.newest)]);
    const moved = await forgedTransaction(proof, otherwise, { later: 1_000 });
    expect(await problemsBeside(moved, entry)).toContain(refused(entry));
    expect(await problemsBeside(hidden({ status: "REJECTED" }), entry)).toEqual([refused(entry)]);
  });
});

describe("a chain that somebody made by themselves", () => {
  const sum = (text: string, change: bigint) => (BigInt(text) + change).toString();
  const entries: [what: string, change: (last: Entry) => Partial<Entry>][] = [
    ["an unknown action", () => ({ action: "note", amount: "500" })],
    [
      "an unknown side",
      (last) => ({
        side: "both",
        action: "apply",
        amount: "5",
        credit_balance: sum(last.credit_balance, 5n),
      }),
    ],
    [
      "a negative amount",
      (last) => ({
        side: "destination",
        action: "apply",
        amount: "-500",
        credit_balance: sum(last.credit_balance, -500n),
      }),
    ],
    [
      "an amount that is not in digits",
      (last) => ({
        side: "destination",
        action: "apply",
        amount: "0x10",
        credit_balance: sum(last.credit_balance, 16n),
      }),
    ],
    [
      "a void of more than is held",
      (last) => ({
        side: "source",
        action: "void",
        amount: "101",
        inflight_debit_balance: sum(last.inflight_debit_balance, -101n),
      }),
    ],
    [
      "a commit of more than is held",
      (last) => ({
        side: "source",
        action: "commit",
        amount: "101",
        debit_balance: sum(last.debit_balance, 101n),
        inflight_debit_balance: sum(last.inflight_debit_balance, -101n),
      }),
    ],
  ];

  it.each(entries)("does not hold with %s", async (_what, change) => {
    const last = page.entries.at(-1);
    if (last === undefined) throw new Error("no entries");
    const forged = await withEntry(page, change(last));
    const { problems } = await verifyBalance(forged);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/does what no transaction does|is no amount/);
  });

  it("holds with one entry more that is as the others are", async () => {
    const last = page.entries.at(-1);
    if (last === undefined) throw new Error("no entries");
    const more = { action: "void", amount: "100", inflight_debit_balance: "0" };
    expect((await verifyBalance(await withEntry(page, more))).problems).toEqual([]);
  });

  it.each([{ balance_id: "bln_other" }, { currency: "BTC" }])(
    "does not hold when the next page has %j",
    async (change) => {
      const first = await balanceProof(alice, "?limit=2");
      const { end: previous } = await verifyBalance(first);
      const second = await balanceProof(alice, `?after=${first.next_after}`);
      expect((await verifyBalance(second, { previous })).problems).toEqual([]);
      expect((await verifyBalance({ ...second, ...change }, { previous })).problems).toEqual([
        "the page is of another balance than the one before it",
      ]);
    },
  );

  it("does not hold when a page is empty and says that others follow", async () => {
    const endless = { ...page, entries: [], next_after: 1 };
    expect((await verifyBalance(endless)).problems).toEqual([
      "the next page does not begin where this one ends",
    ]);
  });
});
