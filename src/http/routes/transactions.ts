import { createRoute, z } from "@hono/zod-openapi";
import { isBatchId } from "../../domain/ids";
import { toResultingBalanceBody } from "../../schemas/balance";
import { BatchBody, toBatchBody } from "../../schemas/bulk";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { PreviewBody, toPreviewBody } from "../../schemas/preview";
import {
  RefundRequest,
  SettlementRequest,
  TransactionBody,
  TransactionRequest,
  toPostingRequest,
  toTransactionBody,
} from "../../schemas/transaction";
import { readBatch } from "../../services/batches/read";
import { previewTransaction } from "../../services/transactions/preview";
import { readByReference, readTransaction } from "../../services/transactions/read";
import { recordTransaction } from "../../services/transactions/record";
import { previewOfRefund, refundTransaction } from "../../services/transactions/refund";
import { resultingBalances } from "../../services/transactions/resulting-balances";
import { previewSettlement, settleTransaction } from "../../services/transactions/settle";
import { newRoutes } from "../app";
import { unwrap } from "../errors";
import { confirmPreference, expandParameter, wantsBalances } from "../expand";
import { idempotencyParameter, operation, unwrapReply } from "../idempotency";
import { repeatableForBatches } from "../middleware/repeatable";

const tags = ["Transactions"];
const params = z.object({ id: z.string().openapi({ example: "txn_…" }) });

const MONEY =
  "`amount` is in major units and is multiplied by `precision` exactly, rounded half away from zero; `precise_amount` is in minor units, an integer of any length. Numbers keep every digit both ways.";

const UNKNOWN = refusalResponse("`GEN_OUTCOME_UNKNOWN`: it could not be read. Ask again.");
const NOT_NOW = refusalResponse(
  "`GEN_OVERLOADED`: too much is under way, and nothing was done. `GEN_OUTCOME_UNKNOWN`: the outcome is unknown, not negative. Send the same request again after `Retry-After`; it happens at most once, and 409 names the transaction.",
);

const DRY_RUN =
  "With `dry_run`: what would happen, decided by the same rules. Nothing is written, no reference is used, no balance is made. A refusal is answered 200 as well, with the code of the real call, the rule, and for money by how much it is short and which holds tie it up.";

const record = createRoute({
  method: "post",
  path: "/transactions",
  tags,
  operationId: "recordTransaction",
  summary: "Record a transaction",
  description: `Moves an amount from \`source\` to \`destination\`, or holds it with \`inflight\`. Answers QUEUED at once (SCHEDULED with \`scheduled_for\`), and the same id becomes APPLIED, INFLIGHT or REJECTED; with \`skip_queue\` it is carried out before the answer, and a refusal leaves nothing behind. ${MONEY} Both balances must be in the transaction's currency. A reference moves money once, however often it is sent. Queued transactions have no order between them: wait for the event of the first, or use \`skip_queue\`.`,
  parameters: [expandParameter, idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: TransactionRequest } } },
  },
  responses: {
    200: jsonResponse(PreviewBody, DRY_RUN),
    201: jsonResponse(TransactionBody, "Recorded; with `skip_queue` carried out."),
    400: refusalResponse(
      "`GEN_MALFORMED_REQUEST` (not JSON, wrong types), `GEN_VALIDATION_ERROR` (an unknown `expand`), `TXN_VALIDATION_ERROR` (field rules, then the sentence is under `errors`; a currency that does not fit; an overdraft limit passed), `TXN_INSUFFICIENT_FUNDS`.",
    ),
    404: refusalResponse("`TXN_NOT_FOUND`: with `skip_queue`, a balance that does not exist."),
    409: refusalResponse(
      "`TXN_DUPLICATE_REFERENCE`: `error_detail.details.transaction_id` is the transaction that has it. Read it: it may have had other content.",
    ),
    422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`: the key came with another request before."),
    503: NOT_NOW,
  },
});

const readById = createRoute({
  method: "get",
  path: "/transactions/{id}",
  tags,
  operationId: "readTransaction",
  summary: "Read a transaction",
  description:
    "The transaction as it stands, never stale; by a batch's id the batch with its transactions. A hold stays INFLIGHT; `inflight_remaining` (minor units) says what is neither committed nor voided.",
  request: { params },
  responses: {
    200: jsonResponse(z.union([TransactionBody, BatchBody]), "The transaction, or the batch."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    503: UNKNOWN,
  },
});

const readReference = createRoute({
  method: "get",
  path: "/transactions/reference/{reference}",
  tags,
  operationId: "readTransactionByReference",
  summary: "Read a transaction by its reference",
  description:
    "As by id. `<reference>_q` answers the queued transaction with that reference, unless the longer one was posted itself.",
  request: { params: z.object({ reference: z.string() }) },
  responses: {
    200: jsonResponse(TransactionBody, "The transaction."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    503: UNKNOWN,
  },
});

const settle = createRoute({
  method: "put",
  path: "/transactions/inflight/{id}",
  tags,
  middleware: repeatableForBatches,
  operationId: "settleTransaction",
  summary: "Commit or void a hold",
  description:
    "Commits a hold, or all holds of a split or batch, in whole or in part, or voids what remains of it. With `skip_queue` the answer is the commit or void itself, a transaction under the hold; without it the answer is the hold as it stands with `queued: true`. `precise_amount` (minor units) wins over `amount` (major units); neither, or an `amount` of 0, is all that remains; a negative one, or one below the smallest unit, is refused. Funds are not checked again.",
  parameters: [idempotencyParameter],
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: SettlementRequest } } },
  },
  responses: {
    200: jsonResponse(
      z.union([TransactionBody, PreviewBody]),
      `The commit or void, or the hold while it waits. ${DRY_RUN}`,
    ),
    400: refusalResponse(
      "`TXN_NOT_INFLIGHT`, `TXN_COMMIT_AMOUNT_EXCEEDED`, `TXN_INVALID_AMOUNT` (`precise_amount` not positive), `TXN_INVALID_STATUS_ACTION`, `GEN_BAD_REQUEST` (negative `amount`), `GEN_MALFORMED_REQUEST`.",
    ),
    404: refusalResponse("`TXN_NOT_FOUND`, without `skip_queue`."),
    409: refusalResponse(
      "`TXN_ALREADY_COMMITTED`, `TXN_ALREADY_VOIDED`, or `GEN_CONFLICT` while another commit or void waits.",
    ),
    422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`."),
    503: NOT_NOW,
  },
});

