CREATE TABLE `balances` (
	`instance_id` text NOT NULL,
	`balance_id` text NOT NULL,
	`ledger_id` text NOT NULL,
	`identity_id` text,
	`indicator` text,
	`currency` text NOT NULL,
	`created_at` text NOT NULL,
	`meta_data` text,
	`track_fund_lineage` integer NOT NULL,
	`allocation_strategy` text NOT NULL,
	`balance` text NOT NULL,
	`credit_balance` text NOT NULL,
	`debit_balance` text NOT NULL,
	`inflight_balance` text NOT NULL,
	`inflight_credit_balance` text NOT NULL,
	`inflight_debit_balance` text NOT NULL,
	`version` integer NOT NULL,
	`profile_version` integer NOT NULL,
	PRIMARY KEY(`instance_id`, `balance_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `balances_by_time` ON `balances` (`instance_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `balances_by_ledger` ON `balances` (`instance_id`,`ledger_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `balances_by_identity` ON `balances` (`instance_id`,`identity_id`,`created_at`) WHERE "balances"."identity_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX `balances_by_indicator` ON `balances` (`instance_id`,`indicator`,`created_at`) WHERE "balances"."indicator" IS NOT NULL;--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`instance_id` text NOT NULL,
	`message_id` text NOT NULL,
	`queue` text NOT NULL,
	`body` text NOT NULL,
	`sent_at` text NOT NULL,
	PRIMARY KEY(`instance_id`, `message_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `identities` (
	`instance_id` text NOT NULL,
	`identity_id` text NOT NULL,
	`identity_type` text NOT NULL,
	`organization_name` text NOT NULL,
	`category` text NOT NULL,
	`first_name` text NOT NULL,
	`last_name` text NOT NULL,
	`other_names` text NOT NULL,
	`gender` text NOT NULL,
	`email_address` text NOT NULL,
	`phone_number` text NOT NULL,
	`nationality` text NOT NULL,
	`street` text NOT NULL,
	`country` text NOT NULL,
	`state` text NOT NULL,
	`post_code` text NOT NULL,
	`city` text NOT NULL,
	`dob` text,
	`created_at` text NOT NULL,
	`meta_data` text,
	`revision` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`instance_id`, `identity_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `identities_by_time` ON `identities` (`instance_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `identities_by_email` ON `identities` (`instance_id`,`email_address`,`created_at`);--> statement-breakpoint
CREATE TABLE `instances` (
	`instance_id` text PRIMARY KEY NOT NULL,
	`journal_shards` integer DEFAULT 16 NOT NULL,
	`d1_binding` text DEFAULT 'DB' NOT NULL,
	`location_hint` text,
	`jurisdiction` text,
	`created_at` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ledgers` (
	`instance_id` text NOT NULL,
	`ledger_id` text NOT NULL,
	`name` text NOT NULL,
	`created_at` text NOT NULL,
	`meta_data` text,
	`revision` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`instance_id`, `ledger_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `ledgers_by_time` ON `ledgers` (`instance_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`instance_id` text NOT NULL,
	`event_id` text NOT NULL,
	`event` text NOT NULL,
	`body` text NOT NULL,
	`created_at` text NOT NULL,
	`sent` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`instance_id`, `event_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `outbox_unsent` ON `outbox` (`instance_id`,`created_at`) WHERE "outbox"."sent" = 0;--> statement-breakpoint
CREATE TABLE `transactions` (
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
	PRIMARY KEY(`instance_id`, `transaction_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `transactions_by_time` ON `transactions` (`instance_id`,`created_at`,`transaction_id`);--> statement-breakpoint
CREATE INDEX `transactions_by_source` ON `transactions` (`instance_id`,`source`,`created_at`);--> statement-breakpoint
CREATE INDEX `transactions_by_destination` ON `transactions` (`instance_id`,`destination`,`created_at`);--> statement-breakpoint
CREATE INDEX `transactions_by_parent` ON `transactions` (`instance_id`,`parent_transaction`,`created_at`) WHERE "transactions"."parent_transaction" <> '';