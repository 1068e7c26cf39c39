import { signOf } from "../../domain/amount";
import { refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import type { Preview } from "../../domain/preview";
import { err, ok, type Result } from "../../domain/result";
import type { CommitAmount } from "../../domain/settlement";
import type {
  OperationKey,
  Reply,
  SettleQuestion,
  SettleValue,
} from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { replyOf } from "../trouble";
import { previewSettle } from "./preview-follow-up";

/** A commit or void as a client asks for it. */
export interface Settlement {
  readonly id: string;
  readonly status: string;
  /** Decimal text in major units; null when absent. */
  readonly amount: string | null;
  readonly preciseAmount: bigint | null;
  readonly skipQueue: boolean;
}

/** Commits or voids a hold, in whole or in part (contract/transactions.md sections 7.2 to 7.4). */
export async function settleTransaction(
  ctx: LedgerContext,
  settlement: Settlement & { readonly operation: OperationKey },
): Promise<Reply<SettleValue>> {
  const question = questionOf(settlement);
  if (!question.ok) return { ...question, replayed: false };
  return replyOf(ctx.journal.settle({ ...question.value, operation: settlement.operation }));
}

/** What a commit or void would do. It writes nothing; an unknown transaction is `TXN_NOT_FOUND` with `skipQueue` too. */
export async function previewSettlement(
  ctx: LedgerContext,
  settlement: Settlement,
): Promise<Result<Preview>> {
  const question = questionOf({ ...settlement, skipQueue: false });
  if (!question.ok) return question;
  const { skipQueue, amount, preciseAmount, status } = settlement;
  const amountIgnored = status === "void" && (amount !== null || preciseAmount !== null);
  return previewSettle(ctx, { ...question.value, skipQueue, amountIgnored });
}

/** A commit or void as the journal is asked for it. */
function questionOf(settlement: Settlement): Result<SettleQuestion> {
  const { id, status, skipQueue } = settlement;
  if (status !== "commit" && status !== "void") {
    return err(refusal("TXN_INVALID_STATUS_ACTION", "status must be commit or void"));
  }
  const isCommit = status === "commit";
  if (isCommit && settlement.preciseAmount !== null && settlement.preciseAmount <= 0n) {
    return err(refusal("TXN_INVALID_AMOUNT", "precise_amount must be positive"));
  }
  if (!isTransactionId(id)) {
    return err(
      skipQueue
        ? refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${status}`)
        : refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`, {}),
    );
  }
  const amount = isCommit ? amountOf(settlement) : null;
  return ok({ transactionId: id, action: status, amount, skipQueue });
}

/** `precise_amount` wins; zero and absent are all that remains. */
function amountOf({ amount, preciseAmount }: Settlement): CommitAmount {
  if (preciseAmount !== null) return { unit: "minor", value: preciseAmount };
  return amount === null || signOf(amount) === 0 ? null : { unit: "major", value: amount };
}