const refund = createRoute({
  method: "post",
  path: "/refund-transaction/{id}",
  tags,
  middleware: repeatableForBatches,
  operationId: "refundTransaction",
  summary: "Refund a transaction",
  description:
    "Gives back what an applied transaction moved, or all that was committed of a hold, by a new transaction under it with the reference `<id>_refund`. `amount` or `precise_amount` gives back a part (its reference is longer), and never more in all than was moved; without them the refund is of all that is left. It is never refused for funds. The body may be left out.",
  parameters: [idempotencyParameter],
  request: {
    params,
    body: { content: { "application/json": { schema: RefundRequest.optional() } } },
  },
  responses: {
    200: jsonResponse(PreviewBody, DRY_RUN),
    201: jsonResponse(TransactionBody, "The refund."),
    400: refusalResponse(
      "`GEN_MALFORMED_REQUEST`, `TXN_VALIDATION_ERROR`, `TXN_INVALID_AMOUNT` (not positive), `GEN_BAD_REQUEST` (more than is left: `error_detail.details.refundable` says how many minor units are).",
    ),
    404: refusalResponse("`TXN_NOT_FOUND`: there is nothing to refund."),
    409: refusalResponse("`GEN_CONFLICT`: all of it was refunded before."),
    422: refusalResponse("`GEN_IDEMPOTENCY_MISMATCH`."),
    503: NOT_NOW,
  },
});

/** Transactions: recorded, read, settled, refunded (contract/transactions.md). */
export const transactions = newRoutes()
  .openapi(record, async (c) => {
    const request = toPostingRequest(c.req.valid("json"));
    const withBalances = wantsBalances(c);
    if (request.dryRun) {
      const { preview, holds } = unwrap(await previewTransaction(c.get("ledger"), request));
      return c.json(toPreviewBody(preview, holds), 200);
    }
    const reply = await recordTransaction(c.get("ledger"), {
      request,
      operation: await operation(c),
    });
    const transaction = unwrapReply(c, reply);
    const body = toTransactionBody(transaction, "answer");
    const balances = withBalances ? await resultingBalances(c.get("ledger"), transaction) : null;
    if (balances === null) return c.json(body, 201);
    confirmPreference(c);
    return c.json({ ...body, balances: balances.map(toResultingBalanceBody) }, 201);
  })
  .openapi(readReference, async (c) => {
    const { reference } = c.req.valid("param");
    const transaction = unwrap(await readByReference(c.get("ledger"), reference));
    return c.json(toTransactionBody(transaction, "read"), 200);
  })
  .openapi(readById, async (c) => {
    const { id } = c.req.valid("param");
    if (isBatchId(id)) {
      const { batch, items } = unwrap(await readBatch(c.get("ledger"), id));
      return c.json(toBatchBody(batch, items), 200);
    }
    const transaction = unwrap(await readTransaction(c.get("ledger"), id));
    return c.json(toTransactionBody(transaction, "read"), 200);
  })
  .openapi(settle, async (c) => {
    const body = c.req.valid("json");
    const settlement = {
      id: c.req.valid("param").id,
      status: body.status ?? "",
      amount: body.amount ?? null,
      preciseAmount: body.precise_amount ?? null,
      skipQueue: body.skip_queue ?? false,
    };
    if (body.dry_run === true) {
      const preview = unwrap(await previewSettlement(c.get("ledger"), settlement));
      return c.json(toPreviewBody(preview), 200);
    }
    const reply = await settleTransaction(c.get("ledger"), {
      ...settlement,
      operation: await operation(c),
    });
    const { transaction, queued } = unwrapReply(c, reply);
    if (!queued) return c.json(toTransactionBody(transaction, "answer"), 200);
    // Of a batch the newest hold is shown under the batch's id.
    const asked = { ...toTransactionBody(transaction, "read"), transaction_id: settlement.id };
    return c.json({ ...asked, queued: true }, 200);
  })
  .openapi(refund, async (c) => {
    const body = c.req.valid("json") ?? {};
    const refund = {
      id: c.req.valid("param").id,
      amount: body.amount ?? null,
      preciseAmount: body.precise_amount ?? null,
      skipQueue: body.skip_queue ?? false,
      description: body.description ?? "",
      metaData: body.meta_data ?? null,
    };
    if (body.dry_run === true) {
      const preview = unwrap(await previewOfRefund(c.get("ledger"), refund));
      return c.json(toPreviewBody(preview), 200);
    }
    const reply = await refundTransaction(c.get("ledger"), {
      ...refund,
      operation: await operation(c),
    });
    return c.json(toTransactionBody(unwrapReply(c, reply), "answer"), 201);
  });
