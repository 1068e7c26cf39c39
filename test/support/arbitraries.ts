import fc from "fast-check";
import type { Posting } from "../../src/domain/transaction";
import type { Fault } from "./faults";

/** Who takes part: balances by indicator, one made by its owner in USD, and an id that no balance has. */
export const ACCOUNTS = ["@world", "@a", "@b", "owned", "nobody"] as const;
export type Account = (typeof ACCOUNTS)[number];

/** A posting as a history has it. */
export interface Post {
  readonly kind: "post";
  readonly reference: string;
  readonly from: Account;
  readonly to: Account;
  /** Minor units. */
  readonly amount: bigint;
  readonly currency: "USD" | "EUR";
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  readonly overdraft: Posting["overdraft"];
}

/** What follows from a posting; `amount` null is all of it. */
export interface FollowUp {
  readonly kind: "commit" | "void" | "refund";
  readonly reference: string;
  readonly amount: bigint | null;
  readonly skipQueue: boolean;
}

/** What changes nothing that clients asked for: a read, and a delivery of the posting's queue message. */
export type Bystander =
  | { readonly kind: "read"; readonly reference: string }
  | { readonly kind: "deliver"; readonly reference: string };

export type Op = Post | FollowUp | Bystander;

/** One thing that is sent. */
export interface Command {
  readonly op: Op;
  /** The client's idempotency key; null when it sends none. */
  readonly key: string | null;
  /** How often it is sent, all at once. */
  readonly sends: number;
  /** Whether all that came before is answered first. */
  readonly waits: boolean;
}

export interface History {
  readonly shards: number;
  readonly commands: readonly Command[];
  /** What becomes of the messages that the journal sends to its own queue. */
  readonly queue: "well" | "swallowed" | "twice" | "reply-lost";
  readonly faults: readonly Fault[];
}

const REFERENCES = ["r1", "r2", "r3", "r4"] as const;

const reference = fc.constantFrom(...REFERENCES);
const amount = fc.bigInt({ min: 10n, max: 65n });
const part = fc.option(fc.bigInt({ min: 1n, max: 40n }), { nil: null });
const mostly = fc.oneof(
  { weight: 3, arbitrary: fc.constant(true) },
  { weight: 2, arbitrary: fc.constant(false) },
);

const account = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("@a", "@b", "owned") },
  { weight: 2, arbitrary: fc.constant("@world") },
  { weight: 1, arbitrary: fc.constant("nobody") },
) satisfies fc.Arbitrary<Account>;

/** One of them spends the most, so that its money runs out. */
const spender = fc.oneof(
  { weight: 3, arbitrary: fc.constant("@a") },
  { weight: 2, arbitrary: account },
) satisfies fc.Arbitrary<Account>;

const overdraft: fc.Arbitrary<Posting["overdraft"]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "none" } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: "limited", limit: 20n } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "unlimited" } as const) },
);

const post: fc.Arbitrary<Post> = fc
  .record({
    kind: fc.constant("post" as const),
    reference,
    from: spender,
    to: account,
    amount,
    currency: fc.oneof(
      { weight: 9, arbitrary: fc.constant("USD" as const) },
      { weight: 1, arbitrary: fc.constant("EUR" as const) },
    ),
    inflight: fc.boolean(),
    skipQueue: mostly,
    overdraft,
  })
  .filter(({ from, to }) => from !== to)
  .map((each) => (each.from === "@world" ? { ...each, overdraft: { kind: "unlimited" } } : each));

const followUp: fc.Arbitrary<FollowUp> = fc.record({
  kind: fc.constantFrom("commit", "commit", "void", "refund"),
  reference,
  amount: part,
  skipQueue: mostly,
});

const bystander: fc.Arbitrary<Bystander> = fc.oneof(
  fc.record({ kind: fc.constant("read" as const), reference }),
  fc.record({ kind: fc.constant("deliver" as const), reference }),
);

const command: fc.Arbitrary<Command | { readonly again: number; readonly waits: boolean }> =
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({
        op: fc.oneof(
          { weight: 5, arbitrary: post },
          { weight: 5, arbitrary: followUp },
          { weight: 2, arbitrary: bystander },
        ),
        key: fc.constantFrom(null, null, "k1", "k2", "k3"),
        sends: fc.constantFrom(1, 1, 1, 2),
        waits: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ again: fc.nat(), waits: fc.boolean() }) },
  );

/** A repetition is of something that was sent before it. */
const commands: fc.Arbitrary<Command[]> = fc
  .array(command, { minLength: 4, maxLength: 10 })
  .map((each) => {
    const before: Command[] = [];
    for (const next of each) {
      if (!("again" in next)) before.push(next);
      else {
        const same = before[next.again % Math.max(1, before.length)];
        if (same !== undefined) before.push({ ...same, waits: next.waits });
      }
    }
    return before;
  });

/** Where objects die: every step that these histories pass. */
const STEPS = [
  "request:arrived",
  "record:inserted",
  "settle:inserted",
  "refund:inserted",
  "drive:begun",
  "drive:probed",
  "drive:debited",
  "drive:credited",
  "drive:refused",
  "drive:refused-in-doubt",
  "drive:cancelled",
  "execute:received",
  "execute:committed",
  "flush:projected",
  "flush:sent",
  "flush:events-sent",
  "flush:settled",
] as const;

const death = fc.record({
  kind: fc.constant("death" as const),
  step: fc.constantFrom(...STEPS),
  nth: fc.integer({ min: 1, max: 5 }),
  durable: fc.boolean(),
});

const lostCall = fc.record({
  kind: fc.constant("call" as const),
  method: fc.constantFrom(
    "journal.record",
    "journal.settle",
    "journal.refund",
    "balance.execute",
    "balance.execute",
    "d1.batch",
  ),
  nth: fc.integer({ min: 1, max: 6 }),
  fate: fc.constantFrom("lost", "reply-lost", "twice"),
});

/** A call that arrives when its caller has long gone on. */
const lateCall = fc.record({
  kind: fc.constant("call" as const),
  method: fc.constantFrom("balance.execute"),
  nth: fc.integer({ min: 1, max: 6 }),
  fate: fc.constant("late" as const),
});

/** Which histories are drawn. */
export interface Weather {
  /** Whether calls get lost and objects die. */
  readonly deaths: boolean;
}

/** Short histories of a few clients who use the same few references and balances. */
export const history = ({ deaths }: Weather): fc.Arbitrary<History> =>
  fc.record({
    shards: fc.constantFrom(2, 4),
    commands,
    queue: fc.constantFrom("swallowed", "well", "twice", "reply-lost"),
    faults: fc.array(deaths ? fc.oneof(death, death, lostCall, lateCall) : lostCall, {
      minLength: deaths ? 1 : 0,
      maxLength: deaths ? 3 : 1,
    }),
  });
