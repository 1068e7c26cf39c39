import fc from "fast-check";
import type { History } from "./arbitraries";
import type { Fault } from "./faults";

/**
 * Who takes part in histories of groups. All but `nobody` exist from the start. `@credit` may owe a little, `@world`
 * anything; `owned` and `euro` were made by their owners, in USD and EUR.
 */
export const PLACES = [
  "@world",
  "@a",
  "@b",
  "@c",
  "@d",
  "@credit",
  "owned",
  "euro",
  "nobody",
] as const;
export type Place = (typeof PLACES)[number];

/** Minor units that `@credit` may owe. */
export const CREDIT = 20n;

/** Shards of the journals of these histories. */
export const GROUP_SHARDS = 4;

/** A transfer in USD, alone or in a batch. */
export interface Item {
  readonly reference: string;
  readonly from: Place;
  readonly to: Place;
  /** Minor units. */
  readonly amount: bigint;
}

export interface BatchOp {
  readonly kind: "batch";
  readonly items: readonly Item[];
  readonly atomic: boolean;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  readonly runAsync: boolean;
}

export interface PostOp {
  readonly kind: "post";
  readonly item: Item;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
}

/** One side is `place`; the other is shared out. */
export interface SplitOp {
  readonly kind: "split";
  readonly reference: string;
  readonly place: Place;
  readonly shared: "sources" | "destinations";
  readonly shares: readonly { readonly of: Place; readonly distribution: string }[];
  readonly amount: bigint;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
}

/** What follows: from a reference, or from the batch that this many commands were sent before. */
export interface FollowOp {
  readonly kind: "commit" | "void" | "refund";
  readonly of: string | number;
  /** Minor units; null is all of it. */
  readonly amount: bigint | null;
  readonly skipQueue: boolean;
}

/** Somebody asks for a batch, and then for its items, one after the other. */
export interface WatchOp {
  readonly kind: "watch";
  readonly of: number;
}

export type GroupOp = BatchOp | PostOp | SplitOp | FollowOp | WatchOp;

/** One thing that is sent. */
export interface GroupCommand {
  readonly op: GroupOp;
  /** Whether the client names its request: repeats of it then are one, and otherwise rivals for the same references. */
  readonly named: boolean;
  /** How often it is sent, all at once. */
  readonly sends: number;
  /** Whether all that came before is answered first. */
  readonly waits: boolean;
}

export interface GroupHistory extends Pick<History, "faults" | "queue"> {
  readonly commands: readonly GroupCommand[];
  /** How often the queue delivers the job of a batch that runs in the background. */
  readonly deliveries: number;
}

/** True in so many of ten. */
const often = (times: number): fc.Arbitrary<boolean> =>
  fc.nat({ max: 9 }).map((drawn) => drawn < times);

/** References of single transfers; some are those of the legs of splits. */
const reference = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 15 }).map((drawn) => `r${drawn}`) },
  { weight: 1, arbitrary: fc.constantFrom("s1-1", "s1_1", "s2-2", "s2_1") },
);

/** Those that have money, mostly, and all at once: it does not reach for everybody. */
const giver = fc.oneof(
  { weight: 18, arbitrary: fc.constant("@a" as const) },
  { weight: 18, arbitrary: fc.constantFrom("@b", "@c", "@d", "owned") },
  { weight: 6, arbitrary: fc.constant("@credit" as const) },
  { weight: 6, arbitrary: fc.constant("@world" as const) },
  { weight: 1, arbitrary: fc.constantFrom("euro", "nobody") },
) satisfies fc.Arbitrary<Place>;

const taker = fc.oneof(
  { weight: 36, arbitrary: fc.constantFrom("@a", "@b", "@c", "@d", "@credit", "owned") },
  { weight: 3, arbitrary: fc.constant("@world" as const) },
  { weight: 1, arbitrary: fc.constantFrom("euro", "nobody") },
) satisfies fc.Arbitrary<Place>;

const item: fc.Arbitrary<Item> = fc
  .record({
    reference,
    from: giver,
    to: taker,
    amount: fc.bigInt({ min: 1n, max: 25n }),
  })
  .filter(({ from, to }) => from !== to);

/** Mostly each reference once. */
const items = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.uniqueArray(item, {
      minLength: 2,
      maxLength: 4,
      selector: (each) => each.reference,
    }),
  },
  { weight: 1, arbitrary: fc.array(item, { minLength: 2, maxLength: 4 }) },
);

const batch: fc.Arbitrary<BatchOp> = fc.record({
  kind: fc.constant("batch"),
  items,
  atomic: often(9),
  inflight: often(3),
  skipQueue: often(7),
  runAsync: often(3),
});

const post: fc.Arbitrary<PostOp> = fc.record({
  kind: fc.constant("post"),
  item,
  inflight: often(3),
  skipQueue: often(7),
});

