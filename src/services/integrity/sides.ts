import type { Finding } from "../../domain/finding";
import type { BalanceId } from "../../domain/ids";
import { millisOf } from "../../domain/time";
import type { Evidence } from "../../durable/balance/evidence";
import type { InspectedRow } from "../../durable/journal/inspection";
import type { AuditContext } from "../context";
import { profileFindings } from "./balances";

/** A balance is on the list of a shard this long after it was made, in milliseconds. */
const LISTED_MS = 120_000;

/** The balances that transactions have moved. */
export const sidesOf = (rows: readonly InspectedRow[]): BalanceId[] => [
  ...new Set(
    rows.flatMap(({ record }) =>
      record === null || record.outcome === null
        ? []
        : [record.posting.source.balanceId, record.posting.destination.balanceId],
    ),
  ),
];

/**
 * What is wrong with balances that transactions have moved and that D1 lacks: the walk goes through D1's, and would not come by
 * them.
 */
export async function sideFindings(
  ctx: AuditContext,
  rows: readonly InspectedRow[],
): Promise<Finding[]> {
  const lacking = await ctx.copies.lacking(sidesOf(rows));
  const findings = await profileFindings(ctx, lacking);
  return findings.map((each) =>
    each.code === "copy_unknown"
      ? { ...each, code: "unreadable", store: "balance", message: "the balance is gone" }
      : each,
  );
}

/** Balances that no shard has on its list. */
export async function unlistedFindings(
  ctx: AuditContext,
  looked: readonly Evidence[],
): Promise<Finding[]> {
  const nowMs = millisOf(ctx.now());
  const made = looked.filter(({ used }) => nowMs - millisOf(used.createdAt) > LISTED_MS);
  const unlisted = await ctx.inspector.unlisted(made.map(({ used }) => used.balanceId));
  return unlisted.map((id) => ({
    code: "balance_unlisted",
    id,
    store: "journal",
    version: null,
    message: "no shard has it on its list",
  }));
}
