import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { consumeWebhooks } from "../../src/consumers/webhooks";
import { messageOf } from "../../src/queues/webhooks";
import { codeOf, get, textOf, wholeOf } from "../support/api";
import { batchOf } from "../support/batch";
import { eventsWith } from "../support/inbox";
import { commit, hold, move, moveNow, release, settled, unique } from "../support/ledger";
import { EVENTS_PATH, RECEIVER, type Received } from "../support/receiver";

const nameOf = ({ body }: Received): string => /"event":"([^"]+)"/.exec(body)?.[1] ?? "";
const idOf = ({ headers }: Received): string => headers["webhook-id"] ?? "";

const fromWorld = (to: string, amount: bigint, reference: string) => ({
  from: `@World-${to}`,
  to,
  amount,
  reference,
  options: { allow_overdraft: true },
});

const balanceAt = async (indicator: string): Promise<bigint> =>
  wholeOf(await get(`/balances/indicator/${indicator}/currency/USD`), "balance");

describe("W33: events on their way from the ledger to the receiver", () => {
  it("L9, L10, L14: a queued transaction is announced once it is in both balances", async () => {
    const [alice, reference] = [`@${unique("alice")}`, unique("pay-in")];
    const movement = fromWorld(alice, 700n, reference);
    const options = { ...movement.options, meta_data: { partner: "bank-7" } };
    const recorded = await move({ ...movement, options });
    expect(textOf(recorded, "status")).toBe("QUEUED");

    const [event] = await eventsWith(reference, 1);

    expect(event && nameOf(event)).toBe("transaction.applied");
    expect(event?.body).toContain(`"transaction_id":"${textOf(recorded, "transaction_id")}"`);
    expect(event?.body).toContain('"precise_amount":700,');
    expect(event?.body).toContain('"partner":"bank-7"');
    expect(await balanceAt(alice)).toBe(700n);
  });

  it("L16: a queued transaction that is refused is announced, and only once", async () => {
    const [alice, reference] = [`@${unique("alice")}`, unique("too-much")];
    const recorded = await move({ from: alice, to: "@World", amount: 1n, reference });
    const after = await settled(textOf(recorded, "transaction_id"));
    expect(textOf(after, "status")).toBe("REJECTED");

    const events = await eventsWith(reference, 1);

    expect(events.map(nameOf)).toEqual(["transaction.rejected"]);
    expect(events[0]?.body).toContain('"blnk_rejection_reason"');
  });

  it("V12: holds are announced when placed, committed and given back", async () => {
    const [alice, shop] = [`@${unique("alice")}`, `@${unique("shop")}`];
    await moveNow(fromWorld(alice, 100n, unique("fund")));
    const [paid, declined] = [unique("paid"), unique("declined")];
    const first = textOf(
      await hold({ from: alice, to: shop, amount: 60n, reference: paid }),
      "transaction_id",
    );
    const second = textOf(
      await hold({ from: alice, to: shop, amount: 40n, reference: declined }),
      "transaction_id",
    );

    await commit(first);
    await release(second);

    const ofFirst = await eventsWith(first, 2);
    const ofSecond = await eventsWith(second, 2);
    expect(ofFirst.map(nameOf).sort()).toEqual(["transaction.applied", "transaction.inflight"]);
    expect(ofSecond.map(nameOf).sort()).toEqual(["transaction.inflight", "transaction.void"]);
  });

  it("a balance made by its first transaction is announced once", async () => {
    const alice = `@${unique("alice")}`;
    await Promise.all([
      moveNow(fromWorld(alice, 1n, unique("one"))),
      moveNow(fromWorld(alice, 2n, unique("two"))),
    ]);

    const events = await eventsWith(`"indicator":"${alice}"`, 1);

    expect(events.map(nameOf)).toEqual(["balance.created"]);
  });

  it("an amount of forty digits arrives whole", async () => {
    const [alice, reference] = [`@${unique("alice")}`, unique("large")];
    const amount = 1234567890123456789012345678901234567891n;
    await moveNow(fromWorld(alice, amount, reference));

    const [event] = await eventsWith(reference, 1);

    expect(event?.body).toContain(`"precise_amount":${amount},`);
    expect(await balanceAt(alice)).toBe(amount);
  });

  it("a refused request is not announced, and its reference stays free", async () => {
    const [alice, reference] = [`@${unique("alice")}`, unique("refused")];
    const refused = await moveNow({ from: alice, to: "@World", amount: 5n, reference });
    expect(codeOf(refused)).toBe("TXN_INSUFFICIENT_FUNDS");

    await moveNow(fromWorld(alice, 5n, reference));

    const events = await eventsWith(reference, 1);
    expect(events.map(nameOf)).toEqual(["transaction.applied"]);
  });

  it("V15: every event is signed with the master key", async () => {
    const reference = unique("signed");
    await moveNow(fromWorld(`@${unique("alice")}`, 1n, reference));

    const [event] = await eventsWith(reference, 1);

    const key = new TextEncoder().encode(env.PURSER_MASTER_KEY);
    const verifier = new Webhook(key, { format: "raw" });
    expect(() => verifier.verify(event?.body ?? "", { ...event?.headers })).not.toThrow();
  });
});

describe("the queue webhooks", () => {
  it("L15: brings what a receiver refused again, under the same id", async () => {
    const id = `${unique("evt")}-refused-once`;
    const body = `{"id":"${id}","event":"ledger.created","data":{}}`;
    await env.WEBHOOKS.send(messageOf("default", { id, event: "ledger.created", body }));

    const deliveries = await eventsWith(id, 2);

    expect(deliveries.map(idOf)).toEqual([id, id]);
    expect(deliveries.map((delivery) => delivery.body)).toEqual([body, body]);
  });

  it("takes an event on to each of several receivers", async () => {
    const id = unique("evt-fan-out");
    const message = messageOf("default", {
      id,
      event: "ledger.created",
      body: `{"id":"${id}","event":"ledger.created","data":{}}`,
    });

    await consumeWebhooks(batchOf("purser-webhooks", [message]), {
      endpoints: [`${RECEIVER}/elsewhere`, `${RECEIVER}${EVENTS_PATH}`, `${RECEIVER}/third`],
      queues: [env.WEBHOOKS_1, env.WEBHOOKS_2],
      signingKey: null,
      loopback: false,
      timeoutMs: 10_000,
      bodyOf: () => Promise.resolve(null),
    });

    expect((await eventsWith(id, 1)).map(idOf)).toEqual([id]);
  });
});
