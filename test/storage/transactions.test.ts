import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { parseFilterBody } from "../../src/domain/filter/parse-body";
import { parseListQuery } from "../../src/domain/filter/parse-query";
import { transactionList } from "../../src/domain/filter/resources";
import { legIdOf, transactionIdOf } from "../../src/domain/ids";
import type { Instant } from "../../src/domain/time";
import type { Transaction } from "../../src/domain/transaction";
import { projectBatch } from "../../src/storage/projection";
import { TransactionsTable } from "../../src/storage/transactions";
import { instanceOfATest, newBalanceId, snapshotFor, transactionFor } from "../support/records";

type Parameters = Readonly<Record<string, string>>;

function queryOf(parameters: Parameters) {
  const query = parseListQuery(transactionList, Object.entries(parameters));
  if (query.ok) return query.value;
  throw new Error(query.error.message);
}

async function list(instance: string, parameters: Parameters): Promise<readonly Transaction[]> {
  return (await new TransactionsTable(env.DB, instance).list(queryOf(parameters))).rows;
}

const project = (instance: string, ...transactions: readonly Transaction[]): Promise<void> =>
  projectBatch(env.DB, instance, { transactions, balances: [] });

/** How SQLite reads the page of a list: one line for each table or index. */
async function planOf(
  instance: string,
  parameters: Parameters,
  moments?: readonly Instant[],
): Promise<string> {
  const statements: { sql: string; values: readonly unknown[] }[] = [];
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
  await new TransactionsTable(watched, instance).list(queryOf(parameters), moments);
  const [page] = statements;
  if (page === undefined) throw new Error("nothing was asked");
  const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${page.sql}`)
    .bind(...page.values)
    .all<{ detail: string }>();
  return plan.results.map(({ detail }) => detail).join("\n");
}

describe("transactions in lists", () => {
  it("are those of their instance alone", async () => {
    const [one, other] = [instanceOfATest(), instanceOfATest()];
    const own = transactionFor(one);
    await project(one, own);
    await project(other, transactionFor(other));
    expect((await list(one, {})).map(({ transactionId }) => transactionId)).toEqual([
      own.transactionId,
    ]);
  });

  it("are found by either side, newest first, page by page", async () => {
    const instance = instanceOfATest();
    const wallet = newBalanceId();
    const at = (n: number) => `2030-02-03T04:05:0${n}.000000Z`;
    const mine = Array.from({ length: 6 }, (_, n) =>
      transactionFor(
        instance,
        { createdAt: at(n), status: n === 3 ? "REJECTED" : "APPLIED" },
        n % 2 === 0 ? { to: wallet } : { from: wallet, to: newBalanceId() },
      ),
    );
    await project(instance, ...mine, transactionFor(instance), transactionFor(instance));

    const newestFirst = [...mine].reverse().map(({ transactionId }) => transactionId);
    const all = await list(instance, { balance_id_eq: wallet });
    expect(all.map(({ transactionId }) => transactionId)).toEqual(newestFirst);
    const second = await list(instance, { balance_id_eq: wallet, limit: "2", offset: "2" });
    expect(second.map(({ transactionId }) => transactionId)).toEqual(newestFirst.slice(2, 4));
    const applied = await list(instance, { balance_id_eq: wallet, status_eq: "APPLIED" });
    expect(applied).toHaveLength(5);

    const table = new TransactionsTable(env.DB, instance);
    const first = await table.list(
      queryOf({ balance_id_eq: wallet, limit: "4", include_count: "true" }),
    );
    expect(first.total).toBe(6);
    const rest = await table.list(
      queryOf({ balance_id_eq: wallet, limit: "4", cursor: first.nextCursor ?? "" }),
    );
    expect(rest.rows.map(({ transactionId }) => transactionId)).toEqual(newestFirst.slice(4));
    expect(rest.nextCursor).toBeNull();
  });

  it("answer every question about their two sides", async () => {
    const instance = instanceOfATest();
    const [a, b, c] = [newBalanceId(), newBalanceId(), newBalanceId()];
    await project(
      instance,
      transactionFor(instance, {}, { from: a, to: b }),
      transactionFor(instance, {}, { from: b, to: c }),
    );
    const count = async (parameters: Parameters) => (await list(instance, parameters)).length;
    expect(await count({ balance_id_in: `${a},${c}` })).toBe(2);
    expect(await count({ balance_id_ne: a })).toBe(1);
    expect(await count({ balance_id_isnull: "1" })).toBe(0);
    expect(await count({ balance_id_isnotnull: "1" })).toBe(2);
    expect(await count({ balance_id_eq: a, source_eq: b, logical_operator: "or" })).toBe(2);
  });

  it("are found by the indicator of either balance, however the side was named", async () => {
    const instance = instanceOfATest();
    const fees = snapshotFor({ indicator: "@fees" });
    const byName = transactionFor(instance, {}, { from: newBalanceId(), to: fees.balanceId });
    const other = transactionFor(instance, {}, { from: newBalanceId(), to: newBalanceId() });
    const sides = [byName.source, other.source, other.destination];
    const balances = [fees, ...sides.map(({ balanceId }) => snapshotFor({ balanceId }))];
    await projectBatch(env.DB, instance, { transactions: [byName, other], balances });
    const ids = async (parameters: Parameters) =>
      (await list(instance, parameters)).map(({ transactionId }) => transactionId);
    expect(await ids({ indicator_eq: "@fees" })).toEqual([byName.transactionId]);
    expect(await ids({ indicator_like: "@f%" })).toEqual([byName.transactionId]);
    expect(await ids({ indicator_isnotnull: "1" })).toEqual([byName.transactionId]);
    expect(await ids({ indicator_isnull: "1" })).toHaveLength(2);
    expect(await ids({ indicator_eq: "@nobody" })).toEqual([]);
  });

  it("are compared by their exact amounts", async () => {
    const instance = instanceOfATest();
    const amounts = [50n, 100n, 250n, 10n ** 30n];
    await project(instance, ...amounts.map((amount) => transactionFor(instance, {}, { amount })));
    const found = async (parameters: Parameters) =>
      (await list(instance, { sort_by: "amount", sort_order: "asc", ...parameters })).map(
        ({ preciseAmount }) => preciseAmount,
      );
    expect(await found({ amount_between: "1|2.5" })).toEqual([100n, 250n]);
    expect(await found({ amount_eq: "0.50" })).toEqual([50n]);
    expect(await found({ precise_amount_gt: "999999999999999999999999999999" })).toEqual([
      10n ** 30n,
    ]);
    expect(await found({ precise_amount_gt: "1000000000000000000000000000000" })).toEqual([]);
    expect(await found({ precision_eq: "100" })).toEqual(amounts);
  });

  it("show which holds are open", async () => {
    const instance = instanceOfATest();
    const open = transactionFor(instance, { status: "INFLIGHT", inflightRemaining: 40n });
    const closed = transactionFor(instance, { status: "INFLIGHT", inflightRemaining: 0n });
    await project(instance, open, closed, transactionFor(instance));
    expect(await list(instance, { inflight_remaining_gt: "0" })).toEqual([open]);
    expect(await list(instance, { inflight_remaining_isnull: "1" })).toHaveLength(1);
  });

  it("are found by the ledger's own metadata as by the client's", async () => {
    const instance = instanceOfATest();
    const queued = transactionFor(instance, {
      skipQueue: false,
      metaData: '{"a":1}',
      inflight: true,
    });
    await project(instance, queued, transactionFor(instance, { metaData: '{"a":2}' }));
    expect(await list(instance, { "meta_data.queue_lane_eq": "normal" })).toEqual([queued]);
    expect(await list(instance, { "meta_data.inflight_eq": "true" })).toEqual([queued]);
    expect(await list(instance, { "meta_data.a_in": "1,2" })).toHaveLength(2);
  });

  it("are found by reference and parent", async () => {
    const instance = instanceOfATest();
    const parent = transactionFor(instance, {}, { reference: "order 1" });
    const leg = transactionFor(
      instance,
      {
        transactionId: legIdOf(instance, transactionIdOf(instance, "order 1"), "order 1-2"),
        parentTransaction: parent.transactionId,
        group: parent.transactionId,
      },
      { reference: "order 1-2" },
    );
    await project(instance, parent, leg);
    expect(await list(instance, { reference_eq: "order 1" })).toEqual([parent]);
    expect(await list(instance, { reference_eq: "order 1-2" })).toEqual([leg]);
    expect(await list(instance, { reference_like: "order%", parent_transaction_eq: "" })).toEqual([
      parent,
    ]);
    expect(await list(instance, { parent_transaction_eq: parent.transactionId })).toEqual([leg]);
  });
});

it("takes as many conditions as a filter may have", async () => {
  const instance = instanceOfATest();
  const operand = (text: string) => ({ type: "text", text }) as const;
  const longName = "n".repeat(70);
  for (const [field, operator, values] of [
    ["indicator", "between", ["@a", "@b"]],
    ["balance_id", "in", ["bln_a", "bln_b"]],
    ["balance_id", "eq", ["bln_a"]],
    ["description", "like", [`${longName}%${longName}%${longName}`]],
    ["created_at", "between", ["2030-01-01", "2031-01-01"]],
    ["meta_data.a", "eq", ["x"]],
    ["meta_data.a", "between", ["1", "2"]],
    ["reference", "eq", ["x-1"]],
  ] as const) {
    const filter = {
      field,
      operator,
      value: operand(values[0]),
      values: values.map(operand),
    };
    const outcomes: boolean[] = [];
    for (let count = 1; count <= 100; count += 1) {
      const query = parseFilterBody(transactionList, {
        filters: Array.from({ length: count }, () => filter),
        logicalOperator: "and",
        limit: 100,
        offset: 0,
        sortBy: "",
        sortOrder: "",
        includeCount: true,
        cursor: "",
        consistency: "",
      });
      outcomes.push(query.ok);
      // Every question that is taken is answered.
      if (query.ok) await new TransactionsTable(env.DB, instance).list(query.value);
    }
    expect([field, outcomes[5], outcomes[99]]).toEqual([field, true, false]);
  }
});

describe("a list of a large ledger reads little", () => {
  const wallet = newBalanceId();
  it.each([
    ["newest", {}, "PRIMARY KEY (instance_id=?)"],
    ["of a source", { source_eq: wallet }, "INDEX transactions_by_source"],
    ["of a destination", { destination_eq: wallet }, "INDEX transactions_by_destination"],
    [
      "of a source in a state",
      { source_eq: wallet, status_eq: "APPLIED" },
      "INDEX transactions_by_source",
    ],
    ["of what is applied", { status_eq: "APPLIED" }, "PRIMARY KEY (instance_id=?)"],
    ["of open holds", { inflight_remaining_gt: "0" }, "INDEX transactions_by_state"],
    ["of what is not applied", { status_eq: "REJECTED" }, "INDEX transactions_by_state"],
    [
      "of a time in a state",
      { status_eq: "QUEUED", created_at_gte: "2030-01-01" },
      "INDEX transactions_by_state",
    ],
    ["of a time", { created_at_gte: "2030-01-01" }, "PRIMARY KEY (instance_id=? AND created_at>?)"],
    ["by parent", { parent_transaction_eq: "txn_x" }, "INDEX transactions_by_parent"],
  ])("%s: along an index, without sorting", async (_case, parameters, index) => {
    const plan = await planOf(instanceOfATest(), parameters);
    expect(plan).toContain(`USING ${index}`);
    expect(plan).not.toContain("TEMP B-TREE");
  });

  it.each([
    ["of a balance", { balance_id_eq: wallet }],
    ["of a balance in a state", { balance_id_eq: wallet, status_eq: "APPLIED" }],
  ])("%s: along both indexes, sorting one page", async (_case, parameters) => {
    const plan = await planOf(instanceOfATest(), parameters);
    expect(plan).toContain("INDEX transactions_by_source");
    expect(plan).toContain("INDEX transactions_by_destination");
    expect(plan.match(/TEMP B-TREE/g) ?? []).toHaveLength(1);
  });

  it("by indicator: along the index of balances", async () => {
    const plan = await planOf(instanceOfATest(), { indicator_eq: "@fees" });
    expect(plan).toContain("balances_by_indicator");
  });

  it.each([
    ["by reference", { reference_eq: "x" }],
    ["by references", { reference_in: "x,y" }],
    ["by id", { transaction_id_eq: "txn_x" }],
  ])("%s: by its key, once it is known when it was made", async (_case, parameters) => {
    const plan = await planOf(instanceOfATest(), parameters, ["2030-02-03T04:05:06.000000Z"]);
    expect(plan).toContain("PRIMARY KEY (instance_id=? AND created_at=?");
  });
});
