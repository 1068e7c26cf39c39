import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { indicatorBalanceId } from "../../src/domain/ids";
import type { Reply } from "../../src/durable/journal/protocol";
import { audit, workLeft } from "../support/audit";
import { calledMethods, clearFaults, die, passedSteps, setFaults } from "../support/faults";
import { World } from "../support/world";

/** The status of what was answered, or the code of the refusal. */
const outcome = (reply: Reply<{ readonly status: string }>): string =>
  reply.ok ? reply.value.status : reply.error.code;

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n };

describe("a synchronous transfer", () => {
  it("is in both balances when it is answered, and names their versions", async () => {
    const world = new World();
    await world.fund("@alice", 100n);
    const answer = await world.post(transfer);
    expect(answer).toMatchObject({
      ok: true,
      value: {
        status: "APPLIED",
        sourceVersion: 3,
        destinationVersion: 2,
        inflightRemaining: null,
      },
    });
    expect(await world.amounts("@alice")).toEqual([100n, 60n, 0n, 0n]);
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });

  it("that is refused leaves nothing and frees its reference", async () => {
    const world = new World();
    expect(outcome(await world.post(transfer))).toBe("TXN_INSUFFICIENT_FUNDS");
    expect(await world.read("t")).toBe(null);
    expect((await audit(world)).rows).toEqual([]);
    await world.fund("@alice", 60n);
    expect(outcome(await world.post(transfer))).toBe("APPLIED");
    expect(await world.amounts("@alice")).toEqual([60n, 60n, 0n, 0n]);
  });

  it.each([
    ["nothing", { amount: 0n }, "TXN_VALIDATION_ERROR"],
    ["to itself", { to: "@alice" }, "TXN_VALIDATION_ERROR"],
    [
      "to a balance that nobody made",
      { to: "bln_00000000-0000-4000-8000-000000000000" },
      "TXN_NOT_FOUND",
    ],
    [
      "from a balance that nobody made",
      { from: "bln_00000000-0000-4000-8000-000000000000" },
      "TXN_NOT_FOUND",
    ],
    ["to what is no balance id", { to: "bln_nowhere" }, "TXN_NOT_FOUND"],
  ])(
    "of or %s is refused, and a queued one is REJECTED and says why",
    async (_what, change, code) => {
      const world = new World();
      await world.fund("@alice", 100n);
      expect(outcome(await world.post({ ...transfer, ...change }))).toBe(code);
      expect(outcome(await world.post({ ...transfer, ...change, skipQueue: false }))).toBe(
        "QUEUED",
      );
      await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
      const rejected = await world.read("t");
      expect(rejected?.status).toBe("REJECTED");
      expect(rejected?.rejectionReason).not.toBe("");
      expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
    },
  );

  it("between balances of other currencies is refused, on either side", async () => {
    const world = new World();
    await world.fund("@alice", 100n);
    const euros = { ...transfer, from: "@world", to: "@carl", currency: "EUR" };
    await world.post({ ...euros, reference: "euros" });
    const inEuros = indicatorBalanceId(world.instance, "@carl", "EUR");
    const inDollars = indicatorBalanceId(world.instance, "@alice", "USD");
    expect(outcome(await world.post({ ...transfer, to: inEuros }))).toBe("TXN_VALIDATION_ERROR");
    const fromDollars = { ...transfer, from: inDollars, to: "@carl", currency: "EUR" };
    expect(outcome(await world.post(fromDollars))).toBe("TXN_VALIDATION_ERROR");
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });
});

describe("a queued transfer", () => {
  it("is QUEUED at once, and APPLIED when the queue has brought it", async () => {
    const world = new World();
    await world.fund("@alice", 100n);
    expect(outcome(await world.post({ ...transfer, skipQueue: false }))).toBe("QUEUED");
    await expect
      .poll(async () => (await world.read("t"))?.status, { timeout: 20_000 })
      .toBe("APPLIED");
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });

  it("that is applied twice moves its money once", async () => {
    const world = new World();
    await world.fund("@alice", 200n);
    await world.post({ ...transfer, skipQueue: false });
    const apply = () => world.shardOf("t").applyMany({ ids: [world.idOf("t"), world.idOf("t")] });
    await Promise.all([apply(), apply()]);
    await apply();
    expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
  });

  it("stays REJECTED once it was, and keeps its reference", async () => {
    const world = new World();
    await world.post({ ...transfer, skipQueue: false });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect((await world.read("t"))?.status).toBe("REJECTED");
    await world.fund("@alice", 100n);
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    await abortAllDurableObjects();
    await world.ring();
    expect((await world.read("t"))?.status).toBe("REJECTED");
    expect(outcome(await world.post(transfer))).toBe("TXN_DUPLICATE_REFERENCE");
  });

  it("of an id that nobody has is no trouble", async () => {
    const world = new World();
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect((await audit(world)).rows).toEqual([]);
  });
});

