CREATE TABLE `__new_transactions` (
	`instance_id` text NOT NULL,
	`transaction_id` text NOT NULL,
	`kind` text NOT NULL,
	`parent_transaction` text NOT NULL,
	`status` text NOT NULL,
	`reference` text NOT NULL,
	`currency` text NOT NULL,
	`description` text NOT NULL,
	`source` text NOT NULL,
	`source_indicator` text,
	`destination` text NOT NULL,
	`destination_indicator` text,
	`precise_amount` text NOT NULL,
	`precision` text NOT NULL,
	`amount` text NOT NULL,
	`posted_amount` text NOT NULL,
	`amount_string` text NOT NULL,
	`inflight_remaining` text,
	`overdraft` text NOT NULL,
	`allow_overdraft` integer NOT NULL,
	`overdraft_limit` text NOT NULL,
	`inflight` integer NOT NULL,
	`skip_queue` integer NOT NULL,
	`atomic` integer NOT NULL,
	`scheduled_for` text NOT NULL,
	`inflight_expiry_date` text NOT NULL,
	`inflight_commit_date` text NOT NULL,
	`created_at` text NOT NULL,
	`effective_date` text NOT NULL,
	`hash` text NOT NULL,
	`meta_data` text,
	`shown_meta_data` text,
	`rejection_reason` text NOT NULL,
	`source_version` integer,
	`destination_version` integer,
	`revision` integer NOT NULL,
	PRIMARY KEY(`instance_id`, `created_at`, `transaction_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_transactions`("instance_id", "transaction_id", "kind", "parent_transaction", "status", "reference", "currency", "description", "source", "source_indicator", "destination", "destination_indicator", "precise_amount", "precision", "amount", "posted_amount", "amount_string", "inflight_remaining", "overdraft", "allow_overdraft", "overdraft_limit", "inflight", "skip_queue", "atomic", "scheduled_for", "inflight_expiry_date", "inflight_commit_date", "created_at", "effective_date", "hash", "meta_data", "shown_meta_data", "rejection_reason", "source_version", "destination_version", "revision") SELECT "instance_id", "transaction_id", "kind", "parent_transaction", "status", "reference", "currency", "description", "source", "source_indicator", "destination", "destination_indicator", "precise_amount", "precision", "amount", "posted_amount", "amount_string", "inflight_remaining", "overdraft", "allow_overdraft", "overdraft_limit", "inflight", "skip_queue", "atomic", "scheduled_for", "inflight_expiry_date", "inflight_commit_date", "created_at", "effective_date", "hash", "meta_data", "shown_meta_data", "rejection_reason", "source_version", "destination_version", "revision" FROM `transactions`;--> statement-breakpoint
DROP TABLE `transactions`;--> statement-breakpoint
ALTER TABLE `__new_transactions` RENAME TO `transactions`;--> statement-breakpoint
CREATE INDEX `transactions_by_source` ON `transactions` (`instance_id`,`source`,`created_at`);--> statement-breakpoint
CREATE INDEX `transactions_by_destination` ON `transactions` (`instance_id`,`destination`,`created_at`);--> statement-breakpoint
CREATE INDEX `transactions_by_parent` ON `transactions` (`instance_id`,`parent_transaction`,`created_at`) WHERE "transactions"."parent_transaction" <> '';--> statement-breakpoint
CREATE INDEX `transactions_by_hold` ON `transactions` (`instance_id`,`source`,`inflight_remaining`) WHERE "transactions"."inflight_remaining" IS NOT NULL;