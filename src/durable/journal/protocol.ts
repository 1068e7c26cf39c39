import type { BalanceAt, BalanceProfile, BalanceSnapshot } from "../../domain/balance-record";
import type { BatchOptions, BatchValue, ItemResult } from "../../domain/batch";
import type { LedgerError } from "../../domain/error";
import type { BalanceId, BatchId, TransactionId } from "../../domain/ids";
import type { BalanceLineage, Piece } from "../../domain/lineage";
import type { Result } from "../../domain/result";
import type { CommitAmount } from "../../domain/settlement";
import type { Instant } from "../../domain/time";
import type { Posting, Transaction } from "../../domain/transaction";
import type { ProfileChange } from "../balance/protocol";
import type { Claim } from "./row";

/** A request to record a posting, or a split with its legs, each a posting whose `group` is the split. */
export interface PostRequest {
  readonly posting: Posting;
  readonly legs?: readonly Posting[];
  readonly operation: OperationKey;
}

/** Names one client request: repeats of it carry the same key and fingerprint. */
export interface OperationKey {
  /** The client's `Idempotency-Key`, or a random text when it sent none. */
  readonly key: string;
  /** SHA-256 of method, path and body: another body under the same key is refused. */
  readonly fingerprint: string;
  /** Whether the client sent the key itself. */
  readonly fromClient: boolean;
}

/** What a journal call answers: a value, or a refusal; `replayed` when it repeats an earlier answer. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T; readonly replayed: boolean }
  | { readonly ok: false; readonly error: LedgerError; readonly replayed: boolean };

export interface RecordRequest {
  readonly posting: Posting;
  readonly operation: OperationKey;
  /** When it counts as made; absent: when it is recorded. */
  readonly createdAt?: Instant;
  /** How many shards the instance's journal has: what one balance may have at once is shared by them. */
  readonly shards?: number;
  /** Of a split: what moves the money, and the references that it takes in other shards. */
  readonly split?: { readonly legs: readonly Posting[]; readonly claims: readonly Claim[] };
}

/** Some of a batch's items: postings as texts, whose `parentTransaction` is the batch, the first at the place after `after`. */
export interface BatchPart {
  readonly batchId: BatchId;
  readonly after: number;
  readonly postings: readonly string[];
}

/** Items of a batch that belong to one shard, in their order. */
export interface ItemsRequest {
  readonly batchId: BatchId;
  /** When the batch was made; an item counts as made so many microseconds later as its place says. */
  readonly batchMadeAt: Instant;
  /** The place of each in its batch, from 1, and its posting as a text. */
  readonly items: readonly (readonly [place: number, posting: string])[];
}

/** A batch, with the last of its items. */
export interface BatchRequest extends BatchPart {
  readonly options: BatchOptions;
  /** How many shards the instance's journal has. */
  readonly shards: number;
  readonly operation: OperationKey;
}

/** Where a record of the journal stands. */
export interface RecordState {
  readonly status: Transaction["status"];
  /** Why it is REJECTED; "" otherwise. */
  readonly rejectionReason: string;
  readonly createdAt: Instant;
}

/** What a request was answered over HTTP. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
}

/** Where the answer of a request that the client named stands. */
export type AnswerState =
  /** Nobody has answered it yet: this call is to, and to say so. */
  | {
      readonly kind: "begun";
      /** When it was first asked. */
      readonly at: Instant;
      /** Whether it was asked before, so that some of it may have happened. */
      readonly again: boolean;
    }
  | { readonly kind: "answered"; readonly answer: KeptAnswer }
  /** Another request has used the key. */
  | { readonly kind: "mismatch" };

/** What is to be settled, and how. */
export interface SettleQuestion {
  readonly transactionId: TransactionId;
  readonly action: "commit" | "void";
  /** What to commit: null is all that remains. Ignored by a void. */
  readonly amount: CommitAmount;
  readonly skipQueue: boolean;
}

export interface SettleRequest extends SettleQuestion {
  readonly operation: OperationKey;
}

