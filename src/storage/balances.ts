import { eq } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { BalanceSnapshot } from "../domain/balance-record";
import type { balanceFields } from "../domain/filter/fields";
import type { ListQuery, Page } from "../domain/filter/list-query";
import { isBalanceId } from "../domain/ids";
import { invariant } from "../domain/invariant";
import type { FieldSql } from "./filter-sql";
import { type ListedTable, selectPage } from "./list";
import { balances } from "./tables";

type Row = typeof balances.$inferSelect;

const FIELDS = {
  balance_id: balances.balanceId,
  ledger_id: balances.ledgerId,
  identity_id: balances.identityId,
  indicator: balances.indicator,
  currency: balances.currency,
  balance: balances.balance,
  credit_balance: balances.credit,
  debit_balance: balances.debit,
  inflight_balance: balances.inflightBalance,
  inflight_credit_balance: balances.inflightCredit,
  inflight_debit_balance: balances.inflightDebit,
  created_at: balances.createdAt,
  meta_data: balances.metaData,
} satisfies Record<keyof typeof balanceFields, FieldSql>;

/** The balances of one instance as D1 knows them: to list, never to decide about money. */
export class BalancesTable {
  readonly #db: DrizzleD1Database;
  readonly #instance: string;

  constructor(d1: D1Database, instance: string) {
    this.#db = drizzle(d1);
    this.#instance = instance;
  }

  /** A page of them. */
  list(query: ListQuery): Promise<Page<BalanceSnapshot>> {
    const table: ListedTable<BalanceSnapshot> = {
      fields: FIELDS,
      metaData: balances.metaData,
      ofInstance: eq(balances.instanceId, this.#instance),
      createdAt: balances.createdAt,
      id: balances.balanceId,
      select: async ({ where, orderBy, limit, offset }) => {
        const page = this.#db
          .select()
          .from(balances)
          .where(where)
          .orderBy(...orderBy);
        const rows = await page.limit(limit).offset(offset);
        return rows.map(snapshotOf);
      },
      count: (where) => this.#db.$count(balances, where),
      positionOf: ({ createdAt, balanceId }) => ({ createdAt, id: balanceId }),
    };
    return selectPage(table, query);
  }
}

function snapshotOf(row: Row): BalanceSnapshot {
  const { instanceId: _instance, balance: _settled, inflightBalance: _held, ...rest } = row;
  const { balanceId, identityId, indicator } = rest;
  invariant(isBalanceId(balanceId), "a balance is stored under its id");
  return { ...rest, balanceId, identityId: identityId ?? "", indicator: indicator ?? "" };
}
