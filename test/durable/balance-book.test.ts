import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { BalanceProfile } from "../../src/domain/balance-record";
import { indicatorBalanceId } from "../../src/domain/ids";
import { BalanceObject } from "../../src/durable/balance/object";
import { audit, workLeft } from "../support/audit";
import { clearFaults, fateOf, killAt, lateCalls, setFaults, WELL } from "../support/faults";
import { Moment } from "../support/moment";
import { outgoing } from "../support/outgoing";
import { MADE_AT, newBalanceId } from "../support/records";
import { World } from "../support/world";

let world: World;
beforeEach(() => {
  world = new World();
});

const profileOf = (changes: Partial<BalanceProfile> = {}): BalanceProfile => ({
  balanceId: newBalanceId(),
  ledgerId: "ldg_of_a_test",
  identityId: "",
  currency: "USD",
  indicator: "",
  createdAt: MADE_AT,
  metaData: null,
  trackFundLineage: false,
  allocationStrategy: "FIFO",
  ...changes,
});

const indicatorProfile = (createdAt: string): BalanceProfile =>
  profileOf({
    balanceId: indicatorBalanceId(world.instance, "@alice", "USD"),
    indicator: "@alice",
    createdAt,
  });

/** Ids of the `balance.created` messages that left, one for each that was sent. */
function announcements(): string[] {
  const messages = outgoing(world.instance, "webhooks.sendBatch") as readonly {
    readonly id: string;
    readonly event: string;
  }[];
  return messages.flatMap(({ id, event }) => (event === "balance.created" ? [id] : []));
}

const announced = (): Set<string> => new Set(announcements());

/** Everything is done, D1 has the balance as it stands, and it was announced. */
async function expectSettled(...balances: readonly BalanceProfile[]): Promise<void> {
  clearFaults(world.instance);
  await Promise.all(world.shards().map((shard) => shard.touch()));
  await world.ring();
  expect(await world.journal.barrier()).toBe(true);
  await expect.poll(() => workLeft(world), { timeout: 20_000 }).toBe(0);
  const { projectedBalances } = await audit(world);
  for (const { balanceId } of balances) {
    const standing = await world.journal.balance(balanceId);
    expect(standing).not.toBe(null);
    expect(projectedBalances.get(balanceId)).toEqual(standing);
  }
  expect(announced().size).toBe(balances.length);
}

describe("a balance made by hand", () => {
  it("is there at once, in D1 after a barrier, and announced", async () => {
    const profile = profileOf({ metaData: '{"a":1}', identityId: "idt_x" });
    const { created, snapshot } = await world.journal.createBalance(profile);
    expect(created).toBe(true);
    expect(snapshot).toMatchObject({ ...profile, credit: 0n, version: 1 });
    await expectSettled(profile);
  });

  it.each([
    ["the shard dies before it asks", { step: killAt("balance:noted", { durable: true }) }],
    ["the shard dies and forgets", { step: killAt("balance:noted", { durable: false }) }],
    ["the shard dies after it was made", { step: killAt("balance:made", { durable: true }) }],
    [
      "the reply of the balance is lost",
      { call: fateOf("balance.create", { kind: "reply-lost" }) },
    ],
    ["the call to the balance is lost", { call: fateOf("balance.create", { kind: "lost" }) }],
    ["D1 loses the batch", { call: fateOf("d1.batch", { kind: "lost" }) }],
    ["D1's reply is lost", { call: fateOf("d1.batch", { kind: "reply-lost" }) }],
    ["the event is lost on its way", { call: fateOf("webhooks.sendBatch", { kind: "lost" }) }],
    ["the shard dies before the event", { step: killAt("flush:projected", { durable: true }) }],
    ["the shard dies after the event", { step: killAt("flush:sent", { durable: false }) }],
  ])("is made once, projected and announced although %s", async (_what, fault) => {
    const profile = profileOf();
    setFaults(world.instance, fault);
    const made = await world.journal.createBalance(profile);
    expect(made.created).toBe(true);
    await expectSettled(profile);
  });

  it("is finished by the alarm when nobody asks again", async () => {
    const profile = profileOf();
    setFaults(world.instance, { step: killAt("balance:noted", { durable: true }) });
    const [shard] = world.shards().slice(Number.parseInt(profile.balanceId.slice(4, 6), 16) % 2);
    await shard?.createBalance({ profile }).catch(() => null);
    await expectSettled(profile);
  });
});

