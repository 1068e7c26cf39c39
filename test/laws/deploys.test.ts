import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { applyMessage } from "../../src/queues/apply";
import { jobMessage } from "../../src/queues/jobs";
import { webhookMessage } from "../../src/queues/webhooks";
import { writeJson } from "../support/api";
import { type App, appOf } from "../support/app";
import { audit } from "../support/audit";
import { type Call, type Shape, setFaults } from "../support/faults";
import { rest, stateOf } from "../support/rest";
import { SAGAS } from "../support/sagas";
import { shaped } from "../support/shapes";
import { World } from "../support/world";

// The clock stands still unless a test moves it; timers are real.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** How calls travel, from the first one on: all alike, or one version after the other. */
type Roll = () => (call: Call) => Shape;

const ROLLS: readonly (readonly [name: string, roll: Roll])[] = [
  ["older versions", () => () => "older"],
  [
    "older and newer versions in turn",
    () => {
      let calls = 0;
      return () => {
        calls += 1;
        return (["newer", "older", "same", "newer", "same"] as const)[calls % 5] ?? "same";
      };
    },
  ],
];

/** What is sent to a ledger, and what came of it, in words that are the same in every ledger. */
interface Story {
  readonly name: string;
  tell(world: World, begin: () => void): Promise<string>;
}

const SINGLE: readonly Story[] = SAGAS.map(({ name, prepare, steps }) => ({
  name,
  tell: async (world, begin) => {
    await prepare(world);
    begin();
    for (const step of steps) await step(world);
    await rest(world);
    return JSON.stringify(await stateOf(world));
  },
}));

const money = (reference: string, to: string) => ({
  reference,
  description: "while a deploy rolls out",
  precise_amount: 40,
  precision: 100,
  currency: "USD",
  source: "@alice",
  ...(to === "" ? {} : { destination: to }),
});

const SHARES = ["@bob", "@carol"].map((identifier) => ({ identifier, distribution: "50%" }));

/** A group, what its sender has, and how it is answered. */
interface Group {
  readonly name: string;
  readonly path: "/transactions" | "/transactions/bulk";
  readonly options: object;
  readonly funds?: bigint;
  readonly status?: number;
}

const SPLIT = { ...money("s", ""), destinations: SHARES };
const NOW = { atomic: true, skip_queue: true };
const LATER = { atomic: true, run_async: true };

const GROUPS = (
  [
    { name: "a split", path: "/transactions", options: { ...SPLIT, skip_queue: true } },
    { name: "a queued split", path: "/transactions", options: SPLIT },
    { name: "an atomic batch", path: "/transactions/bulk", options: NOW },
    { name: "a refused batch", path: "/transactions/bulk", options: NOW, funds: 100n, status: 400 },
    { name: "a batch by the queue", path: "/transactions/bulk", options: {} },
    { name: "a batch in the background", path: "/transactions/bulk", options: LATER, status: 202 },
  ] satisfies readonly Group[]
).map(groupStory);

function groupStory({ name, path, options, funds = 1_000n, status = 201 }: Group): Story {
  const transactions = ["@bob", "@carol", "@bob"].map((to, index) => money(`b${index}`, to));
  const body = path.endsWith("bulk") ? { ...options, transactions } : options;
  return {
    name,
    tell: async (world, begin) => {
      const app: App = appOf(world);
      await world.fund("@alice", funds);
      begin();
      const answer = await app("POST", path, { body });
      expect(answer, writeJson(answer.body)).toMatchObject({ status });
      await rest(world);
      const { rows, balances } = await audit(world);
      const records = rows
        .filter(({ posting }) => !posting.reference.startsWith("fund-"))
        .map((row) => `${row.posting.reference} ${row.posting.preciseAmount} ${row.status}`);
      const amounts = [...balances.values()].map(({ snapshot, reserved }) =>
        [snapshot.indicator, snapshot.credit, snapshot.debit, ...reserved].join(" "),
      );
      return JSON.stringify([records.sort(), amounts.sort()]);
    },
  };
}

const STORIES = [...SINGLE, ...GROUPS];

type Ends = readonly (readonly [name: string, end: string])[];

/** How they end when all are of one version; found out once. */
let asEver: Promise<Ends> | null = null;

const endsWith = (roll: Roll | null): Promise<Ends> =>
  Promise.all(
    STORIES.map(async ({ name, tell }) => {
      const world = new World("deploy");
      const begin = () => {
        if (roll !== null) setFaults(world.instance, { shape: roll() });
      };
      return [name, await tell(world, begin)] as const;
    }),
  );

describe("while a deploy rolls out", () => {
  it.each(ROLLS)(
    "everything ends as ever when %s send and answer the calls between objects",
    async (_name, roll) => {
      asEver ??= endsWith(null);
      const [rolled, ends] = await Promise.all([endsWith(roll), asEver]);
      expect(rolled).toEqual(ends);
    },
  );

  it("a call does travel in another shape", () => {
    const call = { op: "a", seal: "s", deep: [{ amount: 5n }] };
    expect(shaped("same", call)).toBe(call);
    expect(shaped("older", call)).toEqual({ op: "a", deep: [{ amount: 5n }] });
    expect(JSON.stringify(shaped("newer", { deep: [{}] })).match(/newer/g)).toHaveLength(2);
  });

  it.each([
    [applyMessage, { instance: "default", shard: 1, ids: [`txn_${crypto.randomUUID()}`] }],
    [
      jobMessage,
      { kind: "batch", instance: "default", shard: 1, batchId: `bulk_${crypto.randomUUID()}` },
    ],
    [
      webhookMessage,
      { instance: "default", id: "e", event: "x.y", content: { kind: "body", body: "{}" } },
    ],
  ] as const)("a message of a newer version is understood (%#)", (schema, message) => {
    expect(schema.parse(shaped("newer", message))).toEqual(message);
  });
});
