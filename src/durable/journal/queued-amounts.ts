import type { BalanceId } from "../../domain/ids";
import type { Row } from "./row";

/** Minor units that QUEUED records among these would move on either side of a balance. A split is what its legs move. */
export function queuedAmounts(
  rows: readonly Row[],
  balanceId: BalanceId,
): { readonly debit: bigint; readonly credit: bigint } {
  let debit = 0n;
  let credit = 0n;
  for (const { status, posting } of rows) {
    if (status !== "QUEUED" || !MOVING.has(posting.kind)) continue;
    if (posting.source.balanceId === balanceId) debit += posting.preciseAmount;
    else credit += posting.preciseAmount;
  }
  return { debit, credit };
}

/** What settles a hold moves what is held already. */
const MOVING: ReadonlySet<string> = new Set(["post", "refund"]);
