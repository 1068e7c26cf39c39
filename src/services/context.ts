import type { LedgerEvent } from "../domain/event";
import type { Instant } from "../domain/time";
import type { Inspector } from "../durable/journal/inspector";
import type { Journal } from "../durable/journal/protocol";
import type { BalancesTable } from "../storage/balances";
import type { Copies } from "../storage/copies";
import type { IdentitiesTable } from "../storage/identities";
import type { LedgersTable } from "../storage/ledgers";
import type { TransactionsTable } from "../storage/transactions";

/** What a verb may use: everything belongs to one instance, and no binding is seen here. */
export interface LedgerContext {
  readonly instance: string;
  readonly journal: Journal;
  readonly ledgers: LedgersTable;
  readonly identities: IdentitiesTable;
  readonly balances: BalancesTable;
  readonly transactions: TransactionsTable;
  /** The objects' stored bytes, for those who check or copy them. */
  readonly inspector: Inspector;
  /** What D1 has of them. */
  readonly copies: Copies;
  /**
   * Sends events that were stored with a ledger or an identity, after the answer; what fails is swept within a minute.
   * Null when nobody listens: then none are stored.
   */
  readonly announce: ((event: LedgerEvent) => void) | null;
  /** The present moment, UTC, microseconds. */
  now(): Instant;
  /** A random UUID. */
  uuid(): string;
  /**
   * Whether the request may have been carried out before, in part or whole: its client named it and sent it again. Then
   * `now` and `uuid` answer what they answered then.
   */
  readonly isRepeat: boolean;
}

/** What checks and copies need of it. */
export type AuditContext = Pick<LedgerContext, "instance" | "inspector" | "copies" | "now">;
