import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  consumeWebhooks,
  deliverWebhooks,
  type WebhooksContext,
} from "../../src/consumers/webhooks";
import { messageOf, type WebhookMessage } from "../../src/queues/webhooks";
import { batchOf, outcomeOf } from "../support/batch";
import { receivedAt } from "../support/inbox";
import { RECEIVER } from "../support/receiver";

const contextWith = (changes: Partial<WebhooksContext>): WebhooksContext => ({
  endpoints: [],
  queues: [env.WEBHOOKS_1, env.WEBHOOKS_2],
  signingKey: "key",
  loopback: false,
  timeoutMs: 10_000,
  bodyOf: () => Promise.resolve(null),
  ...changes,
});

const eventOf = (id: string): WebhookMessage =>
  messageOf("default", { id, event: "transaction.applied", body: `{"id":"${id}"}` });

const webhooksBatch = (...messages: readonly unknown[]) => batchOf("purser-webhooks", messages);
const ownBatch = (...messages: readonly unknown[]) => batchOf("purser-webhooks-1", messages);

/** A queue that keeps what it is sent. */
const queueInto = (sent: WebhookMessage[]): Queue<WebhookMessage> => ({
  ...env.WEBHOOKS,
  sendBatch: (messages) => {
    sent.push(...[...messages].map(({ body }) => body));
    return Promise.resolve({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
  },
});

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

  it("sends an event on for those alone that it is still for", async () => {
    const endpoints = [`${RECEIVER}/consumer/left-1`, `${RECEIVER}/consumer/left-2`];
    const [kept] = endpoints;
    const removed = `${RECEIVER}/consumer/left-3`;
    const batch = webhooksBatch(
      { ...eventOf("evt_kept"), endpoint: kept },
      { ...eventOf("evt_removed"), endpoint: removed },
    );
    const sent: WebhookMessage[] = [];

    await consumeWebhooks(batch, contextWith({ endpoints, queues: [queueInto(sent)] }));

    expect((await outcomeOf(batch)).acked).toEqual(["message-0", "message-1"]);
    expect(sent).toEqual([{ ...eventOf("evt_kept"), endpoint: kept }]);
  });

  it("sends each receiver's events to a queue of its own, and with few queues in turn", async () => {
    const endpoints = ["a", "b", "c"].map((name) => `${RECEIVER}/consumer/turn-${name}`);
    const batch = webhooksBatch(eventOf("evt_1"), eventOf("evt_2"));
    const sent: WebhookMessage[][] = [[], []];

    await consumeWebhooks(batch, contextWith({ endpoints, queues: sent.map(queueInto) }));

    const namesIn = (messages: readonly WebhookMessage[] = []) =>
      messages.map(({ id, endpoint = "" }) => `${id} ${endpoint.at(-1)}`);
    expect(namesIn(sent[0])).toEqual(["evt_1 a", "evt_1 c", "evt_2 a", "evt_2 c"]);
    expect(namesIn(sent[1])).toEqual(["evt_1 b", "evt_2 b"]);
  });

  it("tries again what could not be sent on", async () => {
    const endpoints = [`${RECEIVER}/consumer/full-1`, `${RECEIVER}/consumer/full-2`];
    const full = { sendBatch: () => Promise.reject(new Error("Too Many Requests")) };
    const batch = webhooksBatch(eventOf("evt_full"));

    const queues = [queueInto([]), Object.assign(queueInto([]), full)];
    await consumeWebhooks(batch, contextWith({ endpoints, queues }));

    expect(await outcomeOf(batch)).toEqual({ acked: [], retried: ["message-0"] });
  });

  it("delivers a message that was sent on to its own receiver alone", async () => {
    const endpoints = [`${RECEIVER}/consumer/own-1`, `${RECEIVER}/consumer/own-2`];
    const batch = ownBatch({ ...eventOf("evt_own"), endpoint: endpoints[1] });

    await deliverWebhooks(batch, contextWith({ endpoints }));

    expect(await receivedAt("/consumer/own-1")).toHaveLength(0);
    expect(await receivedAt("/consumer/own-2")).toHaveLength(1);
  });

  it("asks for the body of an event that was too long for its message", async () => {
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

describe("receivers that share a queue", () => {
  const many = (name: string, endpoint: string, count: number) =>
    Array.from({ length: count }, (_none, index) => ({ ...eventOf(`${name}_${index}`), endpoint }));

  it("a receiver that does not answer is asked no more in a batch, and the other has all of its events", async () => {
    const hanging = `${RECEIVER}/consumer/hanging?never`;
    const healthy = `${RECEIVER}/consumer/healthy`;
    const batch = ownBatch(...many("hang", hanging, 10), ...many("well", healthy, 10));

    const endpoints = [hanging, healthy];
    await deliverWebhooks(batch, contextWith({ endpoints, timeoutMs: 1_000 }));

    const idsOf = (from: number) => Array.from({ length: 10 }, (_, i) => `message-${from + i}`);
    const { acked, retried } = await outcomeOf(batch);
    expect(retried).toEqual(idsOf(0).sort());
    expect(acked).toEqual(idsOf(10).sort());
    expect(await receivedAt("/consumer/healthy")).toHaveLength(10);
    // Its half of six connections, once.
    expect(await receivedAt("/consumer/hanging")).toHaveLength(3);
  });

  it("a receiver that answers with a refusal is asked for each event", async () => {
    const refusing = `${RECEIVER}/consumer/all-refused?status=500`;
    const batch = ownBatch(...many("no", refusing, 10));

    await deliverWebhooks(batch, contextWith({ endpoints: [refusing] }));

    expect((await outcomeOf(batch)).retried).toHaveLength(10);
    expect(await receivedAt("/consumer/all-refused")).toHaveLength(10);
  });

  it("more receivers than connections all get theirs", async () => {
    const endpoints = Array.from(
      { length: 9 },
      (_none, index) => `${RECEIVER}/consumer/of-9-${index}`,
    );
    const batch = ownBatch(
      ...endpoints.flatMap((endpoint, index) => many(`of_${index}`, endpoint, 2)),
    );

    await deliverWebhooks(batch, contextWith({ endpoints }));

    expect((await outcomeOf(batch)).acked).toHaveLength(18);
  });
});
