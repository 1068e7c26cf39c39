import type { BalanceSnapshot } from "../../domain/balance-record";
import { type LedgerError, refusal } from "../../domain/error";
import type { Identity } from "../../domain/identity";
import { type BalanceId, indicatorBalanceId, isBalanceId } from "../../domain/ids";
import type { Ledger } from "../../domain/ledger";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/** What to answer beside the balance itself. */
export interface Wanted {
  readonly queued: boolean;
  readonly ledger: boolean;
  readonly identity: boolean;
}

/** A balance as it stands, with what was wanted beside it; null where it was not, or where there is none. */
export interface ReadBalance {
  readonly balance: BalanceSnapshot;
  /** Minor units of QUEUED transactions on either side. */
  readonly queued: { readonly debit: bigint; readonly credit: bigint } | null;
  readonly ledger: Ledger | null;
  readonly identity: Identity | null;
}

/** There is no balance with this id. */
export const balanceNotFound = (balanceId: string): LedgerError =>
  refusal("BAL_NOT_FOUND", `Balance with ID '${balanceId}' not found`, {});

/** The balance as its object has it, never stale; `BAL_NOT_FOUND` when there is none (contract/core.md section 3.4). */
export async function readBalance(
  ctx: LedgerContext,
  { id, wanted }: { readonly id: string; readonly wanted: Wanted },
): Promise<Result<ReadBalance>> {
  if (!isBalanceId(id)) return err(balanceNotFound(id));
  const read = await outcomeOf(
    Promise.all([ctx.journal.balance(id), wanted.queued ? ctx.journal.queuedAmounts(id) : null]),
  );
  if (!read.ok) return read;
  const [balance, queued] = read.value;
  if (balance === null) return err(balanceNotFound(id));
  const { ledgerId, identityId } = balance;
  const [ledger, identity] = await Promise.all([
    wanted.ledger ? ctx.ledgers.byId(ledgerId) : null,
    wanted.identity && identityId !== "" ? ctx.identities.byId(identityId) : null,
  ]);
  return ok({
    balance,
    queued,
    ledger: ledger?.ledger ?? null,
    identity: identity?.identity ?? null,
  });
}

/** The balance of an indicator in a currency, by the id that both make. Asking makes none. */
export async function readByIndicator(
  ctx: LedgerContext,
  { indicator, currency }: { readonly indicator: string; readonly currency: string },
): Promise<Result<BalanceSnapshot>> {
  const id: BalanceId = indicatorBalanceId(ctx.instance, indicator, currency);
  const found = await outcomeOf(ctx.journal.balance(id));
  if (!found.ok) return found;
  if (found.value !== null) return ok(found.value);
  return err(refusal("BAL_NOT_FOUND", `balance with indicator '${indicator}' not found`));
}
