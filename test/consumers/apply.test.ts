import { describe, expect, it } from "vitest";
import { consumeApply } from "../../src/consumers/apply";
import { type TransactionId, transactionIdOf } from "../../src/domain/ids";
import { batchOf, outcomeOf } from "../support/batch";

const id = (reference: string): TransactionId => transactionIdOf("default", reference);

const applyBatch = (...bodies: readonly unknown[]) => batchOf("purser-apply", bodies);

/** What the shards were asked, one line a call. */
function shards(broken: readonly number[] = []) {
  const calls: string[] = [];
  return {
    calls,
    applyMany(instance: string, shard: number, ids: readonly TransactionId[]): Promise<void> {
      calls.push(`${instance}/${shard}: ${ids.join(" ")}`);
      return broken.includes(shard) ? Promise.reject(new Error("overloaded")) : Promise.resolve();
    },
  };
}

describe("the consumer of the queue apply", () => {
  it("asks each shard once for everything in the batch, each transaction once", async () => {
    const batch = applyBatch(
      { instance: "default", shard: 1, ids: [id("a"), id("b")] },
      { instance: "default", shard: 2, ids: [id("c")] },
      { instance: "default", shard: 1, ids: [id("b"), id("d")] },
      { instance: "other", shard: 1, ids: [id("e")] },
    );
    const context = shards();

    await consumeApply(batch, context);

    expect(context.calls.sort()).toEqual([
      `default/1: ${id("a")} ${id("b")} ${id("d")}`,
      `default/2: ${id("c")}`,
      `other/1: ${id("e")}`,
    ]);
    expect((await outcomeOf(batch)).acked).toEqual([
      "message-0",
      "message-1",
      "message-2",
      "message-3",
    ]);
  });

  it("tries again what a shard could not take, and only that", async () => {
    const batch = applyBatch(
      { instance: "default", shard: 1, ids: [id("a")] },
      { instance: "default", shard: 2, ids: [id("b")] },
      { instance: "default", shard: 2, ids: [id("c")] },
    );

    await consumeApply(batch, shards([2]));

    expect(await outcomeOf(batch)).toEqual({
      acked: ["message-0"],
      retried: ["message-1", "message-2"],
    });
  });

  it.each([
    ["no object", "apply"],
    ["an id of another kind", { instance: "default", shard: 1, ids: ["bln_1"] }],
    ["no ids", { instance: "default", shard: 1, ids: [] }],
    ["no instance", { shard: 1, ids: [id("a")] }],
  ])("leaves a message with %s to the dead-letter queue", async (_what, body) => {
    const batch = applyBatch(body, { instance: "default", shard: 1, ids: [id("a")] });
    const context = shards();

    await consumeApply(batch, context);

    expect(context.calls).toEqual([`default/1: ${id("a")}`]);
    expect((await outcomeOf(batch)).retried).toEqual(["message-0"]);
  });
});
