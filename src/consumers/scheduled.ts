import type { Finding } from "../domain/finding";
import { reasonOf } from "../domain/thrown";
import { log } from "./log";

/** What the run of every minute needs. */
export interface ScheduledContext {
  /** Every journal shard of every instance, by a name for the log. */
  readonly shards: readonly { readonly name: string; touch(): Promise<void> }[];
  /** Sends the events of ledgers and identities that were stored but not sent. Repeatable. */
  sweepOutbox(): Promise<void>;
  /** Every ledger, by a name for the log, and the next piece of the walk over what it has stored. */
  readonly audits: readonly { readonly name: string; findings(): Promise<readonly Finding[]> }[];
}

/**
 * The run of every minute: wakes every shard, so that one whose alarm was lost goes on with its work, sends what was left
 * behind, and goes on with the walk that looks for tampering. Each part is repeatable and fails alone; throws at the end when any did.
 */
export async function runScheduled(context: ScheduledContext): Promise<void> {
  const parts = [
    ...context.shards.map((shard) => ({ name: shard.name, run: () => shard.touch() })),
    { name: "outbox", run: () => context.sweepOutbox() },
    ...context.audits.map(({ name, findings }) => ({
      name: `${name}/integrity`,
      run: async () => {
        for (const finding of await findings()) {
          log("integrity.finding", { instance: name, ...finding });
        }
      },
    })),
  ];
  const outcomes = await Promise.allSettled(parts.map(({ run }) => run()));
  const failed = parts.filter((part, index) => {
    const outcome = outcomes[index];
    if (outcome?.status !== "rejected") return false;
    log("scheduled.failed", { part: part.name, reason: reasonOf(outcome.reason) });
    return true;
  });
  if (failed.length > 0) throw new Error(`${failed.length} of ${parts.length} parts failed`);
}
