-- The instance that is always there, and the ledger of its `@indicator` balances.
INSERT INTO `instances` (`instance_id`, `journal_shards`, `created_at`)
VALUES ('default', 16, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'));
--> statement-breakpoint
INSERT INTO `ledgers` (`instance_id`, `ledger_id`, `name`, `created_at`, `meta_data`)
VALUES ('default', 'general_ledger_id', 'General Ledger', strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), '{}');
