import fc from "fast-check";
import { expect, it } from "vitest";
import { availableOf, type Fund } from "../../src/domain/lineage";
import { shadowsOf } from "../../src/domain/shadow";
import { appOf } from "../support/app";
import { clearFaults, die, setFaults } from "../support/faults";
import { rest } from "../support/history";
import { bring, makeWallet, walletId } from "../support/wallets";
import { World } from "../support/world";

const SEED = 20_310_408;
const HISTORIES = 24;
const LANES = 6;
const OWNERS = ["ada", "bob", "eve"] as const;
const PROVIDERS = ["visa", "swift", "wise"] as const;
const STRATEGIES = ["FIFO", "LIFO", "PROPORTIONAL"] as const;

type Owner = (typeof OWNERS)[number];

/** One request: money of a provider comes in, alone or in a batch that passes half of it on, goes to somebody or out, is held, settled or given back. */
type Act =
  | {
      readonly kind: "bring";
      readonly to: Owner;
      readonly provider: string;
      readonly amount: bigint;
    }
  | {
      readonly kind: "move" | "hold";
      readonly from: Owner;
      readonly to: Owner | "@shop";
      readonly amount: bigint;
      readonly skipQueue: boolean;
    }
  | {
      readonly kind: "batch";
      readonly to: Owner;
      readonly provider: string;
      readonly amount: bigint;
      readonly skipQueue: boolean;
    }
  | { readonly kind: "commit"; readonly of: number; readonly amount: bigint }
  | { readonly kind: "void" | "refund"; readonly of: number };

const owner = fc.constantFrom(...OWNERS);
const amount = fc.bigInt(1n, 60n);
const earlier = fc.nat({ max: 15 });

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("bring" as const),
      to: owner,
      provider: fc.constantFrom(...PROVIDERS),
      amount: fc.bigInt(50n, 200n),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("move" as const, "hold" as const),
      from: owner,
      to: fc.constantFrom(...OWNERS, "@shop" as const),
      amount,
      skipQueue: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      to: owner,
      provider: fc.constantFrom(...PROVIDERS),
      amount,
      skipQueue: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("commit" as const), of: earlier, amount }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("void" as const, "refund" as const),
      of: earlier,
    }),
  },
);

/** At which passages of a step of any object the object dies: the count goes on over all of them. */
const deaths = fc.array(fc.integer({ min: 1, max: 250 }), { maxLength: 4 });

interface Course {
  readonly world: World;
  readonly problems: readonly string[];
  readonly shadows: number;
}

async function play(acts: readonly Act[], killAt: readonly number[]): Promise<Course> {
  const world = new World("lineage");
  await world.register();
  await Promise.all(OWNERS.map((name, index) => makeWallet(world, name, STRATEGIES[index])));
  let passages = 0;
  setFaults(world.instance, {
    step: (step, victim) => {
      passages += 1;
      return killAt.includes(passages) ? die(victim, step, passages % 2 === 0) : undefined;
    },
  });
  // Three clients at once: each goes on when it has its answer, whatever that is.
  const clients = [0, 1, 2].map(async (client) => {
    for (const [index, each] of acts.entries()) {
      // A refund is never refused for funds: one that a wallet pays may be paid with what it does not have.
      if (each.kind === "refund" && !isSpent(acts[each.of])) continue;
      if (index % 3 === client) await perform(world, each, index).catch(() => null);
    }
  });
  await Promise.all(clients);
  clearFaults(world.instance);
  await rest(world);
  // What others spend of a batch's money before it is known whose it is counts as nobody's.
  const isExact = !acts.some(({ kind }) => kind === "batch");
  const problems = await Promise.all(OWNERS.map((name) => problemsOf(world, name, isExact)));
  const told = await Promise.all(
    acts.map((_act, index) => world.journal.lineageOf(world.idOf(`r${index}`))),
  );
  const shadows = told.reduce((sum, each) => sum + (each?.shadows.length ?? 0), 0);
  return { world, problems: problems.flat(), shadows };
}

const isSpent = (each: Act | undefined): boolean =>
  (each?.kind === "move" || each?.kind === "hold") && each.to === "@shop";

const sideOf = (world: World, side: Owner | "@shop"): string =>
  side === "@shop" ? side : walletId(world, side);

