import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ask, startServer, type TestServer } from "../support/server.ts";

const WALLETS = 6;
const FUNDED = 1_000_000n;
const BATCHED = 4_000;
/** The time within which everything that was accepted must be in its balances again. */
const RECOVERED_MS = 30_000;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

/** One request; null when no answer came, which says nothing about what happened. */
const tryAsk = (method: string, path: string, body?: object) =>
  ask(server, path, { method, body }).catch(() => null);

async function mustAsk(method: string, path: string, body?: object) {
  const answer = await tryAsk(method, path, body);
  if (answer === null || answer.status >= 300) throw new Error(`${path}: ${answer?.status}`);
  return answer.body;
}

interface Transfer {
  readonly reference: string;
  readonly source: string;
  readonly destination: string;
  readonly minor: bigint;
}

function transferBody({ reference, source, destination, minor }: Transfer, skipQueue: boolean) {
  return {
    precise_amount: Number(minor),
    precision: 100,
    currency: "USD",
    description: "a transfer under fire",
    reference,
    source,
    destination,
    skip_queue: skipQueue,
    allow_overdraft: source.startsWith("@"),
  };
}

/** Makes a ledger with funded wallets. */
async function fundedWallets(world: string): Promise<string[]> {
  const ledger = await mustAsk("POST", "/ledgers", { name: "Under fire" });
  const ids: string[] = [];
  for (let index = 0; index < WALLETS; index += 1) {
    const wallet = { ledger_id: ledger.ledger_id, currency: "USD" };
    const { balance_id: id } = await mustAsk("POST", "/balances", wallet);
    const funds = { reference: `${world}-${index}`, source: world, destination: id, minor: FUNDED };
    await mustAsk("POST", "/transactions", transferBody(funds, true));
    ids.push(id);
  }
  return ids;
}

/** Sends transfers on both paths until told to stop; notes the references that were accepted. */
function load(wallets: readonly string[], prefix: string) {
  const accepted = new Map<string, Transfer>();
  let running = true;
  let sequence = 0;
  const client = async () => {
    while (running) {
      const number = sequence++;
      const source = wallets[number % WALLETS] ?? "";
      const destination = wallets[(number * 5 + 1) % WALLETS] ?? "";
      if (source === destination) continue;
      const minor = BigInt(1 + (number % 97));
      const transfer = { reference: `${prefix}-${number}`, source, destination, minor };
      const answer = await tryAsk(
        "POST",
        "/transactions",
        transferBody(transfer, number % 2 === 0),
      );
      if (answer?.status === 201) accepted.set(transfer.reference, transfer);
    }
  };
  const ended = Promise.all(Array.from({ length: 8 }, client));
  return {
    accepted,
    stop: async () => {
      running = false;
      await ended;
    },
  };
}

it("loses nothing that it answered when it is killed under load, and goes on by itself", async () => {
  const world = "@UnderFire";
  const wallets = await fundedWallets(world);
  const fire = load(wallets, "fire");
  await vi.waitFor(() => expect(fire.accepted.size).toBeGreaterThan(150), { timeout: 60_000 });
  await server.crash();
  await fire.stop();
  await server.restart();
  const restartedMs = Date.now();

  // Every accepted transfer has moved, whichever path it took.
  const left = new Set(fire.accepted.keys());
  await vi.waitFor(
    async () => {
      for (const reference of [...left].slice(0, 50)) {
        const answer = await tryAsk("GET", `/transactions/reference/${reference}`);
        if (answer?.body.status === "APPLIED") left.delete(reference);
      }
      expect([...left]).toEqual([]);
    },
    { timeout: RECOVERED_MS, interval: 100 },
  );
  expect(Date.now() - restartedMs).toBeLessThan(RECOVERED_MS);

  // The whole ledger sums to zero, nothing is held, and the records say what the balances say.
  const listed = await transactionsOf(wallets);
  const expected = new Map(wallets.map((id) => [id, 0n]));
  for (const row of listed) {
    const minor = BigInt(row.precise_amount);
    if (expected.has(row.source)) {
      expected.set(row.source, (expected.get(row.source) ?? 0n) - minor);
    }
    if (expected.has(row.destination)) {
      expected.set(row.destination, (expected.get(row.destination) ?? 0n) + minor);
    }
  }
  let sum = BigInt((await mustAsk("GET", `/balances/indicator/${world}/currency/USD`)).balance);
  for (const id of wallets) {
    const balance = await mustAsk("GET", `/balances/${id}`);
    expect(BigInt(balance.balance), id).toBe(expected.get(id));
    expect(balance.inflight_balance).toBe(0);
    sum += BigInt(balance.balance);
  }
  expect(sum).toBe(0n);
  const references = new Set(listed.map(({ reference }) => reference));
  expect(references.size, "no reference twice").toBe(listed.length);
  expect([...fire.accepted.keys()].filter((reference) => !references.has(reference))).toEqual([]);
});

it("carries a batch to its end that was under way in the background when it was killed", async () => {
  const [source = "", destination = ""] = await fundedWallets("@Batched");
  const transactions = Array.from({ length: BATCHED }, (_none, number) =>
    transferBody({ reference: `batched-${number}`, source, destination, minor: 1n }, true),
  );
  const body = { transactions, run_async: true, skip_queue: true };
  const { batch_id: id } = await mustAsk("POST", "/transactions/bulk", body);
  const read = () => mustAsk("GET", `/transactions/bulk/${id}`);
  const before = await vi.waitFor(async () => {
    const { processed } = await read();
    expect(processed).toBeGreaterThan(0);
    return processed;
  }, 30_000);
  expect(before).toBeLessThan(BATCHED);
  await server.crashAndRestart();

  const batch = await vi.waitFor(
    async () => {
      const now = await read();
      expect(now.status).toBe("applied");
      return now;
    },
    { timeout: RECOVERED_MS, interval: 200 },
  );
  expect(batch.processed).toBe(BATCHED);
  const statuses = new Set(batch.results.map((result: { status: string }) => result.status));
  expect([...statuses]).toEqual(["APPLIED"]);
  const { balance } = await mustAsk("GET", `/balances/${destination}`);
  expect(BigInt(balance)).toBe(FUNDED + BigInt(BATCHED));
});

interface Row {
  readonly reference: string;
  readonly source: string;
  readonly destination: string;
  readonly precise_amount: number;
  readonly status: string;
}

/** Every APPLIED record of the currency, page by page. */
async function transactionsOf(wallets: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (let offset = 0; ; offset += 100) {
    const page: Row[] = await mustAsk("POST", "/transactions/filter", {
      filters: [{ field: "currency", operator: "eq", value: "USD" }],
      sort_by: "created_at",
      sort_order: "asc",
      limit: 100,
      offset,
    });
    rows.push(...page);
    if (page.length < 100) break;
  }
  expect(rows.filter(({ status }) => status !== "APPLIED")).toEqual([]);
  return rows.filter(
    ({ source, destination }) => wallets.includes(source) || wallets.includes(destination),
  );
}
