import { refusal, statusByCode } from "../../domain/error";
import type { Preview } from "../../domain/preview";
import type { BatchPreview } from "../../domain/preview-batch";
import { refusedFollowUp } from "../../domain/preview-follow-up";
import { refusedBy } from "../../domain/projection";
import { ok, type Result } from "../../domain/result";
import type { LedgerContext } from "../context";
import { previewSettlement, type Settlement } from "./settle";

/**
 * What many commits or voids would do, each on its own: what is wrong with one is told in its place
 * (contract/transactions.md section 9.2). It writes nothing.
 */
export async function previewSettlements(
  ctx: LedgerContext,
  {
    action,
    settlements,
  }: { readonly action: "commit" | "void"; readonly settlements: readonly Settlement[] },
): Promise<Result<BatchPreview>> {
  // Zero is all that remains, other than for a single commit.
  const asked = settlements.map((each) =>
    each.preciseAmount === 0n ? { ...each, preciseAmount: null } : each,
  );
  const answers = await Promise.all(asked.map((settlement) => previewSettlement(ctx, settlement)));
  const trouble = answers.find((answer) => !answer.ok && statusByCode[answer.error.code] >= 500);
  if (trouble?.ok === false) return trouble;
  const results = answers.map((answer): Preview => {
    if (answer.ok) return answer.value;
    if (answer.error.code !== "TXN_NOT_FOUND") return refusedFollowUp(action, answer.error);
    const missing = refusal("GEN_NOT_FOUND", `NOT_FOUND: ${answer.error.message}`);
    return {
      ...refusedFollowUp(action, missing),
      refused: refusedBy("missing", missing),
      balances: null,
    };
  });
  const ids = settlements.map(({ id }) => id);
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  return ok({
    wouldApply: results.every(({ refused }) => refused === null),
    cumulative: false,
    atomic: false,
    results,
    balances: null,
    notes: twice.map((id) => `${id} is named more than once: each time is shown on its own`),
  });
}
