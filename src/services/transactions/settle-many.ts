import {
  refusedItem,
  repeatedItem,
  type SettledItem,
  settledItem,
} from "../../domain/bulk-settlement";
import { type LedgerError, refusal } from "../../domain/error";
import { isTransactionId } from "../../domain/ids";
import { atOnce } from "../../durable/at-once";
import type { OperationKey } from "../../durable/journal/protocol";
import type { LedgerContext } from "../context";
import { outcomeOf } from "../trouble";
import { type Settlement, settleTransaction } from "./settle";

const AT_ONCE = 8;

/** One commit or void of many, as a client asks for it. */
export type ManySettlement = Pick<Settlement, "id" | "amount" | "preciseAmount">;

/**
 * Commits or voids many holds, each on its own, eight at a time; the results in order, one for each of the list
 * (contract/transactions.md section 7.6). A transaction that stands in the list twice is settled once.
 */
export async function settleMany(
  ctx: LedgerContext,
  how: {
    readonly list: readonly ManySettlement[];
    readonly status: "commit" | "void";
    readonly skipQueue: boolean;
    readonly operation: OperationKey;
  },
): Promise<SettledItem[]> {
  const { list, status, skipQueue } = how;
  const { key, fingerprint } = how.operation;
  const operation = { key: `${status}-many/${key}`, fingerprint, fromClient: false };
  const ids = list.map(({ id }) => id);
  const firsts = list.filter(({ id }, index) => ids.indexOf(id) === index);
  const settled = await atOnce(AT_ONCE, firsts, (each) =>
    settleOne(ctx, { ...each, status, skipQueue, operation }),
  );
  const itemById = new Map(settled.map((item) => [item.id, item]));
  return list.flatMap(({ id }, index) => {
    const item = itemById.get(id);
    if (item === undefined) return [];
    return [ids.indexOf(id) === index ? item : repeatedItem(item)];
  });
}

async function settleOne(
  ctx: LedgerContext,
  settlement: Settlement & { readonly operation: OperationKey },
): Promise<SettledItem> {
  const { id, preciseAmount } = settlement;
  // Zero is all that remains, other than for a single commit.
  const asked = preciseAmount === 0n ? { ...settlement, preciseAmount: null } : settlement;
  const reply = await settleTransaction(ctx, asked);
  if (reply.ok) return settledItem(id, reply.value.queued);
  return refusedItem(id, await certain(ctx, id, reply.error));
}

/** With `skip_queue` an unknown transaction holds no money; here it is told from one that exists. */
async function certain(ctx: LedgerContext, id: string, error: LedgerError): Promise<LedgerError> {
  if (error.code !== "TXN_NOT_INFLIGHT") return error;
  const found = isTransactionId(id) ? await outcomeOf(ctx.journal.byId(id)) : null;
  if (found !== null && (!found.ok || found.value !== null)) return error;
  return refusal("TXN_NOT_FOUND", `there is no transaction with the id '${id}'`);
}