const split: fc.Arbitrary<SplitOp> = fc
  .record({
    kind: fc.constant("split" as const),
    reference: fc.constantFrom("s1", "s1", "s2"),
    place: giver,
    shared: fc.constantFrom("destinations", "destinations", "sources"),
    others: fc.uniqueArray(taker, { minLength: 2, maxLength: 3 }),
    first: fc.constantFrom("50%", "12.5%", "0.07", "0.10"),
    amount: fc.bigInt({ min: 14n, max: 30n }),
    inflight: often(5),
    skipQueue: often(6),
  })
  .filter(({ place, others }) => !others.includes(place))
  .map(({ others, first, ...rest }) => ({
    ...rest,
    shares: others.map((of, index) => ({
      of,
      distribution: index === 0 ? first : index === 1 ? "left" : "10%",
    })),
  }));

const part = fc.option(fc.bigInt({ min: 1n, max: 12n }), { nil: null });

const followUp = (of: fc.Arbitrary<string | number>): fc.Arbitrary<FollowOp> =>
  fc.record({
    kind: fc.constantFrom("commit", "void", "refund"),
    of,
    amount: part,
    skipQueue: often(7),
  });

const watch: fc.Arbitrary<WatchOp> = fc.record({
  kind: fc.constant("watch"),
  of: fc.nat({ max: 3 }),
});

const sent = <Op extends GroupOp>(op: fc.Arbitrary<Op>, waits = 3): fc.Arbitrary<GroupCommand> =>
  fc.record({
    op,
    named: fc.boolean(),
    sends: fc.constantFrom(1, 1, 1, 1, 2),
    waits: often(waits),
  });

const STEPS = [
  "batch:inserted",
  "batch:decided",
  "batch:step-ended",
  "batch:finished",
  "claim:taken",
  "claim:resolved",
  "group:begun",
  "group:claimed",
  "group:claimed",
  "group:reserved",
  "group:released",
  "group:posted",
  "group:claims-settled",
  "group:claims-settled",
  "execute:received",
  "execute:committed",
  "flush:projected",
  "flush:settled",
] as const;

/** What only splits and what follows from a transaction pass. */
const OTHER_STEPS = [
  "split:decided",
  "split:refused",
  "record:inserted",
  "settle:inserted",
  "refund:inserted",
  "drive:debited",
  "drive:credited",
] as const;

/**
 * Steps in the turn in which another shard has answered: there an object dies only after its
 * writes, because the runtime does not survive it otherwise.
 */
const AFTER_SHARDS: readonly string[] = [
  "group:claimed",
  "group:claims-settled",
  "batch:step-ended",
  "batch:finished",
  "claim:resolved",
];

const death = (step: fc.Arbitrary<string>): fc.Arbitrary<Fault> =>
  fc
    .record({
      kind: fc.constant("death" as const),
      step,
      nth: fc.integer({ min: 1, max: 4 }),
      durable: fc.boolean(),
    })
    .map((fault) => ({ ...fault, durable: fault.durable || AFTER_SHARDS.includes(fault.step) }));

const brokenCall: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant("call" as const),
    method: fc.constantFrom(
      "journal.recordBatch",
      "journal.claimReferences",
      "journal.settleReferences",
      "balance.execute",
      "balance.execute",
      "jobs.send",
      "d1.batch",
    ),
    nth: fc.integer({ min: 1, max: 6 }),
    fate: fc.constantFrom("lost", "reply-lost", "twice"),
  }),
  fc.record({
    kind: fc.constant("call" as const),
    method: fc.constant("balance.execute"),
    nth: fc.integer({ min: 1, max: 6 }),
    fate: fc.constant("late" as const),
  }),
);

const groupHistory = (
  commands: fc.Arbitrary<GroupCommand[]>,
  step: fc.Arbitrary<string>,
): fc.Arbitrary<GroupHistory> =>
  fc.record({
    commands,
    deliveries: fc.constantFrom(0, 1, 1, 2),
    queue: fc.constantFrom("swallowed", "swallowed", "twice"),
    faults: fc.array(fc.oneof(death(step), death(step), brokenCall), { maxLength: 3 }),
  });

/** Batches that are sent at once and want the same money and the same references. */
export const batchHistory = (): fc.Arbitrary<GroupHistory> =>
  groupHistory(
    fc
      .tuple(
        fc.array(sent(batch), { minLength: 2, maxLength: 3 }),
        fc.array(
          fc.oneof(
            { weight: 2, arbitrary: sent(post) },
            { weight: 3, arbitrary: sent(watch) },
            { weight: 1, arbitrary: sent(followUp(fc.nat({ max: 2 }))) },
          ),
          { maxLength: 2 },
        ),
      )
      .map(([batches, others]) => [...batches, ...others]),
    fc.constantFrom(...STEPS),
  );

/** Splits and what follows from them, beside batches. */
export const splitHistory = (): fc.Arbitrary<GroupHistory> => {
  const of = fc.constantFrom("s1", "s1", "s1", "s2", "r1");
  return groupHistory(
    fc
      .tuple(
        sent(split),
        fc.array(
          fc.oneof(
            { weight: 3, arbitrary: sent(split) },
            { weight: 5, arbitrary: sent(followUp(of), 6) },
            { weight: 2, arbitrary: sent(batch) },
            { weight: 1, arbitrary: sent(post) },
          ),
          { minLength: 2, maxLength: 5 },
        ),
      )
      .map(([first, others]) => [first, ...others]),
    fc.constantFrom(...STEPS, ...OTHER_STEPS, ...OTHER_STEPS),
  );
};
