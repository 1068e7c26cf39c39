import { createRoute, z } from "@hono/zod-openapi";
import { answerOf, batchRefusal } from "../../domain/batch";
import { brokenCount } from "../../domain/bulk";
import {
  BatchBody,
  BulkBody,
  BulkRefusedBody,
  BulkRequest,
  BulkStartedBody,
  toBatchBody,
  toBatchOptions,
  toBatchRequests,
  toBesideRefusal,
  toBulkBody,
  toBulkStartedBody,
} from "../../schemas/bulk";
import { ErrorBody, jsonResponse, refusalResponse } from "../../schemas/common";
import { BatchPreviewBody, toBatchPreviewBody } from "../../schemas/preview";
import { previewBatch } from "../../services/batches/preview";
import { readBatch } from "../../services/batches/read";
import { recordBatch } from "../../services/batches/record";
import { newRoutes } from "../app";
import { Refusal, unwrap } from "../errors";
import { idempotencyParameter, operation, unwrapReply } from "../idempotency";

const tags = ["Transactions"];

const record = createRoute({
  method: "post",
  path: "/transactions/bulk",
  tags,
  operationId: "recordBatch",
  summary: "Record many transactions",
  description:
    "Records up to 10,000 transactions in one call of at most 16 MiB. Without `skip_queue` each is queued by itself; with it they are carried out in order before the answer, up to the first that is refused. `atomic` carries out all of them or none, whatever balances they touch, and nobody sees a part of it. `run_async` answers at once; look at the batch, or wait for `bulk_transaction.*`. The batch's `inflight` and `skip_queue` replace those of its transactions, and each carries its place as `meta_data.sequence`. The batch's id works for reading, committing, voiding, refunding and metadata.",
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: BulkRequest } } },
  },
  responses: {
    200: jsonResponse(
      BatchPreviewBody,
      "With `dry_run`: what each would do, and all of them together where they build on each other. Nothing is written. A refusal is answered 200 as well.",
    ),
    201: jsonResponse(BulkBody, "Queued, or with `skip_queue` carried out."),
    202: jsonResponse(BulkStartedBody, "With `run_async`: it runs in the background."),
    400: jsonResponse(
      z.union([BulkRefusedBody, ErrorBody]),
      "A transaction was refused, with its code: `TXN_INSUFFICIENT_FUNDS`, `TXN_VALIDATION_ERROR`. Or nothing was looked at, and then there is neither `batch_id` nor `results`: `TXN_BULK_EMPTY`, `TXN_BULK_LIMIT_EXCEEDED`, `GEN_MALFORMED_REQUEST`, `TXN_VALIDATION_ERROR` with the index of a transaction that breaks a rule.",
    ),
    404: jsonResponse(BulkRefusedBody, "`TXN_NOT_FOUND`: a balance that does not exist."),
    409: jsonResponse(BulkRefusedBody, "`TXN_DUPLICATE_REFERENCE`."),
    422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`: the key came with another request before."),
    429: refusalResponse("`GEN_RATE_LIMITED`: too many batches run in the background."),
    503: refusalResponse(
      "`GEN_OVERLOADED`: too many batches are under way, and nothing was done. `GEN_OUTCOME_UNKNOWN`: the outcome is unknown, not negative; `error_detail.details.batch_id` may be asked for it.",
    ),
  },
});

const read = createRoute({
  method: "get",
  path: "/transactions/bulk/{id}",
  tags,
  operationId: "readBatch",
  summary: "Read a batch",
  description:
    "The batch and what became of each of its transactions, never stale. `processed` of `transaction_count` is its progress. `GET /transactions/{id}` answers the same.",
  request: { params: z.object({ id: z.string().openapi({ example: "bulk_…" }) }) },
  responses: {
    200: jsonResponse(BatchBody, "The batch."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    503: refusalResponse("`GEN_OUTCOME_UNKNOWN`: ask again."),
  },
});

/** Many transactions in one call (contract/transactions.md section 5). */
export const bulk = newRoutes()
  .openapi(record, async (c) => {
    const body = c.req.valid("json");
    const transactions = body.transactions ?? [];
    const broken = brokenCount(transactions.length);
    if (broken !== null) throw new Refusal(broken);
    const requests = unwrap(toBatchRequests(transactions));
    const options = toBatchOptions(body);
    if (body.dry_run === true) {
      const { preview, holds } = unwrap(await previewBatch(c.get("ledger"), { requests, options }));
      return c.json(toBatchPreviewBody(preview, holds), 200);
    }
    const reply = await recordBatch(c.get("ledger"), {
      requests,
      options,
      operation: await operation(c),
    });
    const { batch, items } = unwrapReply(c, reply);
    const refused = answerOf(batch) === "refused" ? batchRefusal(batch) : null;
    if (refused !== null) throw new Refusal(refused, toBesideRefusal(batch, items));
    if (options.runAsync) return c.json(toBulkStartedBody(batch, items), 202);
    return c.json(toBulkBody(batch, items), 201);
  })
  .openapi(read, async (c) => {
    const { batch, items } = unwrap(await readBatch(c.get("ledger"), c.req.valid("param").id));
    return c.json(toBatchBody(batch, items), 200);
  });
