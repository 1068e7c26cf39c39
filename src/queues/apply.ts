import { z } from "zod";
import { isTransactionId, type TransactionId } from "../domain/ids";
import { sendInBatches } from "./batch";

const IDS_IN_A_MESSAGE = 1_000;

const transactionId = z.custom<TransactionId>(
  (value) => typeof value === "string" && isTransactionId(value),
);

/** QUEUED transactions of one journal shard, on their way into the balances. */
export const applyMessage = z.object({
  instance: z.string().min(1),
  shard: z.int().nonnegative(),
  ids: z.array(transactionId).min(1).max(IDS_IN_A_MESSAGE),
});

export type ApplyMessage = z.infer<typeof applyMessage>;

/** What a shard asks to be applied. */
export interface ApplyRequest {
  readonly instance: string;
  readonly shard: number;
  readonly ids: readonly TransactionId[];
}

/** Asks for the application of QUEUED transactions. Sending an id again changes nothing. Throws when not all were sent. */
export async function sendApply(
  queue: Queue<ApplyMessage>,
  { instance, shard, ids }: ApplyRequest,
): Promise<void> {
  const messages: ApplyMessage[] = [];
  for (let from = 0; from < ids.length; from += IDS_IN_A_MESSAGE) {
    messages.push({ instance, shard, ids: ids.slice(from, from + IDS_IN_A_MESSAGE) });
  }
  await sendInBatches(queue, messages);
}
