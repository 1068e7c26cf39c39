import { describe, expect, it } from "vitest";
import { verifyBalance, verifyTransaction } from "../../assets/docs/verify.js";
import { get, listOf, post, textOf, type Value } from "../support/api";
import { everyKind } from "../support/every-kind";
import {
  commit,
  fundedBalance,
  hold,
  move,
  moveNow,
  newBalances,
  refund,
  unique,
} from "../support/ledger";
import { until } from "../support/until";

/** A proof as a client parses it: plain JSON, whose numbers are versions alone. */
type Plain = { [key: string]: Json };
type Json = null | boolean | string | number | Json[] | Plain;

async function proofOf(path: string): Promise<Plain> {
  const { status, body } = await get(path);
  expect(status).toBe(200);
  const plain = plainOf(body);
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) throw new Error(path);
  return plain;
}

function plainOf(value: Value): Json {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainOf(part)]));
}

/** Every way to change one leaf of a proof. */
function* tampered(proof: Plain): Generator<{ readonly where: string; readonly proof: Plain }> {
  for (const path of leavesOf(proof)) {
    const copy = structuredClone(proof);
    const last = path.at(-1) ?? "";
    let holder: Json = copy;
    for (const key of path.slice(0, -1)) holder = childOf(holder, key);
    if (typeof holder !== "object" || holder === null) continue;
    Reflect.set(holder, last, otherThan(childOf(holder, last)));
    yield { where: path.join("."), proof: copy };
  }
}

function leavesOf(value: Json, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return Object.keys(value).flatMap((key) => leavesOf(childOf(value, key), [...path, key]));
}

const childOf = (value: Json, key: string): Json => {
  if (typeof value !== "object" || value === null) return null;
  return Array.isArray(value) ? (value[Number(key)] ?? null) : (value[key] ?? null);
};

function otherThan(value: Json): Json {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return "something";
  const last = value.at(-1);
  return `${value.slice(0, -1)}${last === "1" ? "2" : "1"}`;
}

/** A balance with an entry of each kind, and the transactions that made them. */
async function busyBalance() {
  const alice = await fundedBalance(10_000n);
  const [bob = ""] = await newBalances(1);
  const move = (amount: bigint, options: Record<string, unknown> = {}) =>
    moveNow({ from: alice, to: bob, amount, options });
  const plain = await move(100n, {
    meta_data: { purpose: "rent", list: [1, 2], text: "ä ö 漢字" },
  });
  const held = await hold({ from: alice, to: bob, amount: 300n });
  const heldId = textOf(held, "transaction_id");
  const committed = await commit(heldId, 100n);
  await refund(textOf(plain, "transaction_id"));
  const ids = [plain, held, committed].map((answer) => textOf(answer, "transaction_id"));
  return { alice, bob, plain: ids[0] ?? "", held: ids[1] ?? "", committed: ids[2] ?? "" };
}

/** Checks all of a balance, a few entries a page, and each transaction beside the page that names it. Answers their ids. */
async function checkedBeside(id: string): Promise<string[]> {
  const seen: string[] = [];
  let previous: Awaited<ReturnType<typeof verifyBalance>>["end"] | undefined;
  for (let after: Json = 1; after !== null; ) {
    const page: Plain = await proofOf(`/balances/${id}/proof?after=${after}&limit=7`);
    const checked = await verifyBalance(page, previous === undefined ? {} : { previous });
    expect(checked.problems, id).toEqual([]);
    for (const entry of Object.values(page["entries"] ?? [])) {
      const transaction = String(childOf(entry, "transaction_id"));
      const proof = await proofOf(`/transactions/${transaction}/proof`);
      expect((await verifyTransaction(proof, { page })).problems, transaction).toEqual([]);
      seen.push(transaction);
    }
    previous = checked.end;
    after = page["next_after"] ?? null;
  }
  return seen;
}

