import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shardOf } from "../../src/domain/ids";
import { textOf } from "../support/api";
import { type App, appOf } from "../support/app";
import { clearFaults, setFaults, WELL } from "../support/faults";
import { SHARDS, World } from "../support/world";

/** Three references in each of the two shards. */
function references(): string[] {
  const names = Array.from({ length: 60 }, (_none, n) => `h${n}`);
  const inShard = (shard: number) =>
    names.filter((name) => shardOf(world.idOf(name), SHARDS) === shard).slice(0, 3);
  return [...inShard(0), ...inShard(1)];
}

const PART = { status: "commit", precise_amount: 60, skip_queue: true };
/** What the receiver has when of each hold of a hundred that part was committed, once. */
const COMMITTED_ONCE = [360n, 0n, 240n, 0n];

let world: World;
let app: App;
let path: string;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 1_000n);
  app = appOf(world);
  const hold = {
    precise_amount: 100,
    precision: 100,
    currency: "USD",
    description: "a hold",
    source: "@card",
    destination: "@shop",
  };
  const batch = await app("POST", "/transactions/bulk", {
    body: {
      transactions: references().map((reference) => ({ ...hold, reference })),
      atomic: true,
      inflight: true,
      skip_queue: true,
    },
  });
  path = `/transactions/inflight/${textOf(batch, "batch_id")}`;
});

afterEach(() => vi.restoreAllMocks());

const commitPart = () => app("PUT", path, { body: PART, key: "k" });

describe("a commit of a part of each hold of a batch, sent again under its key,", () => {
  it("is answered as done when all of it was done and only its answer was lost", async () => {
    // The request ends before it keeps what it was answered.
    vi.spyOn(world.journal, "keepAnswer").mockRejectedValueOnce(new Error("gone"));
    expect((await commitPart()).status).toBeGreaterThanOrEqual(500);
    expect(await world.amounts("@shop")).toEqual(COMMITTED_ONCE);
    // Whoever was at it is gone.
    await abortAllDurableObjects();
    expect((await commitPart()).status).toBe(200);
    expect(await world.amounts("@shop")).toEqual(COMMITTED_ONCE);
  });

  it("commits the rest when some of it was done", async () => {
    setFaults(world.instance, {
      call: ({ method, name }) =>
        method === "journal.settle" && name.endsWith("/1") ? { kind: "lost" } : WELL,
    });
    expect((await commitPart()).status).toBeGreaterThanOrEqual(500);
    clearFaults(world.instance);
    expect(await world.amounts("@shop")).not.toEqual(COMMITTED_ONCE);
    expect((await commitPart()).status).toBe(200);
    expect(await world.amounts("@shop")).toEqual(COMMITTED_ONCE);
  });
});
