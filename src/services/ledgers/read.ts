import { refusal } from "../../domain/error";
import type { Ledger } from "../../domain/ledger";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";

export const ledgerNotFound = refusal("LGR_NOT_FOUND", "Ledger not found", {});

/** The ledger with this id; `LGR_NOT_FOUND` when there is none. */
export async function readLedger(ctx: LedgerContext, ledgerId: string): Promise<Result<Ledger>> {
  const stored = await ctx.ledgers.byId(ledgerId);
  return stored === null ? err(ledgerNotFound) : ok(stored.ledger);
}
