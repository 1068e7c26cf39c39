import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { brokenSettleCount } from "../../domain/bulk-settlement";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { BatchPreviewBody, toBatchPreviewBody } from "../../schemas/preview";
import {
  CommitManyRequest,
  SettledManyBody,
  toSettledManyBody,
  VoidManyRequest,
} from "../../schemas/settle-many";
import { previewSettlements } from "../../services/transactions/preview-settlements";
import { type ManySettlement, settleMany } from "../../services/transactions/settle-many";
import { newRoutes } from "../app";
import type { AppEnv } from "../env";
import { Refusal, unwrap } from "../errors";
import { idempotencyParameter, operation } from "../idempotency";
import { repeatable } from "../middleware/repeatable";

const tags = ["Transactions"];

const responses = {
  200: jsonResponse(
    z.union([SettledManyBody, BatchPreviewBody]),
    "What became of each, in the order of the list, also where all failed. With `dry_run` what would become of each, and nothing is written.",
  ),
  400: refusalResponse("`TXN_BULK_EMPTY`, `TXN_BULK_LIMIT_EXCEEDED`, `GEN_MALFORMED_REQUEST`."),
  422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`."),
  503: refusalResponse(
    "`GEN_OUTCOME_UNKNOWN`: send the same request again. One of them that found no room is told in the list: `GEN_OVERLOADED`, nothing was done for it.",
  ),
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
    const { transactions = [], ...how } = c.req.valid("json");
    refuseUnless("transactions", transactions.length);
    const list = transactions.map((each) => ({
      id: each.transaction_id ?? "",
      amount: each.amount ?? null,
      preciseAmount: each.precise_amount ?? null,
    }));
    return c.json(await answerTo(c, { list, status: "commit", ...how }), 200);
  })
  .openapi(voidMany, async (c) => {
    const { transaction_ids = [], ...how } = c.req.valid("json");
    refuseUnless("transaction_ids", transaction_ids.length);
    const list = transaction_ids.map((id) => ({ id, amount: null, preciseAmount: null }));
    return c.json(await answerTo(c, { list, status: "void", ...how }), 200);
  });

async function answerTo(
  c: Context<AppEnv>,
  asked: {
    readonly list: readonly ManySettlement[];
    readonly status: "commit" | "void";
    readonly skip_queue?: boolean | undefined;
    readonly dry_run?: boolean | undefined;
  },
) {
  const { list, status, skip_queue: skipQueue = false, dry_run: isDryRun = false } = asked;
  if (isDryRun) {
    const settlements = list.map((each) => ({ ...each, status, skipQueue }));
    const preview = await previewSettlements(c.get("ledger"), { action: status, settlements });
    return toBatchPreviewBody(unwrap(preview));
  }
  const how = { list, status, skipQueue, operation: await operation(c) };
  return toSettledManyBody(await settleMany(c.get("ledger"), how));
}

function refuseUnless(name: string, count: number): void {
  const broken = brokenSettleCount(name, count);
  if (broken !== null) throw new Refusal(broken);
}
