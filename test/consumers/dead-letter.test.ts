import { describe, expect, it } from "vitest";
import type { DeadLetter } from "../../src/consumers/dead-letter";
import { consumeDeadLetters } from "../../src/consumers/dead-letter";
import { batchOf, outcomeOf } from "../support/batch";

describe("the consumer of the dead-letter queues", () => {
  it("keeps every message with its queue, and is then done with it", async () => {
    const kept: DeadLetter[] = [];
    const batch = batchOf("purser-webhooks-dead", [{ instance: "default", id: "evt_1" }, "odd"]);

    await consumeDeadLetters(batch, {
      keepDeadLetters: (letters) => {
        kept.push(...letters);
        return Promise.resolve();
      },
    });

    expect(kept.map(({ at: _at, ...letter }) => letter)).toEqual([
      {
        instance: "default",
        id: "message-0",
        queue: "purser-webhooks-dead",
        body: '{"instance":"default","id":"evt_1"}',
      },
      { instance: "", id: "message-1", queue: "purser-webhooks-dead", body: '"odd"' },
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
