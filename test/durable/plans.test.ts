import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import { JournalClient } from "../../src/durable/journal/client";
import type { SettleQuestion, Survey, SurveyQuestion } from "../../src/durable/journal/protocol";
import { previewSettle } from "../../src/services/transactions/preview-follow-up";
import { contextOf } from "../support/context";
import { setFaults } from "../support/faults";
import { Moment } from "../support/moment";
import { SHARDS, World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 100n);
});

/** Queued, and swallowed by the queue: it is applied when a test says so. */
const hold = {
  reference: "h",
  from: "@card",
  to: "@shop",
  amount: 70n,
  inflight: true,
  skipQueue: false,
} as const;

const apply = () => world.shardOf("h").applyMany({ ids: [world.idOf("h")] });

const commit = (): SettleQuestion => ({
  transactionId: world.idOf("h"),
  action: "commit",
  amount: null,
  skipQueue: true,
});

/** A journal whose hold is applied between the plan and the look at its balances. */
class Moving extends JournalClient {
  override async survey(question: SurveyQuestion): Promise<Survey> {
    await apply();
    return super.survey(question);
  }
}

describe("a plan to settle a hold", () => {
  it("waits while the hold is on its way: one of its balances has it already", async () => {
    const opened = new Moment();
    const shop = indicatorBalanceId(world.instance, "@shop", "USD");
    setFaults(world.instance, {
      call: ({ method, name }) => {
        if (method === "apply.sendBatch") return { kind: "swallowed" };
        return method === "balance.execute" && name.endsWith(shop)
          ? { kind: "slow", until: () => opened.came() }
          : { kind: "well" };
      },
    });
    await world.post(hold);
    const shard = world.shardOf("h");
    const applied = shard.applyMany({ ids: [world.idOf("h")] });
    await expect.poll(() => world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
    const plan = shard.planSettle(commit());
    // Calls of one stub arrive in order: by now the plan was asked for.
    await shard.claimKey({ key: "other", fingerprint: "", fromClient: true });
    opened.comes();
    await applied;
    expect(await plan).toMatchObject({
      ok: true,
      value: { waiting: [], moves: [{ transaction: { status: "INFLIGHT" }, amount: 70n }] },
    });
  });

  it("is made anew when the hold was applied before its balances were read", async () => {
    setFaults(world.instance, {
      call: ({ method }) => ({ kind: method === "apply.sendBatch" ? "swallowed" : "well" }),
    });
    await world.post(hold);
    const { instance } = world;
    const parts = { instance, shards: SHARDS, journal: env.JOURNAL, balances: env.BALANCES };
    const context = { ...contextOf(world), journal: new Moving(parts) };
    const preview = await previewSettle(context, { ...commit(), amountIgnored: false });
    // Held twice, 70 would be more than the card has.
    expect(preview).toMatchObject({ ok: true, value: { refused: null } });
    expect(await world.amounts("@card")).toEqual([100n, 0n, 0n, 70n]);
  });
});
