import { brokenFields, brokenName } from "../../domain/field-rules";
import { invariant } from "../../domain/invariant";
import type { Ledger } from "../../domain/ledger";
import { brokenMetaData, type MetaDataText } from "../../domain/metadata";
import { err, ok, type Result } from "../../domain/result";
import { recordEvent } from "../../schemas/event";
import { toLedgerBody } from "../../schemas/ledger";
import { announcer } from "../announce";
import type { LedgerContext } from "../context";

/** Makes a ledger; `ledger.created` is told. Names need not be unique (contract/core.md section 2). */
export async function createLedger(
  ctx: LedgerContext,
  { name, metaData }: { readonly name: string; readonly metaData: MetaDataText | null },
): Promise<Result<Ledger>> {
  const broken = brokenFields(
    [
      ["meta_data", brokenMetaData(metaData)],
      ["name", brokenName(name)],
    ],
    "errors",
  );
  if (broken !== null) return err(broken);

  const createdAt = ctx.now();
  const ledger: Ledger = { ledgerId: `ldg_${ctx.uuid()}`, name, createdAt, metaData };
  const { told, announce } = announcer(ctx, () =>
    recordEvent("ledger.created", ledger.ledgerId, "created", toLedgerBody(ledger)),
  );
  if (!(await ctx.ledgers.insert(ledger, told))) return madeBefore(ctx, ledger.ledgerId);
  announce();
  return ok(ledger);
}

/** The ledger as it stands, made by the same request when it was sent before: nobody else can have its id. */
async function madeBefore(ctx: LedgerContext, ledgerId: string): Promise<Result<Ledger>> {
  const stored = await ctx.ledgers.byId(ledgerId);
  invariant(stored !== null && ctx.isRepeat, "only a repeat of its own request meets a ledger");
  return ok(stored.ledger);
}