describe("a balance with an indicator", () => {
  const transfer = { from: "@world", to: "@alice", amount: 5n } as const;

  it("is announced once, whoever of many is first", async () => {
    const profiles = ["01", "02", "03"].map((day) =>
      indicatorProfile(`2031-01-${day}T00:00:00.000000Z`),
    );
    const [made] = await Promise.all([
      Promise.all(profiles.map((profile) => world.journal.createBalance(profile))),
      ...["a", "b", "c", "d"].map((reference) => world.post({ ...transfer, reference })),
    ]);
    expect(made.filter(({ created }) => created).length).toBeLessThanOrEqual(1);
    const alice = indicatorProfile(MADE_AT);
    const from = { ...alice, balanceId: indicatorBalanceId(world.instance, "@world", "USD") };
    await expectSettled(alice, from);
  });

  it.each(["balance:noted", "balance:made"])(
    "that a transfer makes while somebody makes it by hand (%s) keeps its row and event",
    async (step) => {
      const released = new Moment();
      const profile = indicatorProfile("2031-01-01T00:00:00.000000Z");
      setFaults(world.instance, { step: (at) => (at === step ? released.came() : undefined) });
      const making = world.journal.createBalance(profile);
      // In the same shard as the one that is made by hand, and in the other.
      const answers = await Promise.all(
        ["a", "b", "c", "d", "e"].map((reference) => world.post({ ...transfer, reference })),
      );
      expect(answers.every(({ ok }) => ok)).toBe(true);
      released.comes();
      expect((await making).created).toBe(step === "balance:made");
      const from = { ...profile, balanceId: indicatorBalanceId(world.instance, "@world", "USD") };
      await expectSettled(profile, from);
    },
  );

  it("made by hand by two at once keeps its row and event although the shard dies in between", async () => {
    const [one, other] = ["01", "02"].map((day) =>
      indicatorProfile(`2031-01-${day}T00:00:00.000000Z`),
    );
    if (one === undefined || other === undefined) throw new Error("there are two");
    const [shard] = world.shards().slice(Number.parseInt(one.balanceId.slice(4, 6), 16) % 2);
    // The first has noted itself and dies; the second makes the balance and dies before it can say so.
    setFaults(world.instance, { step: killAt("balance:noted", { durable: true }) });
    await shard?.createBalance({ profile: one }).catch(() => null);
    setFaults(world.instance, { step: killAt("balance:made", { durable: true }) });
    const [again] = world.shards().slice(Number.parseInt(one.balanceId.slice(4, 6), 16) % 2);
    await again?.createBalance({ profile: other }).catch(() => null);
    await expectSettled(other);
  });
});