/** Without an operation nothing was settled by it before. */
export type SettlePlanQuestion = SettleQuestion & Partial<Pick<SettleRequest, "operation">>;

/** What is to be given back. */
export interface RefundQuestion {
  readonly transactionId: TransactionId;
  /** Null is all that was not given back before. */
  readonly amount: CommitAmount;
  /** What is laid over the original's; null or absent is nothing. */
  readonly metaData?: string | null;
}

export interface RefundRequest extends RefundQuestion {
  readonly skipQueue: boolean;
  /** Replaces the description when not empty. */
  readonly description: string;
  /** JSON text of an object merged over the original's metadata; null when none. */
  readonly metaData: string | null;
  readonly operation: OperationKey;
}

/** What a commit, void or refund would do now. */
export interface Plan {
  /** Records that are still QUEUED and that it would wait for, in order. */
  readonly waiting: readonly Transaction[];
  /** The records that it follows from, and how many minor units of each it settles or gives back. */
  readonly moves: readonly { readonly transaction: Transaction; readonly amount: bigint }[];
}

/** Whose money a transaction moved, as far as its balances know. */
export interface LineageFound {
  /** What was spent of whom; empty when the source does not track its funds. */
  readonly allocation: readonly Piece[];
  /** The transactions that tell of it in shadow balances. */
  readonly shadows: readonly TransactionId[];
}

/** What is looked up before something is projected. */
export interface SurveyQuestion {
  readonly transactionIds: readonly TransactionId[];
  readonly balanceIds: readonly BalanceId[];
}

/** What stands at a moment: what does not exist is missing. */
export interface Survey {
  /** The refusal that the reference of an id would meet, because it is used. */
  readonly taken: ReadonlyMap<TransactionId, LedgerError>;
  readonly balances: ReadonlyMap<BalanceId, BalanceSnapshot>;
}

/** What recording added to a posting: the caller has the posting itself, and need not be sent it back. */
export type Recorded = Omit<Transaction, keyof Posting> &
  Pick<Transaction, "metaData" | "effectiveDate">;

/** What became of a merge of metadata: `too-large` when the result would pass the bound; then nothing changed. */
export type MergeOutcome = "merged" | "missing" | "too-large";

export interface CancelRequest {
  readonly transactionId: TransactionId;
}

/** Settled: the child that a commit or void made. Queued: the record as it stands, with its child on the way. */
export interface SettleValue {
  readonly transaction: Transaction;
  readonly queued: boolean;
}

/**
 * What the Worker may ask of the journal. Each call goes to the one shard that holds the record,
 * is repeatable, and throws only when the outcome is unknown.
 */
