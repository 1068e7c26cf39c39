import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { audit, workLeft } from "../support/audit";
import {
  type Call,
  clearFaults,
  die,
  type Fate,
  lateCalls,
  setFaults,
  WELL,
} from "../support/faults";
import { Moment } from "../support/moment";
import { expectD1, sentEvents } from "../support/rest";
import { World } from "../support/world";

/*
 * Races that the protocol was made for, each set up by hand: a rule that is taken away shows here, and not only in some
 * of many random histories.
 */

let world: World;
beforeEach(() => {
  world = new World("race");
});

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n } as const;

/** The first call that fits has a fate, all others go well. */
function onlyFirst(fits: (call: Call) => boolean, fate: Fate): (call: Call) => Fate {
  let left = 1;
  return (call) => {
    if (left === 0 || !fits(call)) return WELL;
    left -= 1;
    return fate;
  };
}

const objectOf = (indicator: string): string => world.balance(indicator).id.name ?? "";

const toBalance =
  (indicator: string) =>
  ({ method, name }: Call): boolean =>
    method === "balance.execute" && name === objectOf(indicator);

describe("a debit that was given up and is still on its way", () => {
  it("goes on when it arrived before its refusal could be made certain", async () => {
    const [late, inDoubt, certain] = [new Moment(), new Moment(), new Moment()];
    await world.fund("@alice", 1n);
    setFaults(world.instance, {
      call: onlyFirst(toBalance("@alice"), { kind: "late", until: () => late.came() }),
      step: (step) => {
        if (step !== "drive:refused-in-doubt") return undefined;
        inDoubt.comes();
        return certain.came();
      },
    });
    const answer = world.post(transfer);
    await inDoubt.came();
    await world.fund("@alice", 99n);
    late.comes();
    await expect.poll(() => world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
    certain.comes();
    expect(await answer).toMatchObject({ ok: true, value: { status: "APPLIED" } });
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });

  it("refuses a queued one for good, whatever the shard goes through meanwhile", async () => {
    const late = new Moment();
    await world.fund("@alice", 1n);
    setFaults(world.instance, {
      call: onlyFirst(toBalance("@alice"), { kind: "late", until: () => late.came() }),
    });
    await world.post({ ...transfer, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect((await world.read("t"))?.status).toBe("REJECTED");
    await world.fund("@alice", 99n);
    late.comes();
    await expect.poll(() => lateCalls(world.instance)).toBe(0);
    expect((await world.read("t"))?.status).toBe("REJECTED");
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });
});

describe("a debit of a shard that died", () => {
  it("is refused for good before the next life tells of a refusal", async () => {
    await world.fund("@alice", 1n);
    const [late, held] = [new Moment(), new Moment()];
    let isFirst = true;
    let isDeadly = true;
    let carriedOut = 0;
    // The call outlives the shard that made it: it is held up inside the balance, and the shard dies of its alarm.
    setFaults(world.instance, {
      step: (step, victim) => {
        if (step === "alarm:begun" && isDeadly) return die(victim, step, true);
        if (victim.name !== objectOf("@alice")) return undefined;
        if (step === "execute:committed") carriedOut += 1;
        if (step !== "execute:received" || !isFirst) return undefined;
        isFirst = false;
        held.comes();
        return late.came();
      },
    });
    const answer = world.post(transfer);
    await held.came();
    await world.ring();
    isDeadly = false;
    expect(await answer).toMatchObject({ error: { code: "TXN_INSUFFICIENT_FUNDS" } });
    await world.fund("@alice", 99n);
    const before = carriedOut;
    late.comes();
    await expect.poll(() => carriedOut).toBe(before + 1);
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
    expect(await world.read("t")).toBe(null);
  });
});

describe("a batch for D1 that arrives late", () => {
  it("does not take a record or a balance back", async () => {
    await world.fund("@alice", 100n);
    await world.journal.barrier();
    const late = new Moment();
    setFaults(world.instance, {
      call: onlyFirst(({ method }) => method === "d1.batch", {
        kind: "late",
        until: () => late.came(),
      }),
    });
    await world.post({ ...transfer, inflight: true, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    await world.commit("t", 20n);
    await world.journal.mergeMetaData(world.idOf("t"), '{"a":1}');
    await expect.poll(() => world.journal.barrier(), { timeout: 20_000 }).toBe(true);
    late.comes();
    await expect.poll(() => lateCalls(world.instance)).toBe(0);
    expectD1(await audit(world));
  });
});

describe("a QUEUED record", () => {
  it("that was sent stays on the list until it is at its end", async () => {
    await world.fund("@alice", 100n);
    setFaults(world.instance, {
      call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
    });
    await world.post({ ...transfer, skipQueue: false });
    await world.journal.barrier();
    expect(await workLeft(world)).toBe(1);
    await abortAllDurableObjects();
    clearFaults(world.instance);
    await Promise.all(world.shards().map((shard) => shard.touch()));
    await world.ring();
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });
});

describe("a round that fails", () => {
  it("is tried again with fewer records, and nothing is lost or told of twice by another id", async () => {
    let left = 4;
    setFaults(world.instance, {
      call: ({ method }) => {
        if (method !== "d1.batch" || left === 0) return WELL;
        left -= 1;
        return { kind: "reply-lost" };
      },
    });
    await Promise.all(
      Array.from({ length: 30 }, (_none, n) => world.fund(`@somebody-${n % 7}`, 1n)),
    );
    await expect.poll(() => world.journal.barrier(), { timeout: 30_000 }).toBe(true);
    expectD1(await audit(world));
    expect(new Set(sentEvents(world).map(({ id }) => id)).size).toBe(30 + 8);
    expect(await workLeft(world)).toBe(0);
  });
});
