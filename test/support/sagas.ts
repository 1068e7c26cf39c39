import type { BalanceProfile } from "../../src/domain/balance-record";
import { indicatorBalanceId, type TransactionId } from "../../src/domain/ids";
import { appOf } from "./app";
import { storedRows } from "./audit";
import { MADE_AT } from "./records";
import { makeWallets, walletId } from "./wallets";
import { named, type World } from "./world";

/** One saga of the journal: what is there before, and the requests that set it off, each repeatable. */
export interface Saga {
  readonly name: string;
  prepare(world: World): Promise<unknown>;
  readonly steps: readonly ((world: World) => Promise<unknown>)[];
  /** The steps and calls that only this saga passes; absent: all are to be broken. */
  readonly own?: RegExp;
}

const PAST = "2001-01-01T00:00:00Z";

const transfer = { reference: "t", from: "@alice", to: "@bob", amount: 60n } as const;
const hold = { ...transfer, inflight: true } as const;
const queued = { skipQueue: false } as const;

const funded = (world: World) =>
  world.post({ reference: "fund-alice", from: "@world", to: "@alice", amount: 100n }, named("f"));

const held = async (world: World) => {
  await funded(world);
  await world.post(hold, named("h"));
};

const apply = (world: World, ...references: readonly string[]) =>
  Promise.all(
    references.map((reference) =>
      world.shardOf(reference).applyMany({ ids: [world.idOf(reference)] }),
    ),
  );

/** The children that wait in the queue are applied as the queue would. */
async function applyChildren(world: World, ids: readonly TransactionId[]): Promise<void> {
  await Promise.all(world.shards().map((shard) => shard.applyMany({ ids })));
}

const handMade = (world: World): BalanceProfile => ({
  // The same id in every run of an instance, so that a repeat is a repeat.
  balanceId: indicatorBalanceId(world.instance, "made by hand", "USD"),
  ledgerId: "ldg_of_a_test",
  identityId: "idt_carl",
  currency: "USD",
  indicator: "",
  createdAt: MADE_AT,
  metaData: null,
  trackFundLineage: false,
  allocationStrategy: "FIFO",
});

const LINEAGE = /^(trace|shadows):|^journal\.(record|settle)$/;

const between = (world: World) => ({
  reference: "t",
  from: walletId(world, "ada"),
  to: walletId(world, "bob"),
  amount: 80n,
});

/** Money comes to ada, and she passes it on to bob. */
function passingOn(world: World) {
  const item = { precise_amount: 70, precision: 100, currency: "USD", description: "of a batch" };
  const [ada, bob] = [walletId(world, "ada"), walletId(world, "bob")];
  const tagged = { allow_overdraft: true, meta_data: { BLNK_LINEAGE_PROVIDER: "wise" } };
  const transactions = [
    { ...item, ...tagged, reference: "in", source: "@world", destination: ada },
    { ...item, reference: "on", precise_amount: 150, source: ada, destination: bob },
  ];
  return { transactions, atomic: true, skip_queue: true };
}

