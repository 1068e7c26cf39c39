import { and, type Column, eq, type SQL, sql } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { Condition, Test } from "../domain/filter/condition";
import type { transactionFields } from "../domain/filter/fields";
import type { ListQuery, Page } from "../domain/filter/list-query";
import type { BalanceId } from "../domain/ids";
import type { Instant } from "../domain/time";
import type { Transaction } from "../domain/transaction";
import { storedAmount } from "./amount-column";
import { equalsSql, type FieldSql, testSql } from "./filter-sql";
import { type ListedTable, type PageParts, selectPage } from "./list";
import { balances, transactions } from "./tables";
import { transactionOf } from "./transaction-row";

const FIELDS = {
  transaction_id: transactions.transactionId,
  parent_transaction: transactions.parentTransaction,
  amount: transactions.amount,
  precise_amount: transactions.preciseAmount,
  inflight_remaining: transactions.inflightRemaining,
  currency: transactions.currency,
  source: transactions.source,
  destination: transactions.destination,
  reference: transactions.reference,
  status: transactions.status,
  created_at: transactions.createdAt,
  effective_date: transactions.effectiveDate,
  description: transactions.description,
  precision: transactions.precision,
  meta_data: shownMetaData(),
} satisfies Record<Exclude<keyof typeof transactionFields, "balance_id" | "indicator">, FieldSql>;

/** The condition of the index on states, word for word: SQLite does not conclude it from another state. */
const NOT_APPLIED = sql`${transactions.status} <> 'APPLIED'`;

/** Beyond this many conditions a list of one balance is read like any other: a statement takes a hundred parameters. */
const SPLIT_CONDITIONS_MAX = 6;

/** The transactions of one instance as D1 knows them: to list, never to decide about money. */
export class TransactionsTable {
  readonly #db: DrizzleD1Database;
  readonly #instance: string;

  constructor(d1: D1Database, instance: string) {
    this.#db = drizzle(d1);
    this.#instance = instance;
  }

  /**
   * A page of them.
   *
   * @param moments when the only transactions that it can be about were made, if that is known: rows are found by it
   */
  list(query: ListQuery, moments?: readonly Instant[]): Promise<Page<Transaction>> {
    const balanceId = onlyBalanceOf(query);
    const table: ListedTable<Transaction> = {
      fields: FIELDS,
      metaData: FIELDS.meta_data,
      side: sideSql,
      sideIndicator: (test) => this.#sideIndicatorSql(test),
      ofInstance: sql`${this.#ofInstance()} ${hintsOf(query, moments)}`,
      createdAt: transactions.createdAt,
      id: transactions.transactionId,
      select: async (parts) => {
        const { where, orderBy, limit, offset } =
          balanceId === null ? parts : this.#splitBySide(parts, balanceId);
        const page = this.#db
          .select()
          .from(transactions)
          .where(where)
          .orderBy(...orderBy);
        const rows = await page.limit(limit).offset(offset);
        return rows.map(transactionOf);
      },
      count: (where) => this.#db.$count(transactions, where),
      positionOf: ({ createdAt, transactionId }) => ({ createdAt, id: transactionId }),
    };
    return selectPage(table, query);
  }

  /** Holds on a balance that are still open, the largest first: what ties its money up. */
  async openHoldsOf(balanceId: BalanceId, limit: number): Promise<readonly Transaction[]> {
    const test = { operator: "gt", value: storedAmount(0n) } as const;
    const { rows } = await this.list({
      conditions: [
        { on: "field", field: "source", test: { operator: "eq", value: balanceId } },
        { on: "field", field: "inflight_remaining", test },
      ],
      combine: "and",
      sortBy: "inflight_remaining",
      direction: "desc",
      limit,
      offset: 0,
      after: null,
      count: false,
      eventual: false,
    });
    return rows;
  }

  #ofInstance = (): SQL => eq(transactions.instanceId, this.#instance);

  /**
   * The newest of a balance from two walks, one along each index, of which each ends with the page: a balance may have
   * millions of transactions.
   */
  #splitBySide({ where, limit, offset, orderBy }: PageParts, balanceId: string): PageParts {
    const key = sql`${transactions.createdAt}, ${transactions.transactionId}`;
    const newest = (side: Column) => sql`SELECT * FROM (SELECT ${key} FROM ${transactions}
      WHERE ${and(equalsSql(side, balanceId), where)} ORDER BY ${sql.join([...orderBy], sql`, `)} LIMIT ${limit + offset})`;
    // Around both: SQLite looks for the keys of a plain query one by one, but not for those of a compound one.
    const keys = sql`SELECT * FROM (${newest(transactions.source)} UNION ALL ${newest(transactions.destination)})`;
    return {
      where: and(this.#ofInstance(), sql`(${key}) IN (${keys})`),
      // The plus keeps SQLite from walking the whole table in search of these keys.
      orderBy: orderBy.map((each) => sql`+${each}`),
      limit,
      offset,
    };
  }

