import { env } from "cloudflare:workers";
import { instantOfMicros } from "../../src/domain/time";
import type { LedgerContext } from "../../src/services/context";
import { BalancesTable } from "../../src/storage/balances";
import { Copies } from "../../src/storage/copies";
import { IdentitiesTable } from "../../src/storage/identities";
import { LedgersTable } from "../../src/storage/ledgers";
import { TransactionsTable } from "../../src/storage/transactions";
import type { World } from "./world";

/** What the services use of a Worker, for the world's own instance. */
export const contextOf = ({ instance, journal, inspector }: World): LedgerContext => ({
  instance,
  journal,
  inspector,
  copies: new Copies(env.DB, instance),
  ledgers: new LedgersTable(env.DB, instance),
  identities: new IdentitiesTable(env.DB, instance),
  balances: new BalancesTable(env.DB, instance),
  transactions: new TransactionsTable(env.DB, instance),
  announce: null,
  now: () => instantOfMicros(Date.now() * 1000),
  uuid: () => crypto.randomUUID(),
  isRepeat: false,
});
