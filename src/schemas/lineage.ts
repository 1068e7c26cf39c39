import { z } from "@hono/zod-openapi";
import type { BalanceSnapshot } from "../domain/balance-record";
import { availableIn, availableOf, type Fund, type TransactionLineage } from "../domain/lineage";
import { shadowsOf } from "../domain/shadow";
import { integerOut } from "./common";
import { wireInteger } from "./json";
import { TransactionBody, toTransactionBody } from "./transaction";

/** Whose money a balance has (contract/transactions.md section 12.3). Amounts are in minor units. */
export const BalanceLineageBody = z
  .object({
    balance_id: z.string(),
    total_with_lineage: integerOut.openapi({ description: "What of all providers can be spent." }),
    aggregate_balance_id: z.string().openapi({
      description: "The shadow balance of all providers; empty while there is none.",
    }),
    providers: z
      .array(
        z.object({
          provider: z.string(),
          amount: integerOut.openapi({ description: "All that ever came of it." }),
          available: integerOut.openapi({ description: "What is neither spent nor held." }),
          spent: integerOut,
          held: integerOut.optional().openapi({ description: "What holds tie up, if they do." }),
          shadow_balance_id: z.string(),
        }),
      )
      .openapi({ description: "In the order in which the balance first heard of them." }),
  })
  .openapi("BalanceLineage");

/** Whose money a balance has, for the wire. */
export function toBalanceLineageBody(
  { balance, funds }: { readonly balance: BalanceSnapshot; readonly funds: readonly Fund[] },
  instance: string,
): z.output<typeof BalanceLineageBody> {
  const shadows = shadowsOf(instance, balance.balanceId, balance.currency);
  return {
    balance_id: balance.balanceId,
    total_with_lineage: wireInteger(availableIn(funds)),
    aggregate_balance_id: funds.length === 0 ? "" : shadows.aggregate.balanceId,
    providers: funds.map((fund) => ({
      provider: fund.provider,
      amount: wireInteger(fund.credited),
      available: wireInteger(availableOf(fund)),
      spent: wireInteger(fund.spent),
      ...heldOf(fund),
      shadow_balance_id: shadows.fund(fund.provider).balanceId,
    })),
  };
}

const heldOf = ({ held }: Fund) => (held === 0n ? {} : { held: wireInteger(held) });

/** Whose money a transaction moved (contract/transactions.md section 11.5). Amounts are in minor units. */
export const TransactionLineageBody = z
  .object({
    transaction_id: z.string(),
    fund_allocation: z
      .array(z.object({ provider: z.string(), amount: integerOut }))
      .optional()
      .openapi({ description: "Whose money was spent, if the source knows of anybody's." }),
    shadow_transactions: z
      .array(TransactionBody)
      .nullable()
      .openapi({ description: "The transactions that tell of it in shadow balances." }),
  })
  .openapi("TransactionLineage");

/** Whose money a transaction moved, for the wire. */
export const toTransactionLineageBody = ({
  transactionId,
  allocation,
  shadows,
}: TransactionLineage): z.output<typeof TransactionLineageBody> => ({
  transaction_id: transactionId,
  ...(allocation.length === 0
    ? {}
    : {
        fund_allocation: allocation.map(({ provider, amount }) => ({
          provider,
          amount: wireInteger(amount),
        })),
      }),
  shadow_transactions:
    shadows.length === 0 ? null : shadows.map((shadow) => toTransactionBody(shadow, "read")),
});
