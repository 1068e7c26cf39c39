import { afterEach, describe, expect, it, vi } from "vitest";
import { indicatorBalanceId, shardOf } from "../../src/domain/ids";
import type { Posting } from "../../src/domain/transaction";
import { postingText } from "../../src/durable/journal/codec";
import type { ItemsRequest, Reply } from "../../src/durable/journal/protocol";
import { patiently } from "../../src/durable/patiently";
import { storedRows } from "../support/audit";
import { type CallFault, clearFaults, setFaults, WELL } from "../support/faults";
import { Moment } from "../support/moment";
import { postingFor } from "../support/postings";
import { MADE_AT } from "../support/records";
import { named, World } from "../support/world";

const SHARDS = 4;
/** So many synchronous transfers of one balance each of them takes at once, and so many queued ones before they are applied. */
const UNDER_WAY = 32;
const WAITING = 1_000;
/** So many places there are for what follows from transactions. */
const FOLLOWING = 128;

afterEach(() => vi.useRealTimers());

const outcome = (reply: Reply<unknown>): string => (reply.ok ? "taken" : reply.error.code);

/** References that all belong to the first shard. */
function referencesIn(world: World, count: number, word = "flood"): string[] {
  const references: string[] = [];
  for (let n = 0; references.length < count; n += 1) {
    const reference = `${word}-${n}`;
    if (shardOf(world.idOf(reference), SHARDS) === 0) references.push(reference);
  }
  return references;
}

/** A ledger whose balance `@hot` has money and answers nobody until `opened` comes. */
async function floodedWorld(amount = 1_000n) {
  const world = new World("overload", SHARDS);
  await world.fund("@hot", amount);
  await world.fund("@quiet", 100n);
  const opened = new Moment();
  const hot = indicatorBalanceId(world.instance, "@hot", "USD");
  const slow: CallFault = ({ method, name }) =>
    method === "balance.execute" && name.endsWith(hot)
      ? { kind: "slow", until: () => opened.came() }
      : WELL;
  const close = () => setFaults(world.instance, { call: slow });
  return { world, opened, close };
}

/** Sends many at once; `soon` has what was answered so far. */
function sendAll<T>(sends: readonly (() => Promise<Reply<T>>)[]) {
  const soon: Reply<T>[] = [];
  const all = Promise.all(
    sends.map(async (send) => {
      const reply = await send();
      soon.push(reply);
      return reply;
    }),
  );
  return { soon, all };
}

const pay = (reference: string, from = "@hot") => ({
  reference,
  from,
  to: from === "@hot" ? "@shop" : "@other-shop",
  amount: 1n,
});

const queued = (reference: string) => ({ ...pay(reference), skipQueue: false });

/** Postings as items of a batch that came through the queue. */
const itemsOf = (postings: readonly Posting[]): ItemsRequest => ({
  batchId: `bulk_${crypto.randomUUID()}`,
  batchMadeAt: MADE_AT,
  items: postings.map((posting, index) => [index + 1, postingText(posting)]),
});

