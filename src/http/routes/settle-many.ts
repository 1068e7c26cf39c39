import { createRoute } from "@hono/zod-openapi";
import { brokenSettleCount } from "../../domain/bulk-settlement";
import { refusal } from "../../domain/error";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import {
  CommitManyRequest,
  SettledManyBody,
  toSettledManyBody,
  VoidManyRequest,
} from "../../schemas/settle-many";
import { settleMany } from "../../services/transactions/settle-many";
import { newRoutes } from "../app";
import { Refusal } from "../errors";
import { idempotencyParameter, operation } from "../idempotency";
import { repeatable } from "../middleware/repeatable";

const tags = ["Transactions"];

const responses = {
  200: jsonResponse(
    SettledManyBody,
    "What became of each, in the order of the list, also where all failed.",
  ),
  400: refusalResponse("`TXN_BULK_EMPTY`, `TXN_BULK_LIMIT_EXCEEDED`, `GEN_MALFORMED_REQUEST`."),
  422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`."),
  503: refusalResponse("`GEN_OVERLOADED` or `GEN_OUTCOME_UNKNOWN`: send the same request again."),
};

const EACH =
  "Each on its own, up to 100. Without `skip_queue` they wait in the queue (`QUEUED`, or `ALREADY_QUEUED` when another one waits). A transaction that stands in the list twice is settled once.";

const commitMany = createRoute({
  method: "post",
  path: "/transactions/inflight/bulk/commit",
  tags,
  operationId: "commitMany",
  summary: "Commit many holds",
  description: EACH,
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: CommitManyRequest } } },
  },
  responses,
});

const voidMany = createRoute({
  method: "post",
  path: "/transactions/inflight/bulk/void",
  tags,
  operationId: "voidMany",
  summary: "Void many holds",
  description: EACH,
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: VoidManyRequest } } },
  },
  responses,
});

/** Commits and voids of unrelated holds (contract/transactions.md section 7.6). */
export const settlesMany = newRoutes()
  .openapi(commitMany, async (c) => {
    const { transactions = [], skip_queue: skipQueue = false, dry_run } = c.req.valid("json");
    refuseUnless("transactions", transactions.length, dry_run);
    const items = await settleMany(c.var.ledger, {
      list: transactions.map((each) => ({
        id: each.transaction_id ?? "",
        amount: each.amount ?? null,
        preciseAmount: each.precise_amount ?? null,
      })),
      status: "commit",
      skipQueue,
      operation: await operation(c),
    });
    return c.json(toSettledManyBody(items), 200);
  })
  .openapi(voidMany, async (c) => {
    const { transaction_ids = [], skip_queue: skipQueue = false, dry_run } = c.req.valid("json");
    refuseUnless("transaction_ids", transaction_ids.length, dry_run);
    const items = await settleMany(c.var.ledger, {
      list: transaction_ids.map((id) => ({ id, amount: null, preciseAmount: null })),
      status: "void",
      skipQueue,
      operation: await operation(c),
    });
    return c.json(toSettledManyBody(items), 200);
  });

function refuseUnless(name: string, count: number, dryRun = false): void {
  const broken = brokenSettleCount(name, count);
  if (broken !== null) throw new Refusal(broken);
  if (dryRun) throw new Refusal(refusal("TXN_VALIDATION_ERROR", "dry_run is not available yet"));
}
