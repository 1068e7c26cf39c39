import { expect } from "vitest";
import { call, get, post, put, textOf, writeJson } from "./api";
import { settledDown } from "./everything";
import { commit, fundedBalance, hold, move, moveNow, newBalances, refund, unique } from "./ledger";

/** Ids of transactions of every kind that the API can make, each at its end, and all of it in D1. */
export async function everyKind(): Promise<Readonly<Record<string, string>>> {
  const alice = await fundedBalance(100_000n);
  const [bob = "", carol = "", poor = ""] = await newBalances(3);
  const made: Record<string, string> = {};
  const keep = async (name: string, sent: ReturnType<typeof post>) => {
    const answer = await sent;
    expect(answer.status, `${name}: ${writeJson(answer.body)}`).toBeLessThan(300);
    made[name] = textOf(answer, "transaction_id");
    return made[name];
  };
  const between = { from: alice, to: bob };
  const plain = await keep(
    "plain",
    moveNow({ ...between, amount: 100n, options: { meta_data: { purpose: "rent" } } }),
  );
  await keep("queued", move({ ...between, amount: 20n }));
  await keep("poor", move({ from: poor, to: bob, amount: 9n }));
  const held = await keep("hold", hold({ ...between, amount: 50n }));
  await keep("commit", commit(held, 20n));
  const dropped = await keep("dropped hold", hold({ ...between, amount: 7n }));
  await keep("void", put(`/transactions/inflight/${dropped}`, { status: "void" }));
  await keep("refund", refund(plain));
  await post(`/${plain}/metadata`, { meta_data: { checked: true } });
  await post(`/${alice}/metadata`, { meta_data: { tier: "gold" } });
  const scheduled = await keep(
    "cancelled",
    move({ ...between, amount: 1n, options: { scheduled_for: "2099-01-01T00:00:00Z" } }),
  );
  await call("DELETE", `/transactions/${scheduled}`);
  await keep(
    "scheduled",
    move({ ...between, amount: 1n, options: { scheduled_for: "2099-01-01T00:00:00Z" } }),
  );
  for (const [name, options] of Object.entries(SPLITS)) {
    const destinations = [bob, carol].map((identifier) => ({ identifier, distribution: "50%" }));
    const body = { ...postedBy(alice, name), ...options, destinations };
    await keep(name, post("/transactions", body));
  }
  await commit(made["held split"] ?? "");
  for (const [name, options] of Object.entries(BATCHES)) {
    const transactions = [1, 2, 3].map((number) => ({
      ...postedBy(alice, `${name} ${number}`),
      destination: bob,
    }));
    const sent = await post("/transactions/bulk", { ...options, transactions });
    expect(sent.status, `${name}: ${writeJson(sent.body)}`).toBe(201);
  }
  const status = async (name: string) =>
    textOf(await get(`/transactions/${made[name] ?? ""}`), "status");
  await expect.poll(() => status("queued"), { timeout: 20_000 }).toBe("APPLIED");
  await expect.poll(() => status("queued split"), { timeout: 20_000 }).toBe("APPLIED");
  await expect.poll(() => status("poor"), { timeout: 20_000 }).toBe("REJECTED");
  await settledDown();
  // A list waits until D1 has what the balances told as well.
  expect((await get("/balances?limit=1")).status).toBe(200);
  return made;
}

const SPLITS = {
  split: { skip_queue: true, meta_data: { kind: "split" } },
  "queued split": {},
  "held split": { skip_queue: true, inflight: true },
};

const BATCHES = {
  batch: { skip_queue: true },
  "atomic batch": { skip_queue: true, atomic: true },
  "queued batch": {},
};

const postedBy = (source: string, name: string) => ({
  precise_amount: 10,
  precision: 100,
  currency: "USD",
  reference: unique(name.replaceAll(" ", "-")),
  description: name,
  source,
});
