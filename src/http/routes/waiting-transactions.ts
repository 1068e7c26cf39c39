import { createRoute, z } from "@hono/zod-openapi";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { TransactionBody, toTransactionBody } from "../../schemas/transaction";
import { cancelTransaction } from "../../services/transactions/cancel";
import { recoverTransactions } from "../../services/transactions/recover";
import { newRoutes } from "../app";
import { unwrap } from "../errors";

const tags = ["Transactions"];
const THRESHOLD_DEFAULT = "2m";

const OUTCOME_UNKNOWN = refusalResponse(
  "`GEN_OUTCOME_UNKNOWN`: the outcome is unknown, not negative. Send the same request again.",
);

const cancel = createRoute({
  method: "delete",
  path: "/transactions/{id}",
  tags,
  operationId: "cancelTransaction",
  summary: "Cancel a transaction that waits",
  description:
    "A QUEUED or SCHEDULED transaction becomes REJECTED and never moves money; its reference stays used. What has moved already is voided or refunded instead.",
  request: { params: z.object({ id: z.string().openapi({ example: "txn_…" }) }) },
  responses: {
    200: jsonResponse(TransactionBody, "The transaction, REJECTED. A repeat answers the same."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    409: refusalResponse("`GEN_CONFLICT`: it was carried out, or follows from another one."),
    503: OUTCOME_UNKNOWN,
  },
});

const recover = createRoute({
  method: "post",
  path: "/transactions/recover",
  tags,
  operationId: "recoverTransactions",
  summary: "Carry out transactions that wait for too long",
  description:
    "Carries out transactions that have been QUEUED for longer than `threshold`, 100 at most. The ledger does that by itself; this is for the impatient.",
  request: {
    query: z.object({
      threshold: z.string().optional().openapi({
        description: "A duration as Go writes it; below two minutes it counts as two minutes.",
        example: "2m",
      }),
    }),
  },
  responses: {
    200: jsonResponse(
      z
        .object({
          recovered: z.int().nonnegative(),
          threshold: z.string().openapi({ example: "2m0s" }),
        })
        .openapi("Recovery"),
      "How many it found, and the threshold as it was asked for.",
    ),
    400: refusalResponse("`GEN_VALIDATION_ERROR`: the threshold is no duration."),
    503: OUTCOME_UNKNOWN,
  },
});

/** Transactions that wait: cancelled, or carried out now (contract/transactions.md section 4.4). */
export const waitingTransactions = newRoutes()
  .openapi(cancel, async (c) => {
    const transaction = unwrap(await cancelTransaction(c.get("ledger"), c.req.valid("param").id));
    return c.json(toTransactionBody(transaction, "read"), 200);
  })
  .openapi(recover, async (c) => {
    const { threshold = THRESHOLD_DEFAULT } = c.req.valid("query");
    return c.json(unwrap(await recoverTransactions(c.get("ledger"), { threshold })), 200);
  });