export const SAGAS: readonly Saga[] = [
  {
    name: "a synchronous transfer",
    prepare: funded,
    steps: [(world) => world.post(transfer, named("k"))],
  },
  {
    name: "a synchronous transfer that is refused",
    prepare: funded,
    steps: [(world) => world.post({ ...transfer, amount: 101n }, named("k"))],
  },
  {
    name: "a queued transfer",
    prepare: funded,
    steps: [
      (world) => world.post({ ...transfer, ...queued }, named("k")),
      (world) => apply(world, "t"),
    ],
  },
  {
    name: "a queued transfer that is rejected",
    prepare: funded,
    steps: [
      (world) => world.post({ ...transfer, ...queued, amount: 101n }, named("k")),
      (world) => apply(world, "t"),
    ],
  },
  {
    name: "a transfer to a balance that was made by hand",
    prepare: async (world) => {
      await funded(world);
      await world.journal.createBalance(handMade(world));
    },
    steps: [(world) => world.post({ ...transfer, to: handMade(world).balanceId }, named("k"))],
  },
  {
    name: "a transfer that is merged into at once",
    prepare: funded,
    steps: [
      (world) => world.post(transfer, named("k")),
      (world) => world.journal.mergeMetaData(world.idOf("t"), '{"a":1}'),
    ],
  },
  {
    name: "a hold",
    prepare: funded,
    steps: [(world) => world.post(hold, named("k"))],
  },
  {
    name: "a queued hold",
    prepare: funded,
    steps: [
      (world) => world.post({ ...hold, ...queued }, named("k")),
      (world) => apply(world, "t"),
    ],
  },
  {
    name: "a commit in full",
    prepare: held,
    steps: [(world) => world.commit("t", null, { operation: named("k") })],
  },
  {
    name: "a commit of a part, and another",
    prepare: held,
    steps: [
      (world) => world.commit("t", 20n, { operation: named("k") }),
      (world) => world.commit("t", 20n, { operation: named("l") }),
    ],
  },
  {
    name: "a commit by the queue",
    prepare: held,
    steps: [
      (world) => world.commit("t", 20n, { ...queued, operation: named("k") }),
      async (world) => applyChildren(world, await childIds(world)),
    ],
  },
  {
    name: "a commit by the queue of a hold that is queued itself",
    prepare: funded,
    steps: [
      (world) => world.post({ ...hold, ...queued }, named("h")),
      (world) => world.commit("t", null, { ...queued, operation: named("k") }),
      (world) => apply(world, "t"),
      async (world) => applyChildren(world, await childIds(world)),
    ],
  },
  {
    name: "a commit of a queued hold that is rejected",
    prepare: funded,
    steps: [
      (world) => world.post({ ...hold, ...queued, amount: 101n }, named("h")),
      (world) => world.commit("t", null, { ...queued, operation: named("k") }),
      (world) => apply(world, "t"),
    ],
  },
  {
    name: "a void",
    prepare: held,
    steps: [(world) => world.void("t", { operation: named("k") })],
  },
  {
    name: "a void of the rest, by the queue",
    prepare: async (world) => {
      await held(world);
      await world.commit("t", 20n, { operation: named("c") });
    },
    steps: [
      (world) => world.void("t", { ...queued, operation: named("k") }),
      async (world) => applyChildren(world, await childIds(world)),
    ],
  },
  {
    name: "a refund",
    prepare: async (world) => {
      await funded(world);
      await world.post(transfer, named("t"));
    },
    steps: [(world) => world.refund(world.idOf("t"), { operation: named("k") })],
  },
  {
    name: "a refund by the queue",
    prepare: async (world) => {
      await funded(world);
      await world.post(transfer, named("t"));
    },
    steps: [
      (world) => world.refund(world.idOf("t"), { ...queued, operation: named("k") }),
      async (world) => applyChildren(world, await childIds(world)),
    ],
  },
  {
    name: "a refund of all commits of a hold",
    prepare: async (world) => {
      await held(world);
      await world.commit("t", 20n, { operation: named("c") });
      await world.commit("t", 30n, { operation: named("d") });
    },
    steps: [(world) => world.refund(world.idOf("t"), { operation: named("k") })],
  },
  {
    name: "a transfer whose time has come",
    prepare: funded,
    steps: [
      (world) => world.post({ ...transfer, ...queued, scheduledFor: PAST }, named("k")),
      (world) => world.ring(),
    ],
  },
  {
    name: "a hold that expires",
    prepare: funded,
    steps: [
      (world) => world.post({ ...hold, inflightExpiryDate: PAST }, named("k")),
      (world) => world.journal.barrier(),
      (world) => world.ring(),
    ],
  },
  {
    name: "a hold that is committed when its date comes",
    prepare: funded,
    steps: [
      (world) => world.post({ ...hold, inflightCommitDate: PAST }, named("k")),
      (world) => world.journal.barrier(),
      (world) => world.ring(),
    ],
  },
  {
    name: "a balance made by hand",
    prepare: funded,
    steps: [(world) => world.journal.createBalance(handMade(world))],
  },
  {
    name: "a change of a profile",
    prepare: async (world) => {
      await world.journal.createBalance(handMade(world));
      // Announced as it was made: otherwise the event tells whichever of the two comes first.
      await world.journal.barrier();
    },
    steps: [
      (world) =>
        world.journal.updateBalance(handMade(world).balanceId, {
          identityId: "idt_dora",
          mergeMetaData: '{"a":1}',
        }),
    ],
  },
  {
    name: "a queued transfer that is cancelled",
    prepare: funded,
    steps: [
      (world) =>
        world.post({ ...transfer, ...queued, scheduledFor: "2131-01-01T00:00:00Z" }, named("k")),
      (world) => world.journal.cancel(world.idOf("t")),
    ],
  },
  {
    name: "a queued transfer of a provider's money",
    prepare: makeWallets,
    own: LINEAGE,
    steps: [
      (world) => world.post({ ...between(world), ...queued }, named("k")),
      (world) => apply(world, "t"),
    ],
  },
  {
    name: "a batch that brings a provider's money and passes it on",
    prepare: makeWallets,
    own: LINEAGE,
    steps: [
      (world) => appOf(world)("POST", "/transactions/bulk", { body: passingOn(world), key: "k" }),
    ],
  },
  {
    name: "a hold of a provider's money, a commit of a part, and a void",
    prepare: makeWallets,
    own: LINEAGE,
    steps: [
      (world) => world.post({ ...between(world), inflight: true }, named("k")),
      (world) => world.commit("t", 60n, { operation: named("l") }),
      (world) => world.void("t", { operation: named("m") }),
    ],
  },
];

async function childIds(world: World): Promise<TransactionId[]> {
  const rows = await storedRows(world);
  return rows.filter(({ posting }) => posting.parentTransaction !== "").map(({ id }) => id);
}