describe("a reference", () => {
  it.each([
    ["both at once", true, true],
    ["both queued", false, false],
    ["one queued, one not", false, true],
    ["one not, one queued", true, false],
  ])("moves money once: %s", async (_how, first, second) => {
    const world = new World();
    await world.fund("@alice", 200n);
    const answers = await Promise.all([
      world.post({ ...transfer, skipQueue: first }),
      world.post({ ...transfer, skipQueue: second, amount: 61n }),
    ]);
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      error: {
        code: "TXN_DUPLICATE_REFERENCE",
        details: { transaction_id: world.idOf("t") },
      },
    });
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    const moved = (await world.read("t"))?.preciseAmount ?? 0n;
    expect(await world.amounts("@bob")).toEqual([moved, 0n, 0n, 0n]);
  });

  it("that is refused while another waits for it is tried by that other", async () => {
    const world = new World();
    await world.fund("@alice", 50n);
    const answers = await Promise.all([
      world.post(transfer),
      world.post({ ...transfer, amount: 50n }),
      world.post({ ...transfer, amount: 70n }),
    ]);
    const [applied, ...refused] = answers.map(outcome).sort();
    expect(applied).toBe("APPLIED");
    const refusals = ["TXN_INSUFFICIENT_FUNDS", "TXN_DUPLICATE_REFERENCE"];
    for (const code of refused) expect(refusals).toContain(code);
    expect(await world.amounts("@alice")).toEqual([50n, 50n, 0n, 0n]);
  });

  it("that was freed has other operations: what an earlier life of it sent never counts for it", async () => {
    const world = new World();
    const ops: string[] = [];
    await world.post(transfer);
    await world.fund("@alice", 100n);
    await world.post({ ...transfer, amount: 70n });
    const alice = (await audit(world)).balances.get(
      indicatorBalanceId(world.instance, "@alice", "USD"),
    );
    for (const { op, side } of alice?.entries ?? []) if (side === "source") ops.push(op);
    expect(ops).toHaveLength(1);
    expect(await world.amounts("@bob")).toEqual([70n, 0n, 0n, 0n]);
  });
});

describe("who cancels what is on its way", () => {
  it.each([
    ["TXN_NOT_FOUND", 59n],
    ["GEN_CONFLICT", 60n],
  ])("waits for its outcome, and is told %s when there are %s", async (code, funds) => {
    const world = new World();
    await world.fund("@alice", funds);
    const gate = Promise.withResolvers<void>();
    setFaults(world.instance, {
      step: (step) => (step === "drive:begun" ? gate.promise : undefined),
    });
    const posted = world.post(transfer);
    await expect.poll(() => passedSteps(world.instance)).toContain("drive:begun");
    const cancelled = world.journal.cancel(world.idOf("t"));
    await expect.poll(() => calledMethods(world.instance)).toContain("journal.cancel");
    gate.resolve();
    expect(outcome(await cancelled)).toBe(code);
    expect((await posted).ok).toBe(code === "GEN_CONFLICT");
  });
});

describe("a refusal", () => {
  it("is written before it is told: whoever was told may forget about it", async () => {
    const world = new World();
    // The shard dies as soon as it has decided, its last writes lost when they were not waited for.
    setFaults(world.instance, {
      step: (step, victim) => (step === "drive:refused" ? die(victim, step, true) : undefined),
    });
    const answer = await world.post(transfer).catch((error: Error) => error);
    clearFaults(world.instance);
    await world.fund("@alice", 100n);
    await world.ring();
    expect(await world.read("t")).toBe(null);
    expect(answer).toBeDefined();
    expect(await world.amounts("@alice")).toEqual([100n, 0n, 0n, 0n]);
  });
});

it("everything is settled in the end: D1 has it, and no work is left", async () => {
  const world = new World();
  await world.fund("@alice", 100n);
  await world.post(transfer);
  await world.post({ ...transfer, reference: "q", amount: 10n, skipQueue: false });
  await world.post({ ...transfer, reference: "r", amount: 1000n, skipQueue: false });
  await world.shardOf("q").applyMany({ ids: [world.idOf("q")] });
  await world.shardOf("r").applyMany({ ids: [world.idOf("r")] });
  expect(await world.journal.barrier()).toBe(true);
  expect(await workLeft(world)).toBe(0);
  const { shown, projected, balances, projectedBalances } = await audit(world);
  expect([...projected.values()].map(({ status }) => status).sort()).toEqual([
    "APPLIED",
    "APPLIED",
    "APPLIED",
    "REJECTED",
  ]);
  expect(projected).toEqual(shown);
  for (const [id, { snapshot }] of balances) expect(projectedBalances.get(id)).toEqual(snapshot);
});
