import { holdTimer } from "../../domain/timer";
import { elapsedMs } from "../elapsed";
import { within } from "./deadline";
import type { Driver } from "./driver";
import type { Records } from "./records";
import { isDrivable, isHidden, needs, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** Rows looked at together; the next page follows when these are done or have failed. */
const PAGE = 200;
/** How long a pass waits for one row, in milliseconds: the row is driven on, and the others get their turn. */
const LOOK_MS = 5_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 300_000;

/** What recovery needs of its shard. */
export interface RecoveryHost {
  /** Projects and announces what was finished in this life or an earlier one. */
  flush(row: Row): void;
  /** Makes the shadows of a record. */
  shadow(row: Row): Promise<void>;
  /** Lets the timer of a hold do its work, and forgets it. Null is no work: its date is no time. */
  fire(hold: Row, action: "commit" | "void" | null): Promise<void>;
  troubled(error: unknown): void;
}

/**
 * What the alarm does: after a restart it drives every unsettled row, because any of them may be half done;
 * later only those that are due. A row that fails backs off alone.
 */
export class Recovery {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #driver: Driver;
  readonly #host: RecoveryHost;
  readonly #failing = new Map<string, Failing>();
  #recovered: boolean;
  #completing: Promise<void> | null = null;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly driver: Driver;
    readonly host: RecoveryHost;
    /** Whether an earlier life of the shard may have left rows behind. */
    readonly hasPast: boolean;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#driver = parts.driver;
    this.#host = parts.host;
    this.#recovered = !parts.hasPast;
  }

  /** Whether every row with work left is in memory, or waits for its time. */
  get isComplete(): boolean {
    return this.#recovered;
  }

  /** Resolves when all that an earlier life left behind was looked at, once in a life. */
  complete(): Promise<void> {
    if (this.#recovered) return Promise.resolve();
    this.#completing ??= this.pass().finally(() => {
      this.#completing = null;
    });
    return this.#completing;
  }

  /** One pass over the rows that are due; after a restart, over all with work left. */
  async pass(): Promise<void> {
    const horizonMs = this.#recovered ? Date.now() : Number.MAX_SAFE_INTEGER;
    const left = new Set<string>();
    for (const page of this.#store.unsettled(PAGE, horizonMs)) {
      const nowMs = Date.now();
      for (const { posting } of page) left.add(posting.transactionId);
      const busy = page.filter((stored) => !isWaiting(stored, nowMs));
      await Promise.all(busy.map((stored) => this.#look(this.#records.adopt(stored))));
    }
    this.#recovered = true;
    // What came to its end by itself does not come back.
    for (const id of this.#failing.keys()) if (!left.has(id)) this.#failing.delete(id);
  }

  async #look(row: Row): Promise<void> {
    const id = row.posting.transactionId;
    const nowMs = Date.now();
    const failing = this.#failing.get(id);
    if (
      failing !== undefined &&
      rests(failing, nowMs) &&
      !isTimerDue(row, failing.sinceMs, nowMs)
    ) {
      return;
    }
    const steps = [
      () => this.#carryOn(row, nowMs),
      () => this.#tell(row),
      () => this.#expire(row, nowMs),
    ];
    const troubles: unknown[] = [];
    // What keeps one from its end keeps no other: a hold ends in time, told of or not.
    for (const step of steps) await step().catch((error: unknown) => troubles.push(error));
    if (troubles.length === 0) {
      this.#failing.delete(id);
      return;
    }
    const failures = (failing?.failures ?? 0) + 1;
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 20));
    this.#failing.set(id, { failures, sinceMs: nowMs, waitMs });
    // What may be seen of it is shown, as far as it got.
    if (!isHidden(row) && needs(row, Work.Project)) this.#host.flush(row);
    for (const error of troubles) this.#host.troubled(error);
  }

  async #carryOn(row: Row, nowMs: number): Promise<void> {
    if (isDrivable(row, nowMs)) await within(LOOK_MS, this.#driver.drive(row));
    else if (needs(row, Work.Project | Work.Announce)) this.#host.flush(row);
  }

  async #tell(row: Row): Promise<void> {
    if (!needs(row, Work.Shadow) || needs(row, Work.Drive)) return;
    await within(LOOK_MS, this.#host.shadow(row));
  }

  /** By its date: while its shadows are not made, the row is due for them. */
  async #expire(row: Row, nowMs: number): Promise<void> {
    if (!needs(row, Work.Timer) || row.status !== "INFLIGHT") return;
    const timer = holdTimer(row.posting);
    if (timer === null || timer.atMs <= nowMs) {
      await this.#host.fire(row, timer?.action ?? null);
    }
  }
}

/** A row that failed, and how long it is left alone, in milliseconds. */
interface Failing {
  readonly failures: number;
  readonly sinceMs: number;
  readonly waitMs: number;
}

const rests = ({ sinceMs, waitMs }: Failing, nowMs: number): boolean =>
  elapsedMs(sinceMs, nowMs) < waitMs;

/** Whether the time of a hold came between two moments. */
function isTimerDue({ posting }: Row, afterMs: number, byMs: number): boolean {
  const timer = holdTimer(posting);
  return timer !== null && timer.atMs > afterMs && timer.atMs <= byMs;
}

/** Nothing to do before its time comes: it need not be in memory until then. */
const isWaiting = (row: Row, nowMs: number): boolean =>
  row.dueMs > nowMs &&
  (row.status === "SCHEDULED" ? !needs(row, Work.Project) : row.work === Work.Timer);
