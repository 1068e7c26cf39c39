import { and, asc, eq, inArray, sql } from "drizzle-orm";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { EVENT_NAMES, type EventName, type LedgerEvent } from "../domain/event";
import { invariant } from "../domain/invariant";
import type { Instant } from "../domain/time";
import { outbox } from "./tables";

/** An event to be stored with the row that it tells of. */
export interface ToldEvent {
  readonly event: LedgerEvent;
  readonly at: Instant;
}

/**
 * The statement that stores an event. It stands in a batch right after the statement of the row that the event tells of, and
 * does nothing unless that one changed a row.
 */
export const storeEvent = (
  db: DrizzleD1Database,
  instance: string,
  { event: { id, event, body }, at }: ToldEvent,
) =>
  db
    .insert(outbox)
    .select(sql`SELECT ${instance}, ${id}, ${event}, ${body}, ${at}, 0 WHERE changes() = 1`);

/**
 * Events on their way out of D1, of one instance: those of ledgers and identities, and the bodies of others that are too long
 * for a message.
 */
export class OutboxTable {
  readonly #db: DrizzleD1Database;
  readonly #instance: string;

  constructor(d1: D1Database, instance: string) {
    this.#db = drizzle(d1);
    this.#instance = instance;
  }

  /** Stored events that were not sent, oldest first. */
  async unsent(limit: number): Promise<LedgerEvent[]> {
    const rows = await this.#db
      .select({ id: outbox.eventId, event: outbox.event, body: outbox.body })
      .from(outbox)
      .where(this.#isUnsent())
      .orderBy(asc(outbox.createdAt))
      .limit(limit);
    return rows.map(({ id, event, body }) => {
      invariant(isEventName(event), "an event is stored under its name");
      return { id, event, body };
    });
  }

  /** Keeps the bodies of events that others send. Of an event that is stored already nothing changes. */
  async keep(events: readonly LedgerEvent[], at: Instant): Promise<void> {
    for (const { id, event, body } of events) {
      await this.#db
        .insert(outbox)
        .values({ instanceId: this.#instance, eventId: id, event, body, createdAt: at, sent: true })
        .onConflictDoNothing();
    }
  }

  /** The body of a stored event, or null. */
  async bodyOf(eventId: string): Promise<string | null> {
    const [row] = await this.#db
      .select({ body: outbox.body })
      .from(outbox)
      .where(and(eq(outbox.instanceId, this.#instance), eq(outbox.eventId, eventId)));
    return row?.body ?? null;
  }

  /** Notes that events are on their way. Repeatable. */
  async markSent(ids: readonly string[]): Promise<void> {
    const listed = sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
    await this.#db
      .update(outbox)
      .set({ sent: true })
      .where(and(this.#isUnsent(), inArray(outbox.eventId, listed)));
  }

  /** The words of the index on what is unsent. */
  #isUnsent() {
    return and(eq(outbox.instanceId, this.#instance), sql`${outbox.sent} = 0`);
  }
}

const isEventName = (text: string): text is EventName => EVENT_NAMES.some((name) => name === text);
