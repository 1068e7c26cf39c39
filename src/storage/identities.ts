import { and, eq, notExists } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import type { identityFields } from "../domain/filter/fields";
import type { ListQuery, Page } from "../domain/filter/list-query";
import type { Identity } from "../domain/identity";
import type { IdentityId } from "../domain/ids";
import { invariant } from "../domain/invariant";
import type { FieldSql } from "./filter-sql";
import { type ListedTable, selectPage } from "./list";
import { storeEvent, type ToldEvent } from "./outbox";
import { balances, identities } from "./tables";

type Row = typeof identities.$inferSelect;

/** An identity and the number of its last change. */
export interface StoredIdentity {
  readonly identity: Identity;
  readonly revision: number;
}

const FIELDS = {
  identity_id: identities.identityId,
  identity_type: identities.identityType,
  first_name: identities.firstName,
  last_name: identities.lastName,
  other_names: identities.otherNames,
  gender: identities.gender,
  dob: identities.dob,
  email_address: identities.emailAddress,
  phone_number: identities.phoneNumber,
  nationality: identities.nationality,
  street: identities.street,
  country: identities.country,
  state: identities.state,
  organization_name: identities.organizationName,
  category: identities.category,
  post_code: identities.postCode,
  city: identities.city,
  created_at: identities.createdAt,
  meta_data: identities.metaData,
} satisfies Record<keyof typeof identityFields, FieldSql>;

/** The identities of one instance. Each new one and its event are written in one batch. */
export class IdentitiesTable {
  readonly #db: DrizzleD1Database;
  readonly #instance: string;

  constructor(d1: D1Database, instance: string) {
    this.#db = drizzle(d1);
    this.#instance = instance;
  }

  /** The identity, or null. */
  async byId(identityId: string): Promise<StoredIdentity | null> {
    const [row] = await this.#db.select().from(identities).where(this.#is(identityId));
    return row === undefined ? null : storedOf(row);
  }

  /** Whether there is such an identity. */
  async has(identityId: string): Promise<boolean> {
    return (await this.#db.$count(identities, this.#is(identityId))) > 0;
  }

  /** A page of them. */
  list(query: ListQuery): Promise<Page<Identity>> {
    const table: ListedTable<Identity> = {
      fields: FIELDS,
      metaData: identities.metaData,
      ofInstance: eq(identities.instanceId, this.#instance),
      createdAt: identities.createdAt,
      id: identities.identityId,
      select: async ({ where, orderBy, limit, offset }) => {
        const page = this.#db
          .select()
          .from(identities)
          .where(where)
          .orderBy(...orderBy);
        const rows = await page.limit(limit).offset(offset);
        return rows.map((row) => storedOf(row).identity);
      },
      count: (where) => this.#db.$count(identities, where),
      positionOf: ({ createdAt, identityId }) => ({ createdAt, id: identityId }),
    };
    return selectPage(table, query);
  }

  /** Adds an identity, and its event if it has one; false when its id is taken. */
  async insert(identity: Identity, told: ToldEvent | null): Promise<boolean> {
    const insert = this.#db
      .insert(identities)
      .values({ instanceId: this.#instance, ...identity })
      .onConflictDoNothing();
    const [inserted] = await this.#db.batch(
      told === null ? [insert] : [insert, storeEvent(this.#db, this.#instance, told)],
    );
    return inserted.meta.changes === 1;
  }

  /** Writes a changed identity unless it was changed or deleted since `revision`: then false. */
  async replace({ identity, revision }: StoredIdentity): Promise<boolean> {
    const updated = await this.#db
      .update(identities)
      .set({ ...identity, revision: revision + 1 })
      .where(and(this.#is(identity.identityId), eq(identities.revision, revision)));
    return updated.meta.changes === 1;
  }

  /** Deletes an identity unless a balance known to D1 refers to it; whether it did. */
  async delete(identityId: string): Promise<boolean> {
    const deleted = await this.#db
      .delete(identities)
      .where(and(this.#is(identityId), notExists(this.#owned(identityId))));
    return deleted.meta.changes === 1;
  }

  /** Whether a balance known to D1 refers to it. */
  async isOwner(identityId: string): Promise<boolean> {
    return (await this.#owned(identityId).limit(1)).length > 0;
  }

  #owned(identityId: string) {
    const { instanceId, identityId: owner, balanceId } = balances;
    return this.#db
      .select({ balanceId })
      .from(balances)
      .where(and(eq(instanceId, this.#instance), eq(owner, identityId)));
  }

  #is(identityId: string) {
    return and(eq(identities.instanceId, this.#instance), eq(identities.identityId, identityId));
  }
}

function storedOf({ instanceId: _instance, revision, identityId, ...rest }: Row): StoredIdentity {
  invariant(isIdentityId(identityId), "an identity is stored under its id");
  return { identity: { ...rest, identityId }, revision };
}

const isIdentityId = (text: string): text is IdentityId => text.startsWith("idt_");
