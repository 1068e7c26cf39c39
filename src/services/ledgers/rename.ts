import { brokenFields, brokenName } from "../../domain/field-rules";
import type { Ledger } from "../../domain/ledger";
import { err, ok, type Result } from "../../domain/result";
import { recordEvent } from "../../schemas/event";
import { toLedgerBody } from "../../schemas/ledger";
import { announcer } from "../announce";
import type { LedgerContext } from "../context";
import { changeStored } from "../stored-change";
import { ledgerNotFound } from "./read";

/** Gives a ledger another name. It is told of as `ledger.created` again, as in Blnk (contract/core.md section 2). */
export async function renameLedger(
  ctx: LedgerContext,
  { ledgerId, name }: { readonly ledgerId: string; readonly name: string },
): Promise<Result<Ledger>> {
  const broken = brokenFields([["name", brokenName(name)]], "errors");
  if (broken !== null) return err(broken);

  const renamed = await changeStored({
    read: () => ctx.ledgers.byId(ledgerId),
    change: ({ ledger, revision }) => ok({ ledger: { ...ledger, name }, revision }),
    write: async ({ ledger, revision }) => {
      const { told, announce } = announcer(ctx, () =>
        recordEvent("ledger.created", ledgerId, `renamed ${revision}`, toLedgerBody(ledger)),
      );
      const isWritten = await ctx.ledgers.replace({ ledger, revision }, told);
      if (isWritten) announce();
      return isWritten;
    },
  });
  if (!renamed.ok) return renamed;
  return renamed.value === null ? err(ledgerNotFound) : ok(renamed.value.ledger);
}