describe("the proof of a balance", () => {
  it("verifies, page after page, and leads to the balance", async () => {
    const { alice } = await busyBalance();
    const first = await proofOf(`/balances/${alice}/proof?limit=2`);
    const second = await proofOf(`/balances/${alice}/proof?after=${first["next_after"]}&limit=100`);

    const one = await verifyBalance(first);
    const two = await verifyBalance(second, { previous: one.end });

    expect([one.problems, two.problems]).toEqual([[], []]);
    expect(second["next_after"]).toBe(null);
    expect(two.end.version).toBe(second["version"]);
    // A page in the middle proves nothing by itself.
    expect((await verifyBalance(second)).valid).toBe(false);
  });

  it("of a balance that nothing has happened to has no entries", async () => {
    const [bob = ""] = await newBalances(1);
    const proof = await proofOf(`/balances/${bob}/proof`);
    expect(proof["entries"]).toEqual([]);
    expect((await verifyBalance(proof)).problems).toEqual([]);
  });

  it("fails when any of its fields is changed", async () => {
    const { alice } = await busyBalance();
    const proof = await proofOf(`/balances/${alice}/proof`);
    // Whose proof it is stands in the question.
    const free = ["balance_id", "currency"];
    const wrong: string[] = [];
    for (const { where, proof: changed } of tampered(proof)) {
      if (!free.includes(where) && (await verifyBalance(changed)).valid) wrong.push(where);
    }
    expect(wrong).toEqual([]);
    expect([...tampered(proof)].length).toBeGreaterThan(60);
  });

  it("fails when an entry is taken out, or when the chain is not the one that was known", async () => {
    const { alice } = await busyBalance();
    const proof = await proofOf(`/balances/${alice}/proof`);
    const entries = proof["entries"];
    if (!Array.isArray(entries)) throw new Error("no entries");
    const { end } = await verifyBalance(proof);

    for (const index of entries.keys()) {
      const less = { ...proof, entries: entries.filter((_entry, at) => at !== index) };
      expect((await verifyBalance(less)).valid).toBe(false);
    }
    expect((await verifyBalance(proof, { known: end })).valid).toBe(true);
    const other = { ...end, hash: "f".repeat(64) };
    expect((await verifyBalance(proof, { known: other })).valid).toBe(false);
    const later = { ...end, version: end.version + 1 };
    expect((await verifyBalance(proof, { known: later })).valid).toBe(false);
  });

  it("is refused for what is no balance, and for a question that cannot be read", async () => {
    expect((await get("/balances/bln_none/proof")).status).toBe(404);
    const { alice } = await busyBalance();
    expect((await get(`/balances/${alice}/proof?limit=0`)).status).toBe(400);
    expect((await get(`/balances/${alice}/proof?after=x`)).status).toBe(400);
  });
});

describe("the proof of a transaction", () => {
  it("verifies for what was applied, held, committed and queued", async () => {
    const { alice, plain, held, committed } = await busyBalance();
    for (const id of [plain, held, committed]) {
      const proof = await proofOf(`/transactions/${id}/proof`);
      expect((await verifyTransaction(proof)).problems, id).toEqual([]);
    }
    const { end } = await verifyBalance(await proofOf(`/balances/${alice}/proof`));
    const proof = await proofOf(`/transactions/${committed}/proof`);
    expect((await verifyTransaction(proof, { known: { [alice]: end } })).problems).toEqual([]);
    expect(proof["parent"]).toBe(held);
    expect((await proofOf(`/transactions/${held}/proof`))["children"]).toEqual([committed]);
  });

  it("of a split leads to its legs, and each of them verifies", async () => {
    const alice = await fundedBalance(1_000n);
    const [bob = "", carol = ""] = await newBalances(2);
    const sent = await post("/transactions", {
      precise_amount: 100,
      precision: 100,
      currency: "USD",
      reference: unique("split"),
      description: "a split",
      skip_queue: true,
      source: alice,
      destinations: [bob, carol].map((identifier) => ({ identifier, distribution: "50%" })),
    });
    const split = await proofOf(`/transactions/${textOf(sent, "transaction_id")}/proof`);
    expect((await verifyTransaction(split)).problems).toEqual([]);
    const legs = split["children"];
    expect(legs).toHaveLength(2);
    for (const leg of Array.isArray(legs) ? legs : []) {
      const proof = await proofOf(`/transactions/${leg}/proof`);
      expect((await verifyTransaction(proof)).problems).toEqual([]);
      expect(proof["parent"]).toBe(split["transaction_id"]);
    }
  });

  it("of every kind holds beside the pages of both its balances", async () => {
    const made = await everyKind();
    const [to = ""] = await newBalances(1);
    const soon = new Date(Date.now() + 500).toISOString();
    const due = { from: await fundedBalance(10n), to, amount: 1n };
    const later = textOf(
      await move({ ...due, options: { scheduled_for: soon } }),
      "transaction_id",
    );
    await until(
      () => get(`/transactions/${later}`),
      (answer) => textOf(answer, "status") === "APPLIED",
      () => `${later} is still scheduled`,
    );

    const seen = new Set<string>();
    for (const balance of listOf(await get("/balances?limit=100"))) {
      const id = String(childOf(plainOf(balance), "balance_id"));
      for (const transaction of await checkedBeside(id)) seen.add(transaction);
    }
    expect(seen).toContain(later);
    const still = ["poor", "cancelled", "scheduled", "split", "queued split", "held split"];
    for (const [name, id] of Object.entries(made)) {
      expect([name, seen.has(id)]).toEqual([name, !still.includes(name)]);
      const proof = await proofOf(`/transactions/${id}/proof`);
      expect((await verifyTransaction(proof)).problems, name).toEqual([]);
    }
  });

  it("fails when any of its fields is changed, its metadata and its parent too", async () => {
    const { plain, committed } = await busyBalance();
    for (const id of [plain, committed]) {
      const proof = await proofOf(`/transactions/${id}/proof`);
      const wrong: string[] = [];
      for (const { where, proof: changed } of tampered(proof)) {
        // What follows from it can only be asked of those; how far the chain has grown, of the balance.
        if (/^children|newest/.test(where)) continue;
        if ((await verifyTransaction(changed)).valid) wrong.push(where);
      }
      expect(wrong).toEqual([]);
    }
  });

  it("is refused for what is no transaction", async () => {
    expect((await get("/transactions/txn_none/proof")).status).toBe(404);
  });
});
