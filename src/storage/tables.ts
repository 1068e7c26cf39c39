import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { amountColumn } from "./amount-column";

/*
 * Every table leads its key and its indexes with the instance, and an index ends in the time of the row: without that SQLite
 * rather walks the whole list in the order that is asked for. In the SQL of the migrations the tables are WITHOUT ROWID,
 * which drizzle-kit cannot say: a row whose key is text then costs one written row and not two. A migration that makes
 * a table anew must say so again. Instants are TEXT in UTC with six decimals, amounts TEXT that sorts like the number.
 */

/** Tenants and environments. `default` is there from the start. */
export const instances = sqliteTable("instances", {
  instanceId: text("instance_id").primaryKey(),
  /** Divides 256, and is fixed when the instance is made: ids route by it. */
  journalShards: integer("journal_shards").notNull().default(16),
  /** The binding of the database that holds its records. */
  d1Binding: text("d1_binding").notNull().default("DB"),
  locationHint: text("location_hint"),
  jurisdiction: text("jurisdiction"),
  createdAt: text("created_at").notNull(),
});

/** Ledgers; D1 is their truth. */
export const ledgers = sqliteTable(
  "ledgers",
  {
    instanceId: text("instance_id").notNull(),
    ledgerId: text("ledger_id").notNull(),
    name: text("name").notNull(),
    createdAt: text("created_at").notNull(),
    metaData: text("meta_data"),
    /** One more with every change: a change is made to what was read, or not at all. */
    revision: integer("revision").notNull().default(1),
  },
  (table) => [
    primaryKey({ columns: [table.instanceId, table.ledgerId] }),
    index("ledgers_by_time").on(table.instanceId, table.createdAt),
  ],
);

/** Identities; D1 is their truth. */
export const identities = sqliteTable(
  "identities",
  {
    instanceId: text("instance_id").notNull(),
    identityId: text("identity_id").notNull(),
    identityType: text("identity_type").notNull(),
    organizationName: text("organization_name").notNull(),
    category: text("category").notNull(),
    firstName: text("first_name").notNull(),
    lastName: text("last_name").notNull(),
    otherNames: text("other_names").notNull(),
    gender: text("gender").notNull(),
    emailAddress: text("email_address").notNull(),
    phoneNumber: text("phone_number").notNull(),
    nationality: text("nationality").notNull(),
    street: text("street").notNull(),
    country: text("country").notNull(),
    state: text("state").notNull(),
    postCode: text("post_code").notNull(),
    city: text("city").notNull(),
    /** Midnight UTC of the day of birth; null when unknown. */
    dob: text("dob"),
    createdAt: text("created_at").notNull(),
    metaData: text("meta_data"),
    revision: integer("revision").notNull().default(1),
  },
  (table) => [
    primaryKey({ columns: [table.instanceId, table.identityId] }),
    index("identities_by_time").on(table.instanceId, table.createdAt),
    // How an application finds a person again. Other fields are looked for in the rows.
    index("identities_by_email").on(table.instanceId, table.emailAddress, table.createdAt),
  ],
);

/**
 * Balances as their objects last told. No index holds an amount or a version, so that the many updates of a busy
 * balance write one row each; those below are written once in a balance's life.
 */
export const balances = sqliteTable(
  "balances",
  {
    instanceId: text("instance_id").notNull(),
    balanceId: text("balance_id").notNull(),
    ledgerId: text("ledger_id").notNull(),
    /** Null when nobody owns it. */
    identityId: text("identity_id"),
    /** Null when it has none. */
    indicator: text("indicator"),
    currency: text("currency").notNull(),
    createdAt: text("created_at").notNull(),
    metaData: text("meta_data"),
    trackFundLineage: integer("track_fund_lineage", { mode: "boolean" }).notNull(),
    allocationStrategy: text("allocation_strategy").notNull(),
    balance: amountColumn("balance").notNull(),
    credit: amountColumn("credit_balance").notNull(),
    debit: amountColumn("debit_balance").notNull(),
    inflightBalance: amountColumn("inflight_balance").notNull(),
    inflightCredit: amountColumn("inflight_credit_balance").notNull(),
    inflightDebit: amountColumn("inflight_debit_balance").notNull(),
    version: integer("version").notNull(),
    profileVersion: integer("profile_version").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.instanceId, table.balanceId] }),
    index("balances_by_time").on(table.instanceId, table.createdAt),
    // The balances of a ledger, newest first: a ledger may hold millions.
    index("balances_by_ledger").on(table.instanceId, table.ledgerId, table.createdAt),
    // `IS NOT NULL` and not `<> ''`: SQLite sees that `identity_id = ?` implies it, and uses the index.
    index("balances_by_identity")
      .on(table.instanceId, table.identityId, table.createdAt)
      .where(sql`${table.identityId} IS NOT NULL`),
    // Transactions are filtered by the indicators of their balances. Few balances have one.
    index("balances_by_indicator")
      .on(table.instanceId, table.indicator, table.createdAt)
      .where(sql`${table.indicator} IS NOT NULL`),
  ],
);

