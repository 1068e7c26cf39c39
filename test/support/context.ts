import { env } from "cloudflare:workers";
import { instantOfMicros } from "../../src/domain/time";
import type { LedgerContext } from "../../src/services/context";
import { BalancesTable } from "../../src/storage/balances";
import { Copies } from "../../src/storage/copies";
import { IdentitiesTable } from "../../src/storage/identities";
import { LedgersTable } from "../../src/storage/ledgers";
import { TransactionsTable } from "../../src/storage/transactions";
import type { World } from "./world";

/** What the services use of a Worker, for the world's own instance; `db` is D1 as this Worker reaches it. */
export const contextOf = (
  { instance, journal, inspector }: World,
  db: D1Database = env.DB,
): LedgerContext => ({
  instance,
  journal,
  inspector,
  copies: new Copies(db, instance),
  ledgers: new LedgersTable(db, instance),
  identities: new IdentitiesTable(db, instance),
  balances: new BalancesTable(db, instance),
  transactions: new TransactionsTable(db, instance),
  announce: null,
  now: () => instantOfMicros(Date.now() * 1000),
  uuid: () => crypto.randomUUID(),
  isRepeat: false,
});
