import { expect, it } from "vitest";
import { runScheduled } from "../../src/consumers/scheduled";

it("wakes every shard and sweeps the outbox, whatever fails among them", async () => {
  const done: string[] = [];
  const shard = (name: string, fails: boolean) => ({
    name,
    touch: () => {
      done.push(name);
      return fails ? Promise.reject(new Error("reset")) : Promise.resolve();
    },
  });

  const run = runScheduled({
    shards: [shard("default/0", false), shard("default/1", true), shard("default/2", false)],
    sweepOutbox: () => {
      done.push("outbox");
      return Promise.resolve();
    },
  });

  await expect(run).rejects.toThrow("1 of 4 parts failed");
  expect(done).toEqual(["default/0", "default/1", "default/2", "outbox"]);
});
