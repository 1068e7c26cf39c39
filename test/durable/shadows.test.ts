import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { balanceStub } from "../../src/durable/balance/client";
import { appOf } from "../support/app";
import { workLeft } from "../support/audit";
import { changeOf } from "../support/changes";
import { clearFaults, passedSteps, setFaults } from "../support/faults";
import { findingsOf, walk } from "../support/integrity";
import { Moment } from "../support/moment";
import { bring, makeWallet, makeWallets, walletId } from "../support/wallets";
import { World } from "../support/world";

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** Transfers of one balance that a journal of one shard has under way at most. */
const FULL = 128;
/** A sweep of the journal, in milliseconds. */
const SWEEP_MS = 61_000;

/** A world of which nobody can say how many shards it has, so that no shadow finds its own. */
async function worldWithoutShadows(): Promise<World> {
  const world = new World("shadows");
  await makeWallet(world, "ada");
  const sent = await bring(world, {
    to: "ada",
    provider: "visa",
    amount: 50n,
    reference: "visa",
  });
  expect(sent.ok && sent.value.status).toBe("APPLIED");
  expect(await world.journal.barrier()).toBe(true);
  return world;
}

async function passSweep(world: World): Promise<void> {
  vi.setSystemTime(Date.now() + SWEEP_MS);
  await world.ring();
}

describe("shadows that cannot be made", () => {
  it("keep nobody from what their record did", async () => {
    const world = await worldWithoutShadows();
    await passSweep(world);

    const kept = await world.journal.balanceLineage(walletId(world, "ada"));
    expect(kept?.funds).toEqual([{ provider: "visa", credited: 50n, spent: 0n, held: 0n }]);
    expect(await workLeft(world)).toBe(1);
  });

  it("are remembered as such no longer than their record is looked after", async () => {
    const maps = new Set<Map<unknown, unknown>>();
    const set = Map.prototype.set;
    vi.spyOn(Map.prototype, "set").mockImplementation(function (
      this: Map<unknown, unknown>,
      key: unknown,
      value: unknown,
    ) {
      if (Object(value).failures !== undefined) maps.add(this);
      return set.call(this, key, value);
    });
    const world = await worldWithoutShadows();
    await passSweep(world);
    vi.restoreAllMocks();
    const failing = [...maps].find((map) => map.has(world.idOf("visa")));
    expect(failing?.size).toBe(1);
    await world.register();
    // Whoever asks for the lineage has the shadows made, and not the alarm.
    expect((await world.journal.lineageOf(world.idOf("visa")))?.shadows).toHaveLength(1);
    await expect.poll(() => workLeft(world)).toBe(0);
    await passSweep(world);
    expect(failing?.size).toBe(0);
  });

  it("keep no hold from its end", async () => {
    const world = await worldWithoutShadows();
    const expiry = new Date(Date.now() + 2 * SWEEP_MS).toISOString();
    await world.post({
      reference: "hold",
      from: walletId(world, "ada"),
      to: "@shop",
      amount: 30n,
      inflight: true,
      inflightExpiryDate: expiry,
    });
    await passSweep(world);
    expect(await world.read("hold")).toMatchObject({ inflightRemaining: 30n });
    await passSweep(world);

    expect(await world.read("hold")).toMatchObject({ inflightRemaining: 0n });
    const kept = await world.journal.balanceLineage(walletId(world, "ada"));
    expect(kept?.balance).toMatchObject({ credit: 50n, debit: 0n, inflightDebit: 0n });
  });

  it.each([
    ["by the alarm", async () => {}],
    ["by the shard's next life", () => abortAllDurableObjects()],
  ])("are made when they can be, %s", async (_how, happens) => {
    const world = await worldWithoutShadows();
    await passSweep(world);
    await world.register();
    await happens();
    await passSweep(world);

    await expect.poll(() => workLeft(world), { timeout: 20_000 }).toBe(0);
    expect((await world.journal.lineageOf(world.idOf("visa")))?.shadows).toHaveLength(1);
    expect(await world.amounts(`@visa_${walletId(world, "ada")}_lineage`)).toEqual([
      0n,
      50n,
      0n,
      0n,
    ]);
  });
});

