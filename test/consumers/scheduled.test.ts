import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runScheduled } from "../../src/consumers/scheduled";
import worker from "../../src/index";
import { eventsWith } from "../support/inbox";
import { unique } from "../support/ledger";

const everyMinute = (): void | Promise<void> => worker.scheduled(createScheduledController(), env);

async function unsentEvents(): Promise<number | null> {
  return env.DB.prepare("SELECT count(*) AS n FROM outbox WHERE sent = 0").first<number>("n");
}

describe("the run of every minute", () => {
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
      audits: [
        { name: "default", findings: () => Promise.reject(new Error("D1 is down")) },
        {
          name: "other",
          findings: () => {
            done.push("audit");
            return Promise.resolve([]);
          },
        },
      ],
    });

    await expect(run).rejects.toThrow("2 of 6 parts failed");
    expect(done).toEqual(["default/0", "default/1", "default/2", "outbox", "audit"]);
  });

  it("sends events that were stored but never sent, and then no more", async () => {
    const id = unique("evt-left-behind");
    const body = `{"id":"${id}","event":"ledger.created","data":{}}`;
    await env.DB.prepare(
      "INSERT INTO outbox (instance_id, event_id, event, body, created_at) VALUES ('default', ?, 'ledger.created', ?, '2026-11-21T10:00:00.000000Z')",
    )
      .bind(id, body)
      .run();

    await everyMinute();

    expect((await eventsWith(id, 1)).map((event) => event.body)).toEqual([body]);
    expect(await unsentEvents()).toBe(0);
    await everyMinute();
    expect(await eventsWith(id, 1)).toHaveLength(1);
  });
});