describe("a balance that more want than it can take", () => {
  it("turns the rest away before anything is written, and ends what was taken", async () => {
    const { world, opened, close } = await floodedWorld();
    const before = (await storedRows(world)).length;
    close();
    const references = referencesIn(world, UNDER_WAY + 8);
    const { soon, all } = sendAll(references.map((reference) => () => world.post(pay(reference))));
    await expect.poll(() => soon.length).toBe(8);
    for (const reply of soon) {
      expect(reply).toMatchObject({
        ok: false,
        replayed: false,
        error: { code: "GEN_OVERLOADED", retryAfterSeconds: 1 },
      });
    }
    expect(await storedRows(world)).toHaveLength(before + UNDER_WAY);

    opened.comes();
    const replies = await all;
    const shed = references.filter((_reference, n) => replies[n]?.ok === false);
    expect(shed).toHaveLength(8);
    expect(await world.amounts("@hot")).toEqual([1_000n, BigInt(UNDER_WAY), 0n, 0n]);
    for (const reference of shed) expect(await world.read(reference)).toBeNull();
    // The same references, one by one: there is room again.
    for (const reference of shed) expect(outcome(await world.post(pay(reference)))).toBe("taken");
    expect(await world.amounts("@hot")).toEqual([1_000n, BigInt(UNDER_WAY + 8), 0n, 0n]);
  });

  it("leaves places to other balances and other instances, and repeats are answered", async () => {
    const { world, opened, close } = await floodedWorld();
    const other = new World("overload-other", SHARDS);
    await other.fund("@hot", 100n);
    const operation = named(crypto.randomUUID());
    const first = await world.post(pay("before"), operation);
    close();
    const references = referencesIn(world, UNDER_WAY + 1);
    const sends = references.map((reference) => () => world.post(pay(reference)));
    const { soon, all } = sendAll(sends);
    await expect.poll(() => soon.map(outcome)).toEqual(["GEN_OVERLOADED"]);

    const [quiet = "", queued = ""] = referencesIn(world, 2, "other");
    const [same = ""] = referencesIn(other, 1);
    expect(outcome(await world.post(pay(quiet, "@quiet")))).toBe("taken");
    expect(outcome(await world.post({ ...pay(queued), skipQueue: false }))).toBe("taken");
    expect(outcome(await other.post(pay(same)))).toBe("taken");
    expect(await world.post(pay("before"), operation)).toEqual({ ...first, replayed: true });
    expect(outcome(await world.post(pay("before")))).toBe("TXN_DUPLICATE_REFERENCE");

    opened.comes();
    expect((await all).filter(({ ok }) => ok)).toHaveLength(UNDER_WAY);
    await expect.poll(() => world.amounts("@hot")).toEqual([1_000n, BigInt(UNDER_WAY + 2), 0n, 0n]);
  });

  it("is narrowed while many want it, and wide again when they don't", async () => {
    const { world, opened, close } = await floodedWorld();
    close();
    const flood = (word: string, count: number) =>
      sendAll(
        referencesIn(world, count, word).map((reference) => () => world.post(pay(reference))),
      );
    const first = flood("first", UNDER_WAY + 1);
    await expect.poll(() => first.soon.length).toBe(1);
    opened.comes();
    await first.all;

    const taken = async (word: string) => {
      const replies = await flood(word, UNDER_WAY).all;
      return replies.filter(({ ok }) => ok).length;
    };
    expect(await taken("narrow")).toBeLessThan(UNDER_WAY);
    vi.setSystemTime(Date.now() + 60_000);
    expect(await taken("wide")).toBe(UNDER_WAY);
  });

  it("takes what follows from its transactions longer, and a key stays free when it is turned away", async () => {
    const count = FOLLOWING;
    const { world, opened, close } = await floodedWorld();
    const [shard] = world.shards();
    const references = referencesIn(world, count + 1, "paid");
    await shard?.recordItems(
      itemsOf(references.map((reference) => postingFor(world.instance, queued(reference)))),
    );
    await shard?.applyMany({ ids: references.map((reference) => world.idOf(reference)) });
    close();
    const sends = references.map((reference) => () => {
      const operation = named(`refund-${reference}`);
      return world.refund(world.idOf(reference), { operation });
    });
    const { soon, all } = sendAll(sends);
    await expect.poll(() => soon.map(outcome)).toEqual(["GEN_OVERLOADED"]);

    opened.comes();
    const replies = await all;
    const again = sends.filter((_send, n) => replies[n]?.ok === false);
    for (const send of again) expect(await send()).toMatchObject({ ok: true, replayed: false });
    expect(await world.amounts("@hot")).toEqual([
      1_000n + BigInt(count + 1),
      BigInt(count + 1),
      0n,
      0n,
    ]);
  });
});

it("a crowd that queues for one balance is taken bit by bit, all of it, and others go before it", async () => {
  const world = new World("overload-crowd", SHARDS);
  await world.fund("@hot", 100n);
  await world.fund("@quiet", 1n);
  const [quiet = "", ...references] = referencesIn(world, 61, "crowd");
  const { soon, all } = sendAll(references.map((reference) => () => world.post(queued(reference))));
  const other = await world.post({ ...pay(quiet, "@quiet"), skipQueue: false });
  const answeredBefore = soon.length;
  expect(outcome(other)).toBe("taken");
  expect(answeredBefore).toBeLessThan(20);
  expect((await all).map(outcome)).toEqual(references.map(() => "taken"));
  await expect.poll(() => world.amounts("@hot")).toEqual([100n, 60n, 0n, 0n]);
});

describe("a backlog of one balance that is not applied", () => {
  it("has a bound; others are queued, all that was taken is applied, then there is room again", async () => {
    const { world } = await floodedWorld(10_000n);
    const [shard] = world.shards();
    setFaults(world.instance, {
      call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
    });
    const postings = referencesIn(world, WAITING).map((reference) =>
      postingFor(world.instance, queued(reference)),
    );
    const ids = postings.map(({ transactionId }) => transactionId);
    await shard?.recordItems(itemsOf(postings));
    expect((await world.journal.statesOf(ids)).every((state) => state?.status === "QUEUED")).toBe(
      true,
    );
    const [more = "", item = "", quiet = ""] = referencesIn(world, 3, "more");
    const late = { ...pay(more), skipQueue: false };
    const refused = await world.post(late);
    expect(refused).toMatchObject({ ok: false, error: { code: "GEN_OVERLOADED" } });
    expect(await world.read(more)).toBeNull();
    // Items of a batch that was taken are recorded beyond it.
    await shard?.recordItems(itemsOf([postingFor(world.instance, queued(item))]));
    expect((await world.read(item))?.status).toBe("QUEUED");
    expect(outcome(await world.post({ ...pay(quiet, "@quiet"), skipQueue: false }))).toBe("taken");

    clearFaults(world.instance);
    await shard?.applyMany({ ids: [...ids, world.idOf(item)] });
    expect(outcome(await world.post(late))).toBe("taken");
    await expect.poll(() => world.amounts("@hot")).toEqual([10_000n, BigInt(WAITING + 2), 0n, 0n]);
  });
});

it("an object that the platform finds overloaded is not asked again at once", async () => {
  let calls = 0;
  const busy = Object.assign(new Error("too many requests"), { overloaded: true });
  const asked = patiently(
    () => null,
    () => {
      calls += 1;
      return Promise.reject(busy);
    },
  );
  expect(await asked.catch((error: unknown) => error)).toBe(busy);
  expect(calls).toBe(1);
});