it("shadows are made although clients have used their references", async () => {
  const world = new World("used");
  await makeWallets(world);
  for (const reference of ["spent_release_visa", `${world.idOf("spent")}_release_visa`]) {
    await world.post({ reference, from: "@world", to: "@other", amount: 1n });
  }
  await world.post({
    reference: "spent",
    from: walletId(world, "ada"),
    to: "@shop",
    amount: 30n,
  });

  await expect.poll(() => workLeft(world), { timeout: 8_000 }).toBe(0);
  expect((await world.journal.lineageOf(world.idOf("spent")))?.shadows).toHaveLength(1);
  expect(await world.amounts(`@visa_${walletId(world, "ada")}_lineage`)).toEqual([
    30n,
    50n,
    0n,
    0n,
  ]);
  expect(findingsOf(await walk(world))).toEqual([]);
});

it("shadows wait for room in a shard that is full", async () => {
  const world = new World("full", 1);
  await world.register();
  await makeWallet(world, "ada");
  // As many transfers to its shadow balance as one balance may have under way.
  const aggregate = `@${walletId(world, "ada")}_lineage`;
  const fill = (index: number) =>
    world.post({
      reference: `fill ${index}`,
      from: "@bank",
      to: aggregate,
      amount: 1n,
      overdraft: { kind: "unlimited" },
    });
  const goesOn = new Moment();
  let held = 0;
  setFaults(world.instance, {
    step: (step) => {
      if (step !== "drive:begun" || held === FULL) return undefined;
      held += 1;
      return goesOn.came();
    },
  });
  const filling = Array.from({ length: FULL }, (_none, index) => fill(index));
  await expect.poll(() => held).toBe(FULL);
  expect(await fill(FULL)).toMatchObject({ ok: false, error: { code: "GEN_OVERLOADED" } });

  await bring(world, { to: "ada", provider: "visa", amount: 5n, reference: "visa" });
  await expect.poll(() => passedSteps(world.instance)).toContain("shadows:begun");
  goesOn.comes();
  await Promise.all(filling);

  await expect.poll(() => workLeft(world), { timeout: 8_000 }).toBe(0);
  expect(await world.amounts(aggregate)).toEqual([BigInt(FULL) + 5n, 0n, 0n, 0n]);
  clearFaults(world.instance);
});

it("what others spend of a batch's money before it is known whose it is counts as nobody's", async () => {
  const world = new World("between");
  await world.register();
  await makeWallet(world, "ada");
  const id = walletId(world, "ada");
  const [posted, goesOn] = [new Moment(), new Moment()];
  setFaults(world.instance, {
    step: (step) => {
      if (step !== "group:posted") return undefined;
      posted.comes();
      return goesOn.came();
    },
  });
  const item = {
    reference: "brought",
    precise_amount: 100,
    precision: 100,
    currency: "USD",
    description: "of a batch",
    source: "@world",
    destination: id,
    allow_overdraft: true,
    meta_data: { BLNK_LINEAGE_PROVIDER: "visa" },
  };
  const body = { transactions: [item], atomic: true, skip_queue: true };
  const sent = appOf(world)("POST", "/transactions/bulk", { body });
  await posted.came();
  await world.post({ reference: "spent", from: id, to: "@shop", amount: 70n });
  goesOn.comes();
  expect((await sent).status).toBe(201);
  clearFaults(world.instance);

  const kept = await world.journal.balanceLineage(id);
  expect(kept?.balance).toMatchObject({ credit: 100n, debit: 70n });
  expect(kept?.funds).toEqual([{ provider: "visa", credited: 30n, spent: 0n, held: 0n }]);
});

it("a balance tells so many providers apart: money of further ones is nobody's", async () => {
  const world = new World("many");
  await makeWallet(world, "ada");
  const id = walletId(world, "ada");
  const operations = Array.from({ length: 502 }, (_none, index) => {
    const change = changeOf(world.instance, `change ${index}`, { amount: 1n, indicator: null });
    const received = [{ provider: `p${index}`, amount: 1n }];
    return { ...change, lineage: { hold: change.transactionId, received } };
  });
  const { answers } = await balanceStub(env.BALANCES, world.instance, id).execute({ operations });

  const kept = await world.journal.balanceLineage(id);
  expect(kept?.funds).toHaveLength(500);
  expect(kept?.balance.credit).toBe(502n);
  expect(answers.at(-1)).toMatchObject({ outcome: "applied", traced: { pieces: [] } });
});
