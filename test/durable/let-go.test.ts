import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Records } from "../../src/durable/journal/records";
import { textOf } from "../support/api";
import { appOf } from "../support/app";
import { audit } from "../support/audit";
import { clearFaults, passedSteps, setFaults, WELL } from "../support/faults";
import { Moment } from "../support/moment";
import { World } from "../support/world";

let world: World;
/** The shards' rows in memory, of those that kept any since the test began. */
const kept = new Set<Records>();
const inMemory = (): string[] =>
  [...kept].flatMap((records) => [...records.live].map(({ posting }) => posting.reference));

beforeEach(async () => {
  kept.clear();
  const keep = Records.prototype.keep;
  vi.spyOn(Records.prototype, "keep").mockImplementation(function (this: Records, row) {
    kept.add(this);
    keep.call(this, row);
  });
  world = new World("let-go", 1);
  await world.fund("@alice", 100n);
  expect(await world.journal.barrier()).toBe(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a shard lets go of what is settled:", () => {
  it("of a record that D1 had before its drive was over", async () => {
    const opened = new Moment();
    setFaults(world.instance, {
      step: (step) => (step === "drive:refused" ? opened.came() : undefined),
      call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
    });
    const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n };
    await world.post({ ...transfer, skipQueue: false });
    const cancelled = world.journal.cancel(world.idOf("t"));
    await expect.poll(async () => (await world.read("t"))?.status).toBe("REJECTED");
    expect(await world.journal.barrier()).toBe(true);
    expect(inMemory()).toEqual(["t"]);
    opened.comes();
    expect(await cancelled).toMatchObject({ ok: true });
    expect(inMemory()).toEqual([]);
  });

  it("of a queued split that was cancelled", async () => {
    const sent = await appOf(world)("POST", "/transactions", {
      body: {
        precise_amount: 60,
        precision: 100,
        currency: "USD",
        reference: "s",
        description: "a split",
        source: "@alice",
        scheduled_for: "2131-01-01T00:00:00+00:00",
        destinations: [
          { identifier: "@bob", distribution: "50%" },
          { identifier: "@carl", distribution: "left" },
        ],
      },
    });
    expect(textOf(sent, "transaction_id")).toBe(world.idOf("s"));
    expect(await world.journal.barrier()).toBe(true);
    expect(inMemory()).toEqual([]);
    expect(await world.journal.cancel(world.idOf("s"))).toMatchObject({ ok: true });
    await expect
      .poll(async () => {
        await world.journal.barrier();
        return inMemory();
      })
      .toEqual([]);
    expect((await world.read("s"))?.status).toBe("REJECTED");
  });

  it("once: what comes later is not written over with what it was", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const rounds = [0, 1].map(() => ({ begun: new Moment(), goesOn: new Moment() }));
    const waiting = [...rounds];
    setFaults(world.instance, {
      step: (step) => {
        const round = step === "flush:projected" ? waiting.shift() : undefined;
        round?.begun.comes();
        return round?.goesOn.came();
      },
    });
    await world.post({ reference: "t", from: "@alice", to: "@bob", amount: 60n });
    await rounds[0]?.begun.came();
    // The alarm finds work left, and asks for another round.
    vi.setSystemTime(Date.now() + 11_000);
    await world.ring();
    rounds[0]?.goesOn.comes();
    await rounds[1]?.begun.came();
    const merged = await world.journal.mergeMetaData(world.idOf("t"), '{"note":"later"}');
    expect(merged).toBe("merged");
    setFaults(world.instance, {
      call: ({ method }) => (method === "d1.batch" ? { kind: "lost" } : WELL),
    });
    rounds[1]?.goesOn.comes();
    await expect.poll(() => passedSteps(world.instance)).toContain("flush:settled");
    await abortAllDurableObjects();
    clearFaults(world.instance);
    await world.ring();
    expect(await world.journal.barrier()).toBe(true);

    const { shown, projected } = await audit(world);
    const later = shown.get(world.idOf("t"));
    expect(later).toMatchObject({ status: "APPLIED", metaData: '{"note":"later"}' });
    expect(projected.get(world.idOf("t"))).toEqual(later);
  });
});
