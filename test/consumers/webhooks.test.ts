import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { consumeWebhooks, type WebhooksContext } from "../../src/consumers/webhooks";
import { messageOf, type WebhookMessage } from "../../src/queues/webhooks";
import { batchOf, outcomeOf } from "../support/batch";
import { receivedAt } from "../support/inbox";
import { RECEIVER } from "../support/receiver";

const contextWith = (changes: Partial<WebhooksContext>): WebhooksContext => ({
  endpoints: [],
  queue: env.WEBHOOKS,
  signingKey: "key",
  loopback: false,
  timeoutMs: 10_000,
  bodyOf: () => Promise.resolve(null),
  ...changes,
});

const eventOf = (id: string): WebhookMessage =>
  messageOf("default", { id, event: "transaction.applied", body: `{"id":"${id}"}` });

const webhooksBatch = (...messages: readonly unknown[]) => batchOf("purser-webhooks", messages);

describe("the consumer of the queue webhooks", () => {
  it("brings every event of a batch to the receiver", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `evt_many_${index}`);
    const batch = webhooksBatch(...ids.map(eventOf));

    await consumeWebhooks(batch, contextWith({ endpoints: [`${RECEIVER}/consumer/many`] }));

    const received = await receivedAt("/consumer/many");
    expect(received.map(({ headers }) => headers["webhook-id"]).sort()).toEqual(ids.sort());
    expect((await outcomeOf(batch)).acked).toHaveLength(20);
  });

  it("tries again, later, what the receiver did not take, and only that", async () => {
    const refusing = `${RECEIVER}/consumer/refusing?first=503`;
    const batch = webhooksBatch(eventOf("evt_a"), eventOf("evt_b"), eventOf("evt_c"));

    await consumeWebhooks(batch, contextWith({ endpoints: [refusing] }));

    const { acked, retried } = await outcomeOf(batch);
    expect(acked).toHaveLength(2);
    expect(retried).toHaveLength(1);
    expect(await receivedAt("/consumer/refusing")).toHaveLength(3);
  });

  it("has nothing to do when no receiver is configured any more", async () => {
    const batch = webhooksBatch(eventOf("evt_a"), {
      ...eventOf("evt_b"),
      endpoint: `${RECEIVER}/consumer/removed`,
    });

    await consumeWebhooks(batch, contextWith({}));

    expect((await outcomeOf(batch)).acked).toEqual(["message-0", "message-1"]);
    expect(await receivedAt("/consumer/removed")).toHaveLength(0);
  });

  it("sends an event for several receivers on as a message each, and itself to none", async () => {
    const endpoints = [`${RECEIVER}/consumer/fan-1`, `${RECEIVER}/consumer/fan-2`];
    const batch = webhooksBatch(eventOf("evt_fan"));

    await consumeWebhooks(batch, contextWith({ endpoints }));

    expect((await outcomeOf(batch)).acked).toEqual(["message-0"]);
    expect(await receivedAt("/consumer/fan-1")).toHaveLength(0);
    expect(await receivedAt("/consumer/fan-2")).toHaveLength(0);
  });

  it("delivers a message that was sent on to its own receiver alone", async () => {
    const endpoints = [`${RECEIVER}/consumer/own-1`, `${RECEIVER}/consumer/own-2`];
    const batch = webhooksBatch({ ...eventOf("evt_own"), endpoint: endpoints[1] });

    await consumeWebhooks(batch, contextWith({ endpoints }));

    expect(await receivedAt("/consumer/own-1")).toHaveLength(0);
    expect(await receivedAt("/consumer/own-2")).toHaveLength(1);
  });

  it("makes the body of an event anew that was too long for its message", async () => {
    const body = JSON.stringify({
      id: "evt_long",
      event: "ledger.created",
      data: { ledger_id: "ldg_1", meta_data: { text: "long ".repeat(30_000) } },
    });
    const message = messageOf("default", { id: "evt_long", event: "ledger.created", body });
    const batch = webhooksBatch(message);
    const asked: WebhookMessage[] = [];

    await consumeWebhooks(
      batch,
      contextWith({
        endpoints: [`${RECEIVER}/consumer/long`],
        bodyOf: (event) => {
          asked.push(event);
          return Promise.resolve(body);
        },
      }),
    );

    expect(asked).toEqual([message]);
    expect(message.content).toEqual({ kind: "record", record: "ledger", recordId: "ldg_1" });
    const [received] = await receivedAt("/consumer/long");
    expect(received?.body).toBe(body);
  });

  it("tries again while the record of an event is not found", async () => {
    const batch = webhooksBatch({
      ...eventOf("evt_early"),
      content: { kind: "record", record: "ledger", recordId: "ldg_2" },
    });

    await consumeWebhooks(batch, contextWith({ endpoints: [`${RECEIVER}/consumer/early`] }));

    expect((await outcomeOf(batch)).retried).toEqual(["message-0"]);
  });

  it("leaves what it does not understand to the dead-letter queue", async () => {
    const batch = webhooksBatch({ event: "ledger.created" });

    await consumeWebhooks(batch, contextWith({ endpoints: [`${RECEIVER}/consumer/odd`] }));

    expect((await outcomeOf(batch)).retried).toEqual(["message-0"]);
    expect(await receivedAt("/consumer/odd")).toHaveLength(0);
  });
});
