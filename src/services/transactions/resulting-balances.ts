import type { BalanceSnapshot } from "../../domain/balance-record";
import type { BalanceId } from "../../domain/ids";
import { isTransactionId } from "../../domain/ids";
import type { Transaction } from "../../domain/transaction";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** A balance as a transaction left it. */
export interface ResultingBalance {
  readonly role: "source" | "destination";
  readonly snapshot: BalanceSnapshot;
}

/**
 * The balances as a transaction left them, whatever moved since, so that a repeat answers the same. Null when it has moved
 * nothing yet, or when they cannot be read: the transaction itself stands.
 */
export async function resultingBalances(
  ctx: LedgerContext,
  transaction: Transaction,
): Promise<readonly ResultingBalance[] | null> {
  const read = await outcomeOf(readAll(ctx, transaction));
  return read.ok ? read.value : null;
}

async function readAll(
  ctx: LedgerContext,
  transaction: Transaction,
): Promise<readonly ResultingBalance[] | null> {
  const sides = lastVersions(await moversOf(ctx, transaction));
  if (sides.length === 0) return null;
  const balances = await Promise.all(
    sides.map(async ({ role, balanceId, version }) => ({
      role,
      snapshot: await ctx.journal.balance(balanceId, version),
    })),
  );
  return balances.flatMap(({ role, snapshot }) => (snapshot === null ? [] : [{ role, snapshot }]));
}

/** The records that moved the money: the legs of a split, or the transaction itself. */
async function moversOf(ctx: LedgerContext, transaction: Transaction): Promise<Transaction[]> {
  if (transaction.shares === null) return [transaction];
  const ids = transaction.shares.list.map(({ transactionId }) => transactionId);
  const legs = await Promise.all(
    ids.filter(isTransactionId).map((legId) => ctx.journal.byId(legId)),
  );
  return legs.flatMap((leg) => leg ?? []);
}

interface TouchedSide {
  readonly role: "source" | "destination";
  readonly balanceId: BalanceId;
  readonly version: number;
}

/** Each balance once, sources first, at the last version that one of the records made. */
function lastVersions(movers: readonly Transaction[]): TouchedSide[] {
  const touched = new Map<BalanceId, TouchedSide>();
  for (const role of ["source", "destination"] as const) {
    for (const mover of movers) {
      const version = role === "source" ? mover.sourceVersion : mover.destinationVersion;
      const { balanceId } = mover[role];
      if (version === null || version <= (touched.get(balanceId)?.version ?? 0)) continue;
      touched.set(balanceId, { role, balanceId, version });
    }
  }
  return [...touched.values()];
}
