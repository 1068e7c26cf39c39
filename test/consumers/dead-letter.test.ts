import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { consumeDeadLetters } from "../../src/consumers/dead-letter";
import { keepLetters } from "../../src/storage/dead-letters";
import { batchOf, outcomeOf } from "../support/batch";

describe("the consumer of the dead-letter queues", () => {
  it("keeps every message once, with its queue, and is then done with it", async () => {
    const batch = batchOf("purser-webhooks-dead", [{ instance: "default", id: "evt_1" }, "odd"]);
    const context = {
      keepDeadLetters: (letters: Parameters<typeof keepLetters>[1]) => keepLetters(env.DB, letters),
    };

    await consumeDeadLetters(batch, context);
    await consumeDeadLetters(batch, context);

    const { results } = await env.DB.prepare(
      "SELECT instance_id, message_id, queue, body FROM dead_letters ORDER BY message_id",
    ).all();
    expect(results).toEqual([
      {
        instance_id: "default",
        message_id: "message-0",
        queue: "purser-webhooks-dead",
        body: '{"instance":"default","id":"evt_1"}',
      },
      { instance_id: "", message_id: "message-1", queue: "purser-webhooks-dead", body: '"odd"' },
    ]);
    expect((await outcomeOf(batch)).acked).toEqual(["message-0", "message-1"]);
  });

  it("is not done with messages that could not be kept", async () => {
    const batch = batchOf("purser-apply-dead", [{}]);

    const consumed = consumeDeadLetters(batch, {
      keepDeadLetters: () => Promise.reject(new Error("D1 is away")),
    });

    await expect(consumed).rejects.toThrow("D1 is away");
    expect((await outcomeOf(batch)).acked).toEqual([]);
  });
});
