import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import {
  type BatchId,
  indicatorBalanceId,
  shardOf,
  type TransactionId,
  transactionIdOf,
} from "../../src/domain/ids";
import type { CommitAmount } from "../../src/domain/settlement";
import type { Transaction } from "../../src/domain/transaction";
import { balanceStub } from "../../src/durable/balance/client";
import { JournalClient, shardStub } from "../../src/durable/journal/client";
import { Inspector } from "../../src/durable/journal/inspector";
import type { OperationKey, Reply, SettleValue } from "../../src/durable/journal/protocol";
import { anonymous, postingFor, type Transfer } from "./postings";

/** Shards of the journals that these tests make, unless they say otherwise. */
export const SHARDS = 2;

/** A request that a client named by a key. */
export const named = (key: string, fingerprint = "one body"): OperationKey => ({
  key,
  fingerprint,
  fromClient: true,
});

/** What a test may say of a commit, void or refund; the rest is as the HTTP layer has it. */
export interface How {
  readonly skipQueue?: boolean;
  readonly operation?: OperationKey;
}

/** A ledger of its own, in ledger words: no other test sees it, because no other has its instance. */
export class World {
  readonly instance: string;
  readonly journal: JournalClient;
  readonly inspector: Inspector;
  readonly #shards: number;

  constructor(name = "world", shards = SHARDS) {
    this.instance = `${name}-${crypto.randomUUID()}`;
    this.#shards = shards;
    const { instance } = this;
    const parts = { instance, shards, journal: env.JOURNAL, balances: env.BALANCES };
    this.journal = new JournalClient(parts);
    this.inspector = new Inspector(parts);
  }

  /** Notes the instance in D1, where its shards read how many they are. */
  async register(): Promise<void> {
    await env.DB.prepare(
      "INSERT INTO instances (instance_id, journal_shards, created_at) VALUES (?, ?, ?)",
    )
      .bind(this.instance, this.#shards, "2026-01-01T00:00:00.000000Z")
      .run();
  }

  idOf(reference: string): TransactionId {
    return transactionIdOf(this.instance, reference);
  }

  post(transfer: Transfer, operation: OperationKey = anonymous()): Promise<Reply<Transaction>> {
    return this.journal.record({ posting: postingFor(this.instance, transfer), operation });
  }

  commit(
    reference: string,
    amount: bigint | null = null,
    { skipQueue = true, operation = anonymous() }: How = {},
  ): Promise<Reply<SettleValue>> {
    const asked: CommitAmount = amount === null ? null : { unit: "minor", value: amount };
    const transactionId = this.idOf(reference);
    return this.journal.settle({
      transactionId,
      action: "commit",
      amount: asked,
      skipQueue,
      operation,
    });
  }

  void(
    reference: string,
    { skipQueue = true, operation = anonymous() }: How = {},
  ): Promise<Reply<SettleValue>> {
    const transactionId = this.idOf(reference);
    return this.journal.settle({
      transactionId,
      action: "void",
      amount: null,
      skipQueue,
      operation,
    });
  }

  /** Gives back all of a transaction, or `amount` minor units of it. */
  refund(
    transactionId: TransactionId,
    { skipQueue = true, operation = anonymous(), amount }: How & { readonly amount?: bigint } = {},
  ): Promise<Reply<Transaction>> {
    return this.journal.refund({
      transactionId,
      skipQueue,
      description: "",
      metaData: null,
      amount: amount === undefined ? null : { unit: "minor", value: amount },
      operation,
    });
  }

  /** Gives an `@indicator` balance money from one that may owe anything. */
  async fund(indicator: string, amount: bigint): Promise<void> {
    const reference = `fund-${crypto.randomUUID()}`;
    const answer = await this.post({ reference, from: "@world", to: indicator, amount });
    if (!answer.ok) throw new Error(answer.error.message);
  }

  read(reference: string): Promise<Transaction | null> {
    return this.journal.byId(this.idOf(reference));
  }

  /** Credit, debit, inflight credit and inflight debit of an `@indicator` balance. */
  async amounts(indicator: string, currency = "USD"): Promise<readonly bigint[]> {
    const id = indicatorBalanceId(this.instance, indicator, currency);
    const balance = await this.journal.balance(id);
    if (balance === null) return [0n, 0n, 0n, 0n];
    const { credit, debit, inflightCredit, inflightDebit } = balance;
    return [credit, debit, inflightCredit, inflightDebit];
  }

  balance(indicator: string, currency = "USD") {
    const id = indicatorBalanceId(this.instance, indicator, currency);
    return balanceStub(env.BALANCES, this.instance, id);
  }

  shards() {
    const { instance } = this;
    return Array.from({ length: this.#shards }, (_none, shard) =>
      shardStub({ instance, journal: env.JOURNAL }, shard),
    );
  }

  /** The shard that holds a transaction. */
  shardOf(reference: string) {
    const shard = Number.parseInt(this.idOf(reference).slice(4, 6), 16) % this.#shards;
    return shardStub({ instance: this.instance, journal: env.JOURNAL }, shard);
  }

  /** The shard that carries out a batch. */
  batchShard(batchId: BatchId) {
    const { instance } = this;
    return shardStub({ instance, journal: env.JOURNAL }, shardOf(batchId, this.#shards));
  }

  /** Rings the alarms of all shards that have set one, now. One that dies of it rings again by itself. */
  async ring(): Promise<void> {
    await Promise.allSettled(this.shards().map((shard) => runDurableObjectAlarm(shard)));
  }
}
