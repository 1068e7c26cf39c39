import fc from "fast-check";
import { expect, it } from "vitest";
import { type Answer, call, codeOf, field, textOf, type Value, writeJson } from "../support/api";
import { amountsOf, fund, newBalances, unique } from "../support/ledger";

/** A request that can be asked as a dry run first; places name what earlier steps made. */
interface Step {
  readonly method: string;
  path(ids: readonly string[]): string;
  body(sides: readonly string[]): { readonly [key: string]: unknown };
}

const side = fc.nat({ max: 3 });
const amount = fc.integer({ min: 0, max: 60 });
const overdraft = fc.constantFrom(
  {},
  { allow_overdraft: true },
  { overdraft_limit: 0.2 },
  { allow_overdraft: true, overdraft_limit: 0.3 },
);

const posting = (changes: object) => ({
  precision: 100,
  currency: "USD",
  reference: unique("r"),
  description: "d",
  ...changes,
});

const transfer: fc.Arbitrary<Step> = fc
  .record({ from: side, to: side, precise_amount: amount, inflight: fc.boolean(), overdraft })
  .map(({ from, to, overdraft: allowed, ...rest }) => ({
    method: "POST",
    path: () => "/transactions",
    body: (sides) => posting({ source: sides[from], destination: sides[to], ...allowed, ...rest }),
  }));

const split: fc.Arbitrary<Step> = fc
  .record({
    alone: side,
    isSource: fc.boolean(),
    share: fc.integer({ min: 1, max: 99 }),
    precise_amount: amount,
    inflight: fc.boolean(),
    overdraft,
  })
  .map(({ alone, isSource, share, overdraft: allowed, ...rest }) => ({
    method: "POST",
    path: () => "/transactions",
    body: (sides) => {
      const shares = [
        { identifier: sides[(alone + 1) % 4], distribution: `${share}%` },
        { identifier: sides[(alone + 2) % 4], distribution: "left" },
      ];
      const both = isSource
        ? { source: sides[alone], destinations: shares }
        : { destination: sides[alone], sources: shares };
      return posting({ ...both, ...allowed, ...rest });
    },
  }));

const settlement: fc.Arbitrary<Step> = fc
  .record({
    of: fc.nat({ max: 20 }),
    status: fc.constantFrom("commit", "void"),
    amount: fc.integer({ min: -1, max: 40 }).map((minor) => minor / 100),
  })
  .map(({ of, ...body }) => ({
    method: "PUT",
    path: (ids) => `/transactions/inflight/${ids[of % Math.max(ids.length, 1)] ?? "none"}`,
    body: () => body,
  }));

const refund: fc.Arbitrary<Step> = fc
  .record({
    of: fc.nat({ max: 20 }),
    amount: fc.option(fc.integer({ min: -1, max: 40 }), { nil: null }),
  })
  .map(({ of, amount: minor }) => ({
    method: "POST",
    path: (ids) => `/refund-transaction/${ids[of % Math.max(ids.length, 1)] ?? "none"}`,
    body: () => ({ precise_amount: minor }),
  }));

const isRecord = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the real call did was foretold: whether it goes, why not, and every balance afterwards. */
async function expectForetold(dry: Answer, real: Answer, ids: readonly string[]): Promise<void> {
  const told = writeJson(dry.body);
  if (dry.status !== 200) {
    // A hold that does not exist is 404 in a dry run, on either path.
    if (codeOf(dry) === "TXN_NOT_FOUND") expect(real.status, told).toBeGreaterThanOrEqual(400);
    else expect([dry.status, codeOf(dry)]).toEqual([real.status, codeOf(real)]);
    return;
  }
  if (field(dry, "would_apply") === false) {
    const rejection = field(dry, "rejection");
    expect(isRecord(rejection) && rejection.code, told).toBe(codeOf(real));
    return;
  }
  expect(real.status, told).toBeLessThan(300);
  expect(textOf(real, "status")).toBe(textOf(dry, "status"));
  const balances = field(dry, "balances");
  for (const balance of Array.isArray(balances) ? balances : []) {
    if (!isRecord(balance)) continue;
    const id = String(balance.balance_id);
    const { credit, debit, inflightCredit, inflightDebit } = await amountsOf(id);
    expect(ids).toContain(id);
    expect([
      balance.resulting_credit_balance,
      balance.resulting_debit_balance,
      balance.resulting_inflight_credit_balance,
      balance.resulting_inflight_debit_balance,
      balance.resulting_available,
    ]).toEqual(
      [credit, debit, inflightCredit, inflightDebit, credit - debit - inflightDebit].map(String),
    );
  }
}

it("a dry run tells what the real call does, whatever went before", async () => {
  const steps = fc.array(fc.oneof(transfer, transfer, split, settlement, refund), {
    minLength: 6,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const sides = await newBalances(4);
      const ids: string[] = [];
      await Promise.all(sides.slice(0, 2).map((side) => fund(side, 100n)));
      for (const step of history) {
        const path = step.path(ids);
        const body = { ...step.body(sides), skip_queue: true };
        const dry = await call(step.method, path, { body: { ...body, dry_run: true } });
        const real = await call(step.method, path, { body });
        await expectForetold(dry, real, sides);
        if (real.status < 300) ids.push(textOf(real, "transaction_id"));
      }
    }),
    { numRuns: 25 },
  );
});
