import { refusal } from "../../domain/error";
import { err, ok, type Result } from "../../domain/result";
import type { Posting, Transaction } from "../../domain/transaction";
import type { EntryPlace } from "../../durable/balance/evidence";
import type { LedgerContext } from "../context";
import { operationOf } from "../integrity/transactions";
import { readTransaction } from "../transactions/read";
import { outcomeOf } from "../trouble";

/** An entry of a transaction, and the balance in whose chain it stands. */
export interface ProvedEntry extends EntryPlace {
  readonly balanceId: string;
}

/** What shows that a transaction moved what it says. */
export interface TransactionProof {
  /** As it stands. */
  readonly transaction: Transaction;
  /** As it was recorded: what its seal is made of. */
  readonly posting: Posting;
  readonly attempt: string;
  /** Of its source and its destination; none while it has moved nothing, and none of a split, whose legs move. */
  readonly entries: readonly ProvedEntry[];
  /** Ids of what follows from it, oldest first. */
  readonly children: readonly string[];
}

/** A transaction as it was recorded, and its entries among their neighbours. `TXN_NOT_FOUND` when there is none. */
export async function proveTransaction(
  ctx: LedgerContext,
  id: string,
): Promise<Result<TransactionProof>> {
  const read = await readTransaction(ctx, id);
  if (!read.ok) return read;
  const transaction = read.value;
  return flattened(await outcomeOf(proofOf(ctx, transaction)));
}

async function proofOf(
  ctx: LedgerContext,
  transaction: Transaction,
): Promise<Result<TransactionProof>> {
  const [row] = await ctx.inspector.rows([transaction.transactionId]);
  if (row === undefined || row.record === null) {
    return err(refusal("TXN_NOT_FOUND", "the record of the transaction cannot be read", {}));
  }
  const { record } = row;
  const { posting, attempt, children } = record;
  const entries = await Promise.all(
    (["source", "destination"] as const).map(async (side): Promise<ProvedEntry[]> => {
      const { balanceId } = posting[side];
      const [place] = await ctx.inspector.placesOf(balanceId, [operationOf(record, side)]);
      return place === undefined || place === null ? [] : [{ ...place, balanceId }];
    }),
  );
  return ok({ transaction, posting, attempt, entries: entries.flat(), children });
}

const flattened = <T>(result: Result<Result<T>>): Result<T> => (result.ok ? result.value : result);