async function perform(world: World, each: Act, index: number): Promise<unknown> {
  const reference = `r${index}`;
  switch (each.kind) {
    case "bring":
      return bring(world, { ...each, reference });
    case "batch":
      return appOf(world)("POST", "/transactions/bulk", { body: batchOf(world, each, reference) });
    case "move":
    case "hold": {
      const [from, to] = [walletId(world, each.from), sideOf(world, each.to)];
      const inflight = each.kind === "hold";
      const { amount: moved, skipQueue } = each;
      return world.post({ reference, from, to, amount: moved, skipQueue, inflight });
    }
    case "commit":
      return world.commit(`r${each.of}`, each.amount);
    case "void":
      return world.void(`r${each.of}`);
    case "refund":
      return world.refund(world.idOf(`r${each.of}`));
  }
}

/** Money comes to one and half of it goes on to another, all or nothing. */
function batchOf(
  world: World,
  { to, provider, amount: brought, skipQueue }: Extract<Act, { kind: "batch" }>,
  reference: string,
) {
  const item = { precision: 100, currency: "USD", description: "of a batch" };
  const [first, second] = [walletId(world, to), walletId(world, to === "eve" ? "ada" : "eve")];
  const transactions = [
    {
      ...item,
      reference,
      precise_amount: 2n * brought,
      source: "@world",
      destination: first,
      allow_overdraft: true,
      meta_data: { BLNK_LINEAGE_PROVIDER: provider },
    },
    {
      ...item,
      reference: `${reference}-on`,
      precise_amount: brought,
      source: first,
      destination: second,
    },
  ];
  return { transactions, atomic: true, skip_queue: skipQueue };
}

/** All that came into a wallet was somebody's: so all that it has is, and its shadow balances say the same. */
async function problemsOf(world: World, name: Owner, isExact: boolean): Promise<string[]> {
  const id = walletId(world, name);
  const kept = await world.journal.balanceLineage(id);
  const { balance, funds } = { balance: kept?.balance, funds: kept?.funds ?? [] };
  const sum = (part: (fund: Fund) => bigint) => funds.reduce((all, each) => all + part(each), 0n);
  const has = (balance?.credit ?? 0n) - (balance?.debit ?? 0n);
  const known = sum(({ credited, spent }) => credited - spent);
  const held = sum((fund) => fund.held);
  const tied = balance?.inflightDebit ?? 0n;
  const shadows = shadowsOf(world.instance, id, "USD");
  const told = await Promise.all(
    funds.map(async (fund) => {
      const shadow = await world.journal.balance(shadows.fund(fund.provider).balanceId);
      const { credit = 0n, debit = 0n, inflightCredit = 0n } = shadow ?? {};
      const isTold =
        debit === fund.credited && credit === fund.spent && inflightCredit === fund.held;
      return isTold ? [] : [`${name}'s ${fund.provider} is ${debit} ${credit} ${inflightCredit}`];
    }),
  );
  const aggregate = await world.journal.balance(shadows.aggregate.balanceId);
  const inAll = (aggregate?.credit ?? 0n) - (aggregate?.debit ?? 0n);
  return [
    ...told.flat(),
    ...(known === has || (!isExact && known < has)
      ? []
      : [`${name} has ${has}, of which ${known} are somebody's`]),
    ...(held === tied || (!isExact && held < tied) ? [] : [`${held} held of ${name}`]),
    ...(funds.every((fund) => availableOf(fund) >= 0n)
      ? []
      : [`${name} spent what it did not have`]),
    ...(inAll === known ? [] : [`the aggregate of ${name} is ${inAll}`]),
  ];
}

it("whoever's money it is stays known: wallets and their shadow balances say the same, whatever dies", {
  timeout: 240_000,
}, async () => {
  let shadows = 0;
  const history = fc.tuple(fc.array(act, { minLength: 12, maxLength: 24 }), deaths);
  const lane = (number: number) =>
    fc.assert(
      fc.asyncProperty(history, async ([acts, killAt]) => {
        const course = await play(acts, killAt);
        shadows += course.shadows;
        expect(course.problems).toEqual([]);
      }),
      { seed: SEED + number, numRuns: HISTORIES / LANES, endOnFailure: true },
    );
  await Promise.all(Array.from({ length: LANES }, (_none, number) => lane(number)));
  expect(shadows).toBeGreaterThan(100);
});
