import { createRoute, z } from "@hono/zod-openapi";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import {
  BalanceLineageBody,
  TransactionLineageBody,
  toBalanceLineageBody,
  toTransactionLineageBody,
} from "../../schemas/lineage";
import { balanceLineage } from "../../services/lineage/balance";
import { transactionLineage } from "../../services/lineage/transaction";
import { newRoutes } from "../app";
import { unwrap } from "../errors";

const tags = ["Fund lineage"];
const unknown = refusalResponse("`GEN_OUTCOME_UNKNOWN`: it could not be read. Ask again.");

const ofBalance = createRoute({
  method: "get",
  path: "/balances/{id}/lineage",
  tags,
  operationId: "readBalanceLineage",
  summary: "Whose money a balance has",
  description:
    "For a balance made with `track_fund_lineage`: what came of each provider (a transaction names it by `meta_data.BLNK_LINEAGE_PROVIDER`), what was spent of it and what can still be. Never stale: what was answered APPLIED is in it. Amounts are in minor units.",
  request: { params: z.object({ id: z.string().openapi({ example: "bln_…" }) }) },
  responses: {
    200: jsonResponse(BalanceLineageBody, "What it has of each provider."),
    400: refusalResponse("`GEN_BAD_REQUEST`: the balance does not track its funds."),
    404: refusalResponse("`BAL_NOT_FOUND`."),
    503: unknown,
  },
});

const ofTransaction = createRoute({
  method: "get",
  path: "/transactions/{id}/lineage",
  tags,
  operationId: "readTransactionLineage",
  summary: "Whose money a transaction moved",
  description:
    "What it spent of each provider, and the shadow transactions that tell of it. A balance's shadow balances are `@<provider>_<balance id>_lineage` and, for all providers, `@<balance id>_lineage`. Amounts are in minor units.",
  request: { params: z.object({ id: z.string().openapi({ example: "txn_…" }) }) },
  responses: {
    200: jsonResponse(TransactionLineageBody, "Whose money it was, as far as it is known."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    503: unknown,
  },
});

/** Whose money it is (contract/transactions.md section 12). */
export const lineage = newRoutes()
  .openapi(ofBalance, async (c) => {
    const { instance } = c.get("ledger");
    const found = unwrap(await balanceLineage(c.get("ledger"), c.req.valid("param").id));
    return c.json(toBalanceLineageBody(found, instance), 200);
  })
  .openapi(ofTransaction, async (c) => {
    const found = unwrap(await transactionLineage(c.get("ledger"), c.req.valid("param").id));
    return c.json(toTransactionLineageBody(found), 200);
  });
