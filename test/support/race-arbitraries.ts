import fc from "fast-check";
import type { Command, History, Op, Post } from "./arbitraries";
import type { Fault } from "./faults";

/** The hold, or the transfer, that all of a history is about. */
const REFERENCE = "r1";

/** Minor units of it: what follows from it mostly asks for a part, and together for more than there is. */
const AMOUNT = 40n;

const first = (inflight: boolean): fc.Arbitrary<Command> =>
  fc.boolean().map((skipQueue) => ({
    op: {
      kind: "post",
      reference: REFERENCE,
      from: "@a",
      to: "@b",
      amount: AMOUNT,
      currency: "USD",
      inflight,
      skipQueue,
      overdraft: { kind: "none" },
    } satisfies Post,
    key: null,
    sends: 1,
    waits: true,
  }));

const part = fc.option(fc.bigInt({ min: 1n, max: 30n }), { nil: null });

/** What follows, most of it at the same time; the queue delivers the hold meanwhile. */
const follows = (...kinds: readonly ("commit" | "void" | "refund")[]): fc.Arbitrary<Command[]> =>
  fc.array(
    fc.record({
      op: fc.oneof(
        {
          weight: 9,
          arbitrary: fc.record({
            kind: fc.constantFrom(...kinds),
            reference: fc.constant(REFERENCE),
            amount: part,
            skipQueue: fc.constantFrom(true, true, false),
          }),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            { kind: "deliver" as const, reference: REFERENCE },
            { kind: "read" as const, reference: REFERENCE },
          ),
        },
      ) satisfies fc.Arbitrary<Op>,
      key: fc.constantFrom(null, null, "k1", "k2", "k3"),
      sends: fc.constantFrom(1, 1, 2, 3),
      waits: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 3, maxLength: 7 },
  );

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant("death" as const),
    step: fc.constantFrom(
      "settle:inserted",
      "settle:inserted",
      "refund:inserted",
      "refund:inserted",
      "drive:begun",
      "drive:debited",
      "drive:credited",
      "execute:received",
      "execute:committed",
      "flush:projected",
      "flush:settled",
    ),
    nth: fc.integer({ min: 1, max: 4 }),
    durable: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("call" as const),
    method: fc.constantFrom("journal.settle", "journal.refund", "balance.execute"),
    nth: fc.integer({ min: 1, max: 5 }),
    fate: fc.constantFrom("lost", "reply-lost", "twice"),
  }),
  fc.record({
    kind: fc.constant("call" as const),
    method: fc.constant("balance.execute"),
    nth: fc.integer({ min: 3, max: 6 }),
    fate: fc.constant("late" as const),
  }),
);

const race = (commands: fc.Arbitrary<Command[]>): fc.Arbitrary<History> =>
  fc.record({
    shards: fc.constant(2),
    commands,
    queue: fc.constantFrom("swallowed", "well", "twice"),
    faults: fc.array(fault, { maxLength: 3 }),
  });

/** Many commit and void one hold, and some want what was committed back. */
export const raceOnAHold = (): fc.Arbitrary<History> =>
  race(
    fc
      .tuple(first(true), follows("commit", "commit", "commit", "void", "refund"))
      .map(([hold, others]) => [hold, ...others]),
  );

/** Many want one transfer back, all of it or a part. */
export const raceOnATransfer = (): fc.Arbitrary<History> =>
  race(
    fc.tuple(first(false), follows("refund")).map(([transfer, others]) => [transfer, ...others]),
  );
