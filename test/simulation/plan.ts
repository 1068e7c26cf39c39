/** What a simulation does, as plain data: who asks for what, in which order, and what goes wrong where. */

import type { Fault } from "../support/faults";

/** Balances by indicator, one that was made by its owner, and the one that the neighbouring instance's owner made. */
export type Account = (typeof ACCOUNTS)[number] | "foreign";
export const ACCOUNTS = ["@world", "@a", "@b", "@c", "owned"] as const;

/** When a posting's timer rings: it starts, its hold expires, or its hold is committed. */
export interface Due {
  readonly what: "start" | "expire" | "commit";
  /** Milliseconds after it is sent. */
  readonly afterMs: number;
}

export type Currency = "USD" | "EUR";

/** A movement between two balances; `limit` is what the source may owe, in minor units. */
export interface Movement {
  readonly reference: string;
  readonly from: Account;
  readonly to: Account;
  /** Minor units. */
  readonly amount: bigint;
  readonly limit: bigint;
  /** The balance that its owner made is in dollars: no other currency gets there. */
  readonly currency: Currency;
}

export interface Post extends Movement {
  readonly kind: "post";
  readonly inflight: boolean;
  readonly skipQueue: boolean;
  readonly due: Due | null;
}

/** An amount that is shared out on one side. */
export interface Split {
  readonly kind: "split";
  readonly reference: string;
  readonly side: "sources" | "destinations";
  readonly one: Account;
  readonly many: readonly Account[];
  /** Whether all shares but the last are percentages that never come out even. */
  readonly percent: boolean;
  readonly amount: bigint;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
}

export interface Bulk {
  readonly kind: "bulk";
  readonly items: readonly Movement[];
  readonly atomic: boolean;
  /** Answered at once, carried out in the background. */
  readonly runAsync: boolean;
  readonly inflight: boolean;
  readonly skipQueue: boolean;
}

/** What follows from a posting; `amount` null is all of it. */
export interface FollowUp {
  readonly kind: "commit" | "void" | "refund";
  readonly reference: string;
  readonly amount: bigint | null;
  readonly skipQueue: boolean;
}

export interface SettleMany {
  readonly kind: "commit-many" | "void-many";
  readonly references: readonly string[];
  /** What to commit of each; null is all of it. */
  readonly amounts: readonly (bigint | null)[];
  readonly skipQueue: boolean;
}

/** A commit or void of all holds of a batch, which is named by its request. */
export interface SettleBatch {
  readonly kind: "commit-batch" | "void-batch";
  readonly batch: string;
  readonly skipQueue: boolean;
}

/** What moves money. */
export type Order = Post | Split | Bulk | FollowUp | SettleMany | SettleBatch;

export type Request =
  | Order
  /** What an order would do. */
  | { readonly kind: "preview"; readonly of: Order }
  | { readonly kind: "cancel" | "look" | "look up"; readonly reference: string }
  | { readonly kind: "weigh"; readonly account: Account }
  | { readonly kind: "list"; readonly what: "transactions" | "balances" }
  | { readonly kind: "recover" };

/** A request of one client. One that was answered to nobody, or that may have failed, is sent again, as clients do. */
export interface Send {
  readonly do: "send";
  /** Names the request: its idempotency key and its description, so that what it made can be found. */
  readonly name: string;
  readonly neighbour: boolean;
  readonly request: Request;
  readonly keyed: boolean;
  /** How often it is sent, all at once. */
  readonly times: number;
  /** Whether the first answer is lost on the way to the client. */
  readonly isLost: boolean;
}

export type Step =
  | Send
  /** Until all that was sent is answered. */
  | { readonly do: "wait" }
  /** The clock jumps, or is set back by negative milliseconds. */
  | { readonly do: "advance"; readonly ms: number }
  /** The alarms of all shards, which are set for moments that never come by themselves. */
  | { readonly do: "ring"; readonly twice: boolean }
  /** The run of every minute. */
  | { readonly do: "touch" }
  /** Messages that the shards sent to their own queues come out, in an order drawn from `seed`. */
  | { readonly do: "deliver"; readonly seed: number; readonly how: "once" | "twice" | "lost" }
  /** All objects leave memory, wherever they are after so many more steps, with or without their last writes. */
  | { readonly do: "abort"; readonly after: number; readonly durable: boolean }
  /** All balances leave memory when they have done what they were asked for. */
  | { readonly do: "evict" }
  /**
   * A new version begins to roll out: every object leaves memory after up to so many steps of its own, and from here on
   * callers and objects of different versions meet, drawn from `seed` for each call and message.
   */
  | { readonly do: "deploy"; readonly after: number; readonly seed: number };

export interface Plan {
  readonly seed: number;
  readonly shards: number;
  readonly steps: readonly Step[];
  readonly faults: readonly Fault[];
}

export const isSend = (step: Step): step is Send => step.do === "send";
