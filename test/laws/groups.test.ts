import { describe, expect, it } from "vitest";
import { type Answer, field, get, listOf, post, wholeOf } from "../support/api";
import { appOf } from "../support/app";
import { type CallFault, clearFaults, setFaults, WELL } from "../support/faults";
import { fundedBalance, newBalances, unique } from "../support/ledger";
import { Moment } from "../support/moment";
import { World } from "../support/world";

/** What the list shows of a balance. */
async function listed(balanceId: string): Promise<bigint> {
  const answer = await get(`/balances?balance_id_eq=${balanceId}`);
  const [found = null] = listOf(answer);
  return wholeOf({ ...answer, body: found }, "balance");
}

const plain = { precision: 1, currency: "USD", description: "a movement", skip_queue: true };

describe("L8: the lists show what a group moved, although nothing else moved since", () => {
  it("by a split", async () => {
    const alice = await fundedBalance(100n);
    const [bob = "", carol = ""] = await newBalances(2);
    const destinations = [bob, carol].map((identifier) => ({ identifier, distribution: "50%" }));
    const reference = unique("split");
    const body = { ...plain, reference, precise_amount: 60, source: alice, destinations };

    const sent = await post("/transactions", body);

    expect(sent.status).toBe(201);
    expect(await Promise.all([alice, bob, carol].map(listed))).toEqual([40n, 30n, 30n]);
  });

  it.each([true, false])("by a batch (atomic: %s)", async (atomic) => {
    const alice = await fundedBalance(100n);
    const balances = await newBalances(6);
    const transactions = balances.map((destination) => ({
      ...plain,
      reference: unique("item"),
      precise_amount: 10,
      source: alice,
      destination,
    }));

    const sent = await post("/transactions/bulk", { transactions, atomic, skip_queue: true });

    expect(sent.status).toBe(201);
    expect(await Promise.all([alice, ...balances].map(listed))).toEqual([
      40n,
      ...balances.map(() => 10n),
    ]);
  });
});

describe("a queued atomic batch that was answered before it is carried out", () => {
  /** A batch of three that was answered and holds still at `group:reserved` until `goesOn` comes, and its references. */
  async function sentAndHeld(world: World, goesOn: Moment, call: CallFault = () => WELL) {
    const reserved = new Moment();
    setFaults(world.instance, {
      step: (step) => {
        if (step !== "group:reserved") return undefined;
        reserved.comes();
        return goesOn.came();
      },
      call,
    });
    const references = ["one", "two", "three"];
    const transactions = references.map((reference) => ({
      ...plain,
      reference,
      precise_amount: 10,
      source: "@world",
      destination: "@bob",
      allow_overdraft: true,
      skip_queue: false,
    }));
    const body = { transactions, atomic: true };
    const sent = await appOf(world)("POST", "/transactions/bulk", { body });
    expect(sent.status).toBe(201);
    await reserved.came();
    return references;
  }

  /** References that the list shows. */
  async function listedReferences(world: World): Promise<unknown[]> {
    const rows = listOf(await appOf(world)("GET", "/transactions"));
    return rows.map((body) => field({ status: 200, headers: new Headers(), body }, "reference"));
  }

  it("is waited for by lists, which then show all of it", async () => {
    const world = new World("told", 2);
    const goesOn = new Moment();
    const references = await sentAndHeld(world, goesOn);

    expect(await world.journal.barrier()).toBe(false);
    goesOn.comes();

    expect((await listedReferences(world)).sort()).toEqual([...references].sort());
    clearFaults(world.instance);
  });

  it("leaves lists behind, and breaks none, while nobody can ask it", async () => {
    const world = new World("unasked", 2);
    const goesOn = new Moment();
    const references = await sentAndHeld(world, goesOn, ({ method }) =>
      method === "journal.resolveGroup" ? { kind: "lost" } : WELL,
    );

    const [one = ""] = references;
    expect(await world.shardOf(one).barrier()).toBe(false);
    const behind = await appOf(world)("GET", "/transactions");
    expect([behind.status, behind.headers.get("X-Purser-Behind")]).toEqual([200, "true"]);
    goesOn.comes();
    clearFaults(world.instance);

    expect((await listedReferences(world)).sort()).toEqual([...references].sort());
  });
});

describe("L8: a batch whose references are not all free", () => {
  it("leaves nothing in the lists, also when they are read while it takes them", async () => {
    const world = new World("claims", 2);
    const app = appOf(world);
    const [free, used] = referencesInTurn(world);
    await world.post({ reference: used, from: "@world", to: "@alice", amount: 100n });
    const [claimed, goesOn] = [new Moment(), new Moment()];
    let isFirst = true;
    setFaults(world.instance, {
      step: (step) => {
        if (step !== "group:claimed" || !isFirst) return undefined;
        isFirst = false;
        claimed.comes();
        return goesOn.came();
      },
    });
    const transactions = [free, used].map((reference) => ({
      ...plain,
      reference,
      precise_amount: 10,
      source: "@alice",
      destination: "@bob",
    }));

    const sent = app("POST", "/transactions/bulk", { body: { transactions, atomic: true } });
    await claimed.came();
    await world.journal.barrier();
    goesOn.comes();

    expect(codeIn(await sent)).toBe("TXN_DUPLICATE_REFERENCE");
    expect((await app("GET", `/transactions/reference/${free}`)).status).toBe(404);
    const list = listOf(await app("GET", "/transactions")).map((row) =>
      field({ status: 200, headers: new Headers(), body: row }, "reference"),
    );
    expect(list).toEqual([used]);
    clearFaults(world.instance);
  });

  /** One reference for each of two shards, in the order in which groups take them. */
  function referencesInTurn(world: World): readonly [first: string, second: string] {
    const names = Array.from({ length: 64 }, (_none, index) => `reference-${index}`);
    const inShard = (shard: number) =>
      names.find((name) => Number.parseInt(world.idOf(name).slice(4, 6), 16) % 2 === shard) ?? "";
    return [inShard(0), inShard(1)];
  }

  const codeIn = (answer: Answer) => {
    const detail = field(answer, "error_detail");
    return field({ ...answer, body: detail }, "code");
  };
});