/**
 * Transactions as the journal's shards last told: enough to make each record again. A row is written with its key and two
 * index entries (one more under a parent, one more for a hold, one more while it is not APPLIED), and a change of its state
 * writes the row and the entries of that. A reference has no index: the id is made of it. Currency and amounts have none:
 * lists by them walk the newest rows, which is what people look at.
 */
export const transactions = sqliteTable(
  "transactions",
  {
    instanceId: text("instance_id").notNull(),
    transactionId: text("transaction_id").notNull(),
    kind: text("kind").notNull(),
    parentTransaction: text("parent_transaction").notNull(),
    status: text("status").notNull(),
    reference: text("reference").notNull(),
    currency: text("currency").notNull(),
    description: text("description").notNull(),
    source: text("source").notNull(),
    /** The `@indicator` that the side was named by; null when it was named by its id. */
    sourceIndicator: text("source_indicator"),
    destination: text("destination").notNull(),
    destinationIndicator: text("destination_indicator"),
    preciseAmount: amountColumn("precise_amount").notNull(),
    precision: amountColumn("precision").notNull(),
    /** Major units, exact: the key of a decimal, to filter and sort by. */
    amount: text("amount").notNull(),
    /** Major units as the client wrote them. */
    postedAmount: text("posted_amount").notNull(),
    amountString: text("amount_string").notNull(),
    /** Minor units; null when it is no hold. */
    inflightRemaining: amountColumn("inflight_remaining"),
    /** `none`, `unlimited`, or minor units. */
    overdraft: text("overdraft").notNull(),
    allowOverdraft: integer("allow_overdraft", { mode: "boolean" }).notNull(),
    overdraftLimit: text("overdraft_limit").notNull(),
    inflight: integer("inflight", { mode: "boolean" }).notNull(),
    skipQueue: integer("skip_queue", { mode: "boolean" }).notNull(),
    atomic: integer("atomic", { mode: "boolean" }).notNull(),
    scheduledFor: text("scheduled_for").notNull(),
    inflightExpiryDate: text("inflight_expiry_date").notNull(),
    inflightCommitDate: text("inflight_commit_date").notNull(),
    createdAt: text("created_at").notNull(),
    effectiveDate: text("effective_date").notNull(),
    hash: text("hash").notNull(),
    /** The client's own. */
    metaData: text("meta_data"),
    /** What filters look at, where the ledger's own keys make it differ from the client's. */
    shownMetaData: text("shown_meta_data"),
    rejectionReason: text("rejection_reason").notNull(),
    sourceVersion: integer("source_version"),
    destinationVersion: integer("destination_version"),
    revision: integer("revision").notNull(),
  },
  (table) => [
    // In the order of time: the newest are a walk along the table itself, and new ones go to its end.
    primaryKey({ columns: [table.instanceId, table.createdAt, table.transactionId] }),
    // Without a rowid the key is part of every index, so these sort by time and then id.
    index("transactions_by_source").on(table.instanceId, table.source, table.createdAt),
    index("transactions_by_destination").on(table.instanceId, table.destination, table.createdAt),
    index("transactions_by_parent")
      .on(table.instanceId, table.parentTransaction, table.createdAt)
      .where(sql`${table.parentTransaction} <> ''`),
    // What is still under way, was refused or is held: few among many. Most transfers never have an entry here.
    index("transactions_by_state")
      .on(table.instanceId, table.status, table.createdAt)
      .where(sql`${table.status} <> 'APPLIED'`),
    // What ties a balance's money up, the largest first: a balance may have had any number of holds.
    index("transactions_by_hold")
      .on(table.instanceId, table.source, table.inflightRemaining)
      .where(sql`${table.inflightRemaining} IS NOT NULL`),
  ],
);

/**
 * Events of ledgers and identities, written with the row that they tell of. Those of balances and transactions live in the
 * journal, but their bodies are kept here when they are too long for a message.
 */
export const outbox = sqliteTable(
  "outbox",
  {
    instanceId: text("instance_id").notNull(),
    eventId: text("event_id").notNull(),
    event: text("event").notNull(),
    /** What every receiver gets, byte for byte. */
    body: text("body").notNull(),
    createdAt: text("created_at").notNull(),
    sent: integer("sent", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.instanceId, table.eventId] }),
    index("outbox_unsent").on(table.instanceId, table.createdAt).where(sql`${table.sent} = 0`),
  ],
);

/** Queue messages that no consumer could do. */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    instanceId: text("instance_id").notNull(),
    messageId: text("message_id").notNull(),
    queue: text("queue").notNull(),
    body: text("body").notNull(),
    sentAt: text("sent_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.instanceId, table.messageId] })],
);
