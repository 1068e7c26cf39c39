import { and, eq } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { ledgerFields } from "../domain/filter/fields";
import type { ListQuery, Page } from "../domain/filter/list-query";
import { GENERAL_LEDGER_ID, type LedgerId } from "../domain/ids";
import { invariant } from "../domain/invariant";
import type { Ledger } from "../domain/ledger";
import type { FieldSql } from "./filter-sql";
import { type ListedTable, selectPage } from "./list";
import { storeEvent, type ToldEvent } from "./outbox";
import { ledgers } from "./tables";

type Row = typeof ledgers.$inferSelect;

/** A ledger and the number of its last change. */
export interface StoredLedger {
  readonly ledger: Ledger;
  readonly revision: number;
}

const FIELDS = {
  ledger_id: ledgers.ledgerId,
  name: ledgers.name,
  created_at: ledgers.createdAt,
  meta_data: ledgers.metaData,
} satisfies Record<keyof typeof ledgerFields, FieldSql>;

/** The ledgers of one instance. Each change and its event are written in one batch. */
export class LedgersTable {
  readonly #db: DrizzleD1Database;
  readonly #instance: string;

  constructor(d1: D1Database, instance: string) {
    this.#db = drizzle(d1);
    this.#instance = instance;
  }

  /** The ledger, or null. */
  async byId(ledgerId: string): Promise<StoredLedger | null> {
    const [row] = await this.#db.select().from(ledgers).where(this.#is(ledgerId));
    return row === undefined ? null : storedOf(row);
  }

  /** Whether there is such a ledger. */
  async has(ledgerId: string): Promise<boolean> {
    return (await this.#db.$count(ledgers, this.#is(ledgerId))) > 0;
  }

  /** A page of them. */
  list(query: ListQuery): Promise<Page<Ledger>> {
    const table: ListedTable<Ledger> = {
      fields: FIELDS,
      metaData: ledgers.metaData,
      ofInstance: eq(ledgers.instanceId, this.#instance),
      createdAt: ledgers.createdAt,
      id: ledgers.ledgerId,
      select: async ({ where, orderBy, limit, offset }) => {
        const page = this.#db
          .select()
          .from(ledgers)
          .where(where)
          .orderBy(...orderBy);
        const rows = await page.limit(limit).offset(offset);
        return rows.map((row) => storedOf(row).ledger);
      },
      count: (where) => this.#db.$count(ledgers, where),
      positionOf: ({ createdAt, ledgerId }) => ({ createdAt, id: ledgerId }),
    };
    return selectPage(table, query);
  }

  /** Adds a ledger, and its event if it has one; false when its id is taken. */
  async insert(ledger: Ledger, told: ToldEvent | null): Promise<boolean> {
    const insert = this.#db
      .insert(ledgers)
      .values({ instanceId: this.#instance, ...ledger })
      .onConflictDoNothing();
    const [inserted] = await this.#db.batch(
      told === null ? [insert] : [insert, storeEvent(this.#db, this.#instance, told)],
    );
    return inserted.meta.changes === 1;
  }

  /** Writes a changed ledger, and its event if it has one, unless it was changed since `revision`: then false. */
  async replace({ ledger, revision }: StoredLedger, told: ToldEvent | null): Promise<boolean> {
    const update = this.#db
      .update(ledgers)
      .set({ name: ledger.name, metaData: ledger.metaData, revision: revision + 1 })
      .where(and(this.#is(ledger.ledgerId), eq(ledgers.revision, revision)));
    const [updated] = await this.#db.batch(
      told === null ? [update] : [update, storeEvent(this.#db, this.#instance, told)],
    );
    return updated.meta.changes === 1;
  }

  #is(ledgerId: string) {
    return and(eq(ledgers.instanceId, this.#instance), eq(ledgers.ledgerId, ledgerId));
  }
}

function storedOf({ ledgerId, name, createdAt, metaData, revision }: Row): StoredLedger {
  invariant(isLedgerId(ledgerId), "a ledger is stored under its id");
  return { ledger: { ledgerId, name, createdAt, metaData }, revision };
}

const isLedgerId = (text: string): text is LedgerId =>
  text === GENERAL_LEDGER_ID || text.startsWith("ldg_");
