import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { indicatorBalanceId, transactionIdOf } from "../../src/domain/ids";
import { type Instant, instantOfMicros, microsOf } from "../../src/domain/time";
import { balanceStub } from "../../src/durable/balance/client";
import type { MoneyOperation } from "../../src/durable/balance/protocol";

const MINUTE = 60_000_000;

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => vi.useRealTimers());

/** One change, and how many microseconds before or after it is asked for it takes effect. */
interface Dated {
  readonly side: "source" | "destination";
  readonly action: MoneyOperation["action"];
  readonly amount: bigint;
  readonly offset: number;
  /** Milliseconds by which the clock has moved since the change before it. */
  readonly pause: number;
}

const offset = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -2_000_000, max: 2_000_000 }),
  fc.integer({ min: -3 * MINUTE, max: 3 * MINUTE }),
  fc.integer({ min: -1_000_000 * MINUTE, max: 1_000_000 * MINUTE }),
);

const dated: fc.Arbitrary<Dated> = fc.record({
  side: fc.constantFrom("source", "destination"),
  action: fc.constantFrom("apply", "apply", "hold", "commit", "void"),
  amount: fc.constant(1n),
  offset,
  pause: fc.oneof(fc.nat(1_000), fc.nat(200_000), fc.integer({ min: -200_000, max: 0 })),
});

/** Carries out the changes one call each, and answers what was asked for. */
async function history(changes: readonly Dated[]) {
  const instance = `history-${crypto.randomUUID()}`;
  const id = indicatorBalanceId(instance, "@a", "USD");
  const stub = () => balanceStub(env.BALANCES, instance, id);
  let nowMs = Date.UTC(2031, 0, 1);
  const operations = changes.map(({ offset: by, pause, ...change }, index) => {
    nowMs += pause;
    const operation: MoneyOperation = {
      ...change,
      kind: "change",
      op: `op-${index}`,
      transactionId: transactionIdOf(instance, `t${index}`),
      overdraft: { kind: "unlimited" },
      currency: "USD",
      indicator: "@a",
      effectiveDate: instantOfMicros(nowMs * 1000 + by),
      seal: "5".repeat(64),
    };
    return { nowMs, operation };
  });
  // There is always something held that can be settled.
  const held = changes.length + 1;
  const base = operations[0]?.operation;
  if (base === undefined) throw new Error("a history has a change");
  for (const side of ["source", "destination"] as const) {
    const hold = { ...base, op: `held-${side}`, side, action: "hold" as const };
    await stub().execute({ operations: [{ ...hold, amount: BigInt(held) }] });
  }
  for (const { nowMs: at, operation } of operations) {
    vi.setSystemTime(at);
    const { answers } = await stub().execute({ operations: [operation] });
    expect(answers[0]?.outcome).toBe("applied");
  }
  return {
    operations: operations.map(({ operation }) => operation),
    readAt: (moment: Instant) => stub().readAt({ moment }),
  };
}

/** What had settled by a moment, by adding everything up. */
function summed(operations: readonly MoneyOperation[], moment: Instant) {
  const by = operations.filter(
    ({ action, effectiveDate }) =>
      (action === "apply" || action === "commit") && effectiveDate <= moment,
  );
  const sumOf = (side: string) =>
    by.reduce((sum, each) => (each.side === side ? sum + each.amount : sum), 0n);
  return { credit: sumOf("destination"), debit: sumOf("source") };
}

it("what had settled by any moment is the sum of what took effect by then", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(dated, { minLength: 1, maxLength: 12 }),
      fc.array(offset, { minLength: 1, maxLength: 4 }),
      async (changes, others) => {
        const { operations, readAt } = await history(changes);
        const dates = operations.map(({ effectiveDate }) => microsOf(effectiveDate));
        const near = dates.flatMap((micros) => [micros - 1, micros, micros + 1]);
        const moments = [...near, ...others.map((by) => Date.now() * 1000 + by)];
        for (const moment of moments.map(instantOfMicros)) {
          expect(await readAt(moment)).toMatchObject(summed(operations, moment));
        }
      },
    ),
    { numRuns: 60 },
  );
});
