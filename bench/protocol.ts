/** What the bench asks of its load process: 32 clients that each wait for an answer before they ask again. */
export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly work: TransferWork | BulkWork | ReadWork;
  /** Each client begins a request this often, in milliseconds; absent: as soon as it has its answer. */
  readonly everyMs?: number;
  /** What a client does that was turned away: waits as long as `Retry-After` says, or sends at once again. */
  readonly manners?: "heeds" | "ignores";
}

/** POST /transactions from a random source to a random destination, each with a reference of its own. */
export interface TransferWork {
  readonly kind: "transfer";
  readonly sources: readonly string[];
  readonly destinations: readonly string[];
  readonly skipQueue: boolean;
  /** References start with it; it is used once. */
  readonly prefix: string;
}

/** POST /transactions/bulk of so many queued transfers between random balances. */
export interface BulkWork {
  readonly kind: "bulk";
  readonly balances: readonly string[];
  readonly items: number;
  /** References start with it; it is used once. */
  readonly prefix: string;
}

/** GET /balances/{id} of a random balance. */
export interface ReadWork {
  readonly kind: "read";
  readonly balances: readonly string[];
}

/** What happened. */
export interface LoadReport {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly elapsedMs: number;
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many answers of 503 had no `Retry-After`. */
  readonly unadvised: number;
  /** Of requests that were not turned away. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Minor units that accepted transfers took from and gave to each balance, in decimal digits. */
  readonly debits: Readonly<Record<string, string>>;
  readonly credits: Readonly<Record<string, string>>;
}