export interface Journal {
  /** Records a posting; with `skipQueue` it is also carried out before the answer. */
  record(request: PostRequest): Promise<Reply<Transaction>>;
  /** Records many postings, whose `parentTransaction` is the batch, in order, as one batch. */
  recordBatch(request: {
    readonly batchId: BatchId;
    readonly options: BatchOptions;
    readonly items: readonly Posting[];
    readonly operation: OperationKey;
  }): Promise<Reply<BatchValue>>;
  /** The batch; null when there is none. */
  batch(batchId: BatchId): Promise<BatchValue | null>;
  /** What became of its items: those after a place, up to and with another. */
  batchResults(
    batchId: BatchId,
    places: { readonly after: number; readonly upTo: number },
  ): Promise<ItemResult[]>;
  /** The batch at its end, or as it stands when that takes too long; null when there is none. */
  endedBatch(batchId: BatchId): Promise<BatchValue | null>;
  /** Commits or voids many holds, each on its own; the answers in order. Operations are the ledger's own. */
  settleEach(requests: readonly SettleRequest[]): Promise<Reply<SettleValue>[]>;
  /** What each of many commits or voids would settle now, in order; it writes nothing and carries nothing out. */
  plansToSettle(questions: readonly SettlePlanQuestion[]): Promise<Result<Plan>[]>;
  /** What each of many refunds would give back now, in order; it writes nothing and carries nothing out. */
  plansToRefund(questions: readonly RefundQuestion[]): Promise<Result<Plan>[]>;
  /** Gives back what many transactions moved, each on its own; the answers in order. */
  refundEach(requests: readonly RefundRequest[]): Promise<Reply<Transaction>[]>;
  /** Where many records stand, in order; null for those that don't exist. */
  statesOf(ids: readonly TransactionId[]): Promise<(RecordState | null)[]>;
  /** Merges metadata into many records and their children. */
  mergeMetaDataEach(ids: readonly TransactionId[], patch: string): Promise<MergeOutcome[]>;
  /** Begins to answer a request that the client named, or finds its answer. Waits for another call that is at it. */
  beginAnswer(operation: OperationKey): Promise<AnswerState>;
  /** Keeps the answer for repeats; answers the one that is kept, which may be that of another call. */
  keepAnswer(operation: OperationKey, answer: KeptAnswer): Promise<KeptAnswer>;
  /** Gives up a begun answer: a repeat begins again. */
  dropAnswer(operation: OperationKey): Promise<void>;
  /** Commits or voids a hold. */
  settle(request: SettleRequest): Promise<Reply<SettleValue>>;
  /** Gives back what a transaction moved, once. Answers the newest refund record. */
  refund(request: RefundRequest): Promise<Reply<Transaction>>;
  /** Cancels a QUEUED or SCHEDULED transaction, which then is REJECTED with the reason "cancelled". */
  cancel(transactionId: TransactionId): Promise<Reply<Transaction>>;
  /** Carries out QUEUED records older than this many milliseconds, 100 at most; answers how many it found. */
  recover(olderThanMs: number): Promise<number>;
  /** What a commit or void would settle now; it writes nothing and carries nothing out. */
  planSettle(question: SettleQuestion): Promise<Result<Plan>>;
  /** What a refund would give back now; it writes nothing and carries nothing out. */
  planRefund(question: RefundQuestion): Promise<Result<Plan>>;
  /** Which references are used, and balances as they stand: many at once, for a dry run. It writes nothing. */
  survey(question: SurveyQuestion): Promise<Survey>;
  /** The record as it stands, never stale; null when there is none. */
  byId(transactionId: TransactionId): Promise<Transaction | null>;
  /** By the reference as posted; `<ref>_q` answers the record of `<ref>` when nobody posted it itself. */
  byReference(reference: string): Promise<Transaction | null>;
  /**
   * Merges the top-level keys of a JSON object into the record's metadata and that of its children.
   */
  mergeMetaData(transactionId: TransactionId, patch: string): Promise<MergeOutcome>;
  /** Makes a balance. `created` is false when an indicator balance existed already. */
  createBalance(profile: BalanceProfile): Promise<{ created: boolean; snapshot: BalanceSnapshot }>;
  /** Changes a balance's profile; null when there is no such balance. */
  updateBalance(balanceId: BalanceId, change: ProfileChange): Promise<BalanceSnapshot | null>;
  /** The balance as it stands, never stale, or as it stood at a version; null when there is none. */
  balance(balanceId: BalanceId, version?: number): Promise<BalanceSnapshot | null>;
  /** What had settled by a moment, by effective dates; null when there is no such balance. */
  balanceAt(balanceId: BalanceId, moment: Instant): Promise<BalanceAt | null>;
  /** A balance as it stands, and whose money it has; null when there is no such balance. */
  balanceLineage(balanceId: BalanceId): Promise<BalanceLineage | null>;
  /** Whose money a transaction moved, of a split all its legs; null when there is no such transaction. */
  lineageOf(transactionId: TransactionId): Promise<LineageFound | null>;
  /** Minor units of QUEUED transactions on either side of a balance. */
  queuedAmounts(balanceId: BalanceId): Promise<{ debit: bigint; credit: bigint }>;
  /**
   * Resolves when D1 has everything that was answered before the call: true. After two seconds it
   * gives up: false, and lists may be behind.
   */
  barrier(): Promise<boolean>;
}
