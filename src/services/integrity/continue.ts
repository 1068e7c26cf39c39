import type { Finding } from "../../domain/finding";
import type { AuditContext } from "../context";
import { checkIntegrity } from "./walk";

/** Where the walk of the cron stands is kept under this name. */
const BOOKMARK = "integrity";
/** One run takes so many steps, fewer when they have enough to look at. */
const STEPS_MAX = 12;
const ROWS_MAX = 200;

/**
 * Goes on with the walk that never ends, a bounded piece of it, and answers what it found. Where it stands is kept, so the
 * next run goes on from there. Throws when the ledger is in trouble: then the same piece is looked at again.
 */
export async function continueWalk(ctx: AuditContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  let cursor = await ctx.inspector.bookmark(BOOKMARK);
  let rows = 0;
  for (let steps = 0; steps < STEPS_MAX && rows < ROWS_MAX; steps += 1) {
    const step = await checkIntegrity(ctx, { cursor, limit: ROWS_MAX - rows });
    if (!step.ok) {
      // A bookmark that is none any more: the walk begins anew.
      if (step.error.code === "GEN_VALIDATION_ERROR") {
        await ctx.inspector.keepBookmark(BOOKMARK, null);
      }
      throw new Error(step.error.message);
    }
    const { checked, nextCursor } = step.value;
    findings.push(...step.value.findings);
    rows += checked.transactions + checked.balances + checked.entries;
    cursor = nextCursor;
    if (cursor === null) break;
  }
  await ctx.inspector.keepBookmark(BOOKMARK, cursor);
  return findings;
}