describe("a change of a profile", () => {
  it.each([
    ["nothing fails", {}],
    ["the shard dies before", { step: killAt("profile:noted", { durable: true }) }],
    ["the shard dies after", { step: killAt("profile:changed", { durable: true }) }],
    [
      "the balance's reply is lost",
      { call: fateOf("balance.updateProfile", { kind: "reply-lost" }) },
    ],
    ["D1 loses the batch", { call: fateOf("d1.batch", { kind: "lost" }) }],
  ])("reaches D1: %s", async (_what, fault) => {
    const profile = profileOf();
    await world.journal.createBalance(profile);
    setFaults(world.instance, fault);
    const changed = await world.journal.updateBalance(profile.balanceId, {
      identityId: "idt_y",
      mergeMetaData: '{"b":2}',
    });
    expect(changed).toMatchObject({ identityId: "idt_y", metaData: '{"b":2}' });
    await expectSettled(profile);
  });

  it("while the making is announced does not announce it again", async () => {
    const profile = profileOf();
    const [sent, changed] = [new Moment(), new Moment()];
    setFaults(world.instance, {
      step: async (at) => {
        if (at !== "flush:events-sent") return;
        sent.comes();
        await changed.came();
      },
    });
    await world.journal.createBalance(profile);
    await sent.came();
    await world.journal.updateBalance(profile.balanceId, { identityId: "idt_y" });
    changed.comes();
    await expectSettled(profile);
    expect(announcements()).toHaveLength(1);
  });

  it("of a balance that nobody made finds nothing and leaves nothing", async () => {
    expect(await world.journal.updateBalance(newBalanceId(), { identityId: "idt_y" })).toBe(null);
    expect(await workLeft(world)).toBe(0);
  });

  it("that comes late takes nothing back from those after it", async () => {
    const profile = profileOf();
    await world.journal.createBalance(profile);
    const arrives = new Moment();
    setFaults(world.instance, {
      call: fateOf("balance.updateProfile", { kind: "late", until: () => arrives.came() }),
    });
    const changed = [];
    // The first is given up by its caller, and sent again.
    for (const value of [1, 2]) {
      const patch = { mergeMetaData: `{"a":${value}}`, identityId: `idt_${value}` };
      changed.push(await world.journal.updateBalance(profile.balanceId, patch));
    }
    expect(changed.map((each) => each?.metaData)).toEqual(['{"a":1}', '{"a":2}']);
    arrives.comes();
    await expect.poll(() => lateCalls(world.instance)).toBe(0);
    await expectSettled(profile);
    const standing = await world.journal.balance(profile.balanceId);
    expect(standing).toMatchObject({ metaData: '{"a":2}', identityId: "idt_2" });
  });

  it("and transfers at the same time do not undo each other in D1", async () => {
    const profile = profileOf();
    await world.journal.createBalance(profile);
    await Promise.all([
      ...Array.from({ length: 5 }, (_none, n) =>
        world.journal.updateBalance(profile.balanceId, { mergeMetaData: `{"k${n}":${n}}` }),
      ),
      ...Array.from({ length: 5 }, (_none, n) =>
        world.post({ reference: `r${n}`, from: "@world", to: profile.balanceId, amount: 1n }),
      ),
    ]);
    await abortAllDurableObjects();
    const from = { ...profile, balanceId: indicatorBalanceId(world.instance, "@world", "USD") };
    await expectSettled(profile, from);
    expect(await world.journal.balance(profile.balanceId)).toMatchObject({
      credit: 5n,
      profileVersion: 6,
    });
  });
});

it.each([
  ["in this life", async () => {}],
  ["in an earlier life", () => abortAllDurableObjects()],
])("more than fit into a round are all in D1 behind a barrier, made %s", async (_when, happens) => {
  world = new World("many", 1);
  const [goesOn, begun] = [new Moment(), new Moment()];
  setFaults(world.instance, {
    call: ({ method }) => {
      if (method !== "d1.batch") return WELL;
      begun.comes();
      return { kind: "slow", until: () => goesOn.came() };
    },
  });
  const profiles = Array.from({ length: 120 }, () => profileOf());
  await Promise.all(profiles.map((profile) => world.journal.createBalance(profile)));
  await begun.came();
  clearFaults(world.instance);
  goesOn.comes();
  await happens();

  await expect.poll(() => world.journal.barrier()).toBe(true);
  const { projectedBalances } = await audit(world);
  expect(projectedBalances.size).toBe(120);
});

it("one that cannot be read keeps nothing else from D1, and is there when it can be read", async () => {
  world = new World("unread", 1);
  await world.fund("@alice", 100n);
  expect(await world.journal.barrier()).toBe(true);
  const unread = indicatorBalanceId(world.instance, "@bob", "USD");
  const read = BalanceObject.prototype.read;
  const reading = vi.spyOn(BalanceObject.prototype, "read");
  reading.mockImplementation(function (this: BalanceObject, ...asked) {
    const found = read.apply(this, asked);
    if (found?.balanceId === unread) throw new Error("this balance cannot be read");
    return found;
  });
  await world.post({ reference: "to-bob", from: "@alice", to: "@bob", amount: 1n });
  await world.post({ reference: "to-carl", from: "@alice", to: "@carl", amount: 1n });

  const inD1 = async (table: string, where: string) =>
    await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE instance_id = ? AND ${where}`)
      .bind(world.instance)
      .first<number>("n");
  const applied = "status = 'APPLIED' AND reference LIKE 'to-%'";
  await expect.poll(() => inD1("transactions", applied), { timeout: 8_000 }).toBe(2);
  expect(await inD1("balances", "indicator = '@carl'")).toBe(1);
  expect(await world.journal.barrier()).toBe(false);

  reading.mockRestore();
  await expect.poll(() => world.journal.barrier(), { timeout: 8_000 }).toBe(true);
  expect(await workLeft(world)).toBe(0);
  expect(await inD1("balances", "indicator = '@bob'")).toBe(1);
});
