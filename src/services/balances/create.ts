import type { BalanceSnapshot } from "../../domain/balance-record";
import { refusal } from "../../domain/error";
import { type NewBalance, profileOf } from "../../domain/new-balance";
import { err, ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";

/**
 * Makes a balance under a ledger, and for an identity if one is given (contract/core.md section 3.2). There is one balance
 * for an indicator and a currency: `GEN_CONFLICT` for the second.
 */
export async function createBalance(
  ctx: LedgerContext,
  asked: NewBalance,
): Promise<Result<BalanceSnapshot>> {
  const profile = profileOf(asked, {
    instance: ctx.instance,
    ordinaryId: `bln_${ctx.uuid()}`,
    createdAt: ctx.now(),
  });
  if (!profile.ok) return profile;
  const { ledgerId, identityId, indicator, currency } = profile.value;
  const [hasLedger, hasIdentity] = await Promise.all([
    ctx.ledgers.has(ledgerId),
    identityId === "" || ctx.identities.has(identityId),
  ]);
  if (!hasLedger) return err(refusal("GEN_BAD_REQUEST", "Invalid ledger ID", {}));
  if (!hasIdentity) return err(refusal("GEN_BAD_REQUEST", "Invalid identity ID", {}));

  const answer = await outcomeOf(ctx.journal.createBalance(profile.value));
  if (!answer.ok) return answer;
  if (answer.value.created) return ok(answer.value.snapshot);
  return err(
    refusal(
      "GEN_CONFLICT",
      `Balance already exists for indicator '${indicator}' and '${currency}'`,
    ),
  );
}
