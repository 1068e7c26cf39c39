import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { projectBatch } from "../../src/storage/projection";
import { TransactionsTable } from "../../src/storage/transactions";
import { instanceOfATest, newBalanceId, transactionFor } from "../support/records";

it("the open holds on a balance are its own, the largest first", async () => {
  const instance = instanceOfATest();
  const [card, other] = [newBalanceId(), newBalanceId()];
  const holdOf = (source: typeof card, remaining: bigint | null) =>
    transactionFor(instance, {
      source: { balanceId: source, indicator: null },
      status: remaining === null ? "APPLIED" : "INFLIGHT",
      inflightRemaining: remaining,
    });
  const holds = [9n, 0n, 10n, 123456789012345678901234567890n, null, 2n].map((remaining) =>
    holdOf(card, remaining),
  );
  await projectBatch(env.DB, instance, {
    transactions: [...holds, holdOf(other, 50n)],
    balances: [],
  });

  const open = await new TransactionsTable(env.DB, instance).openHoldsOf(card, 3);
  expect(open.map(({ inflightRemaining }) => inflightRemaining)).toEqual([
    123456789012345678901234567890n,
    10n,
    9n,
  ]);
});

it("they are read along an index that ends with them, however many were settled", async () => {
  const statements: { sql: string; values: unknown[] }[] = [];
  const watched = new Proxy(env.DB, {
    get: (db, name) => {
      if (name !== "prepare") return Reflect.get(db, name).bind(db);
      return (sql: string) => {
        const statement = db.prepare(sql);
        const bind = statement.bind.bind(statement);
        statement.bind = (...values: unknown[]) => {
          statements.push({ sql, values });
          return bind(...values);
        };
        return statement;
      };
    },
  });
  await new TransactionsTable(watched, instanceOfATest()).openHoldsOf(newBalanceId(), 20);
  const [{ sql, values } = { sql: "", values: [] }] = statements;
  const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  expect(plan.results.map(({ detail }) => detail)).toEqual([
    "SEARCH transactions USING INDEX transactions_by_hold (instance_id=? AND source=? AND inflight_remaining>?)",
  ]);
});
