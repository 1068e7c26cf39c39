import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BalanceSnapshot } from "../../src/domain/balance-record";
import { parseListQuery } from "../../src/domain/filter/parse-query";
import { balanceList, transactionList } from "../../src/domain/filter/resources";
import type { Transaction } from "../../src/domain/transaction";
import { BalancesTable } from "../../src/storage/balances";
import { projectBatch } from "../../src/storage/projection";
import { TransactionsTable } from "../../src/storage/transactions";
import { instanceOfATest, snapshotFor, transactionFor } from "../support/records";

async function transactionsIn(instance: string): Promise<readonly Transaction[]> {
  const query = parseListQuery(transactionList, [["limit", "1000"]]);
  if (!query.ok) throw new Error(query.error.message);
  return (await new TransactionsTable(env.DB, instance).list(query.value)).rows;
}

async function balancesIn(instance: string): Promise<readonly BalanceSnapshot[]> {
  const query = parseListQuery(balanceList, [["limit", "1000"]]);
  if (!query.ok) throw new Error(query.error.message);
  return (await new BalancesTable(env.DB, instance).list(query.value)).rows;
}

describe("what the journal tells D1", () => {
  it("comes back as the same transaction, field by field", async () => {
    const instance = instanceOfATest();
    const plain = transactionFor(instance, { skipQueue: true, metaData: '{"a":1.50,"b":[null]}' });
    const full = transactionFor(instance, {
      kind: "commit",
      parentTransaction: plain.transactionId,
      status: "INFLIGHT",
      description: "déjà \"vu\" \\ 'x' 漢字",
      precision: 10n ** 30n,
      amount: "1.005",
      amountString: "1.005",
      overdraft: { kind: "limited", limit: 10n ** 25n },
      allowOverdraft: true,
      overdraftLimit: "5.5",
      inflight: true,
      skipQueue: false,
      atomic: true,
      scheduledFor: "2031-01-01T00:00:00+03:00",
      inflightExpiryDate: "2031-01-02T00:00:00Z",
      inflightCommitDate: "2031-01-03T00:00:00Z",
      effectiveDate: "2020-01-01T00:00:00.000000Z",
      hash: "ab".repeat(32),
      metaData: '{"n":123456789012345678901234567890}',
      inflightRemaining: 12345678901234567890n,
      rejectionReason: "no funds",
      sourceVersion: 7,
      destinationVersion: 9,
      revision: 3,
    });

    await projectBatch(env.DB, instance, { transactions: [plain, full], balances: [] });

    const rows = await transactionsIn(instance);
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(expect.arrayContaining([plain, full]));
  });

  it("comes back as the same balance", async () => {
    const instance = instanceOfATest();
    const snapshot = snapshotFor({
      identityId: "idt_x",
      indicator: "@fees",
      metaData: '{"tier":2}',
      trackFundLineage: true,
      credit: 5n,
      debit: 10n ** 39n,
      inflightCredit: 3n,
      inflightDebit: 4n,
      version: 12,
      profileVersion: 3,
    });
    await projectBatch(env.DB, instance, { transactions: [], balances: [snapshot] });
    expect(await balancesIn(instance)).toEqual([snapshot]);
  });

  it("never lets an older batch overwrite a newer row", async () => {
    const instance = instanceOfATest();
    const queued = transactionFor(instance);
    const applied: Transaction = { ...queued, status: "APPLIED", sourceVersion: 2, revision: 2 };
    const early = snapshotFor({ credit: 1n, version: 2 });
    const late = { ...early, credit: 2n, version: 3 };
    for (const [transaction, balance] of [
      [applied, late],
      [queued, early],
    ] as const) {
      await projectBatch(env.DB, instance, { transactions: [transaction], balances: [balance] });
    }
    expect(await transactionsIn(instance)).toEqual([applied]);
    expect(await balancesIn(instance)).toEqual([late]);
  });

  it("moves amounts and profile of a balance forward each by its own version", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            version: fc.integer({ min: 1, max: 6 }),
            profile: fc.integer({ min: 1, max: 4 }),
          }),
          {
            minLength: 1,
            maxLength: 8,
          },
        ),
        async (seen) => {
          const instance = instanceOfATest();
          const first = snapshotFor();
          const at = ({ version, profile }: { version: number; profile: number }) => ({
            ...first,
            credit: BigInt(version) * 100n,
            version,
            identityId: `idt_${profile}`,
            metaData: `{"profile":${profile}}`,
            profileVersion: profile,
          });
          for (const each of seen) {
            await projectBatch(env.DB, instance, { transactions: [], balances: [at(each)] });
          }
          const newest = {
            version: Math.max(...seen.map(({ version }) => version)),
            profile: Math.max(...seen.map(({ profile }) => profile)),
          };
          expect(await balancesIn(instance)).toEqual([at(newest)]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("writes nothing when it is told the same again", async () => {
    const instance = instanceOfATest();
    const transactions = Array.from({ length: 100 }, (_none, at) =>
      transactionFor(instance, { status: at < 90 ? "APPLIED" : "REJECTED" }),
    );
    const balances = Array.from({ length: 100 }, () => snapshotFor());
    const before = await rowsWritten((db) =>
      projectBatch(db, instance, { transactions, balances }),
    );
    const again = await rowsWritten((db) => projectBatch(db, instance, { transactions, balances }));
    // A key and two indexes for each transaction, one more when it is not applied; a key and two indexes for each balance.
    expect(before).toBe(90 * 3 + 10 * 4 + 100 * 3);
    expect(again).toBe(0);
  });

  it("writes one row for a transaction that reaches its state, and one for a balance that moves", async () => {
    const instance = instanceOfATest();
    const queued = transactionFor(instance);
    const balance = snapshotFor();
    await projectBatch(env.DB, instance, { transactions: [queued], balances: [balance] });
    const written = await rowsWritten((db) =>
      projectBatch(db, instance, {
        transactions: [{ ...queued, status: "APPLIED", revision: 2 }],
        balances: [{ ...balance, credit: 7n, version: 2 }],
      }),
    );
    expect(written).toBe(2);
  });

  it("takes rows that together are longer than a parameter may be", async () => {
    const instance = instanceOfATest();
    const metaData = JSON.stringify({ text: "x".repeat(250_000) });
    const transactions = Array.from({ length: 10 }, () =>
      transactionFor(instance, { metaData, skipQueue: false }),
    );
    await projectBatch(env.DB, instance, { transactions, balances: [] });
    const rows = await transactionsIn(instance);
    expect(new Set(rows.map((row) => row.metaData))).toEqual(new Set([metaData]));
    expect(rows).toHaveLength(10);
  });
});

/** The rows that D1 counted as written, indexes included, by what is done with a database. */
async function rowsWritten(act: (db: D1Database) => Promise<void>): Promise<number> {
  let written = 0;
  const counting = new Proxy(env.DB, {
    get: (db, name) => {
      if (name !== "batch") return Reflect.get(db, name).bind(db);
      return async (statements: D1PreparedStatement[]) => {
        const results = await db.batch(statements);
        for (const { meta } of results) written += meta.rows_written;
        return results;
      };
    },
  });
  await act(counting);
  return written;
}