  #sideIndicatorSql(test: Test): SQL {
    const balance = sql`SELECT ${balances.balanceId} FROM ${balances} WHERE ${balances.instanceId} = ${this.#instance}`;
    const { source, destination } = transactions;
    if (test.operator === "isnull") {
      return sql`EXISTS (${balance} AND ${balances.balanceId} IN (${source}, ${destination}) AND ${balances.indicator} IS NULL)`;
    }
    const named = sql`(${balance} AND ${balances.indicator} IS NOT NULL AND ${testSql(balances.indicator, test)})`;
    return sql`(${source} IN ${named} OR ${destination} IN ${named})`;
  }
}

/** What follows from the conditions and lets SQLite use a key or an index that it would not see by itself. */
function hintsOf({ conditions, combine }: ListQuery, moments?: readonly Instant[]): SQL {
  const known = moments === undefined ? [] : [madeAt(moments)];
  // A balance has less of everything than the whole ledger has of a state.
  const states = conditions.some(namesBalance) ? [] : conditions.flatMap(stateHints);
  const hints =
    combine === "or" ? known : [...known, ...conditions.flatMap(parentHints), ...states];
  return sql.join(
    hints.map((hint) => sql`AND ${hint}`),
    sql` `,
  );
}

const madeAt = (moments: readonly Instant[]): SQL =>
  sql`${transactions.createdAt} IN (SELECT value FROM json_each(${JSON.stringify(moments)}))`;

/** The index on parents holds children alone. */
function parentHints(condition: Condition): SQL[] {
  if (condition.on !== "field" || condition.field !== "parent_transaction") return [];
  const { test } = condition;
  const isParent = test.operator === "eq" && test.value !== "";
  return isParent ? [sql`${transactions.parentTransaction} <> ''`] : [];
}

/** Whether a condition leaves the transactions of one balance. */
const namesBalance = (condition: Condition): boolean =>
  (condition.on === "side" ||
    (condition.on === "field" &&
      (condition.field === "source" || condition.field === "destination"))) &&
  condition.test.operator === "eq";

/** The index on states holds what is not APPLIED; nothing but a hold has a remainder. */
function stateHints(condition: Condition): SQL[] {
  if (condition.on !== "field") return [];
  const { field, test } = condition;
  if (field === "inflight_remaining" && test.operator !== "isnull") {
    return [equalsSql(transactions.status, "INFLIGHT"), NOT_APPLIED];
  }
  const isState = field === "status" && test.operator === "eq" && test.value !== "APPLIED";
  return isState ? [NOT_APPLIED] : [];
}

/** The client's metadata with the ledger's own keys, which is stored only where it differs. */
function shownMetaData(): SQL {
  return sql`coalesce(${transactions.shownMetaData}, ${transactions.metaData})`;
}

/** The balance that a list of newest transactions is about, if it is about one. */
function onlyBalanceOf({ conditions, combine, sortBy }: ListQuery): string | null {
  if (combine === "or" && conditions.length > 1) return null;
  if (sortBy !== "created_at" || conditions.length > SPLIT_CONDITIONS_MAX) return null;
  const ids = conditions.flatMap((condition) =>
    condition.on === "side" && condition.test.operator === "eq" ? [condition.test.value] : [],
  );
  const [id] = ids;
  return id !== undefined && ids.length === 1 ? id : null;
}

/** Source or destination; every transaction has both. */
function sideSql(test: Test): SQL {
  const { source, destination } = transactions;
  switch (test.operator) {
    case "isnull":
      return sql`0`;
    case "isnotnull":
      return sql`1`;
    case "eq":
      // Not as `equalsSql`: nothing walks an index for a side of many conditions.
      return sql`(${source} = ${test.value} OR ${destination} = ${test.value})`;
    case "ne":
      return sql`${testSql(source, test)} AND ${testSql(destination, test)}`;
    default:
      return sql`(${testSql(source, test)} OR ${testSql(destination, test)})`;
  }
}
