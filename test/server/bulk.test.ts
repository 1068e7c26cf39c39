import { afterAll, beforeAll, expect, it } from "vitest";
import { ask, startServer, type TestServer } from "../support/server.ts";

const ITEMS = 10_000;
const POLL_EVERY_MS = 200;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

/** As many payments from one balance as a call may hold, to a hundred others. */
const batchOf = (name: string) => ({
  transactions: Array.from({ length: ITEMS }, (_none, n) => ({
    precise_amount: 1,
    precision: 100,
    currency: "USD",
    reference: `${name}-${n}`,
    description: "a payment of many",
    source: `@payer-${name}`,
    destination: `@payee-${name}-${n % 100}`,
    allow_overdraft: true,
  })),
});

/** Looks at the payer until every payment has left it; every look must be answered. */
async function untilPaid(name: string, sent: () => boolean): Promise<number> {
  for (let looks = 1; ; looks += 1) {
    const { status, body } = await ask(server, `/balances/indicator/@payer-${name}/currency/USD`);
    expect([200, 404]).toContain(status);
    if (sent() && status === 200 && body.debit_balance === ITEMS) return looks;
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
  }
}

it("stays up under a bulk call of 10,000 with somebody looking on, and its books are right", async () => {
  let answered = false;
  const looking = untilPaid("many", () => answered);
  const { status, body } = await ask(server, "/transactions/bulk", {
    body: batchOf("many"),
  });
  answered = true;

  expect(status, JSON.stringify(body).slice(0, 300)).toBe(201);
  expect(body.transaction_count).toBe(ITEMS);
  expect(await looking).toBeGreaterThan(1);

  let cursor = "";
  do {
    const { status, body } = await ask(server, `/integrity${cursor}`);
    expect(status).toBe(200);
    expect(body.findings).toEqual([]);
    cursor = body.next_cursor === null ? "" : `?cursor=${encodeURIComponent(body.next_cursor)}`;
  } while (cursor !== "");
});
