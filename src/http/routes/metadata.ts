import { createRoute, z } from "@hono/zod-openapi";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { MetaDataBody, MetaDataRequest, shownObject } from "../../schemas/meta-data";
import { mergeMetaDataOf } from "../../services/metadata/merge";
import { newRoutes } from "../app";
import { unwrap } from "../errors";
import { idempotencyParameter, keyUsed } from "../idempotency";
import { repeatable } from "../middleware/repeatable";

const merge = createRoute({
  method: "post",
  path: "/{id}/metadata",
  tags: ["Metadata"],
  operationId: "mergeMetaData",
  summary: "Merge metadata",
  description:
    "Replaces the top-level keys that are sent; the others stay, also those that somebody else merges at the same time. No key can be removed. Answers the merged metadata; for a transaction, whose children get it too, or a batch, whose transactions get it, only what was sent, without the ledger's own keys.",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    params: z.object({
      id: z
        .string()
        .openapi({ description: "Of a ledger, balance, identity, transaction or batch." }),
    }),
    body: { required: true, content: { "application/json": { schema: MetaDataRequest } } },
  },
  responses: {
    200: jsonResponse(MetaDataBody, "The metadata."),
    400: refusalResponse(
      "`GEN_MALFORMED_REQUEST`, `GEN_VALIDATION_ERROR` (too long), `META_INVALID_ENTITY_ID`.",
    ),
    404: refusalResponse("`META_ENTITY_NOT_FOUND`."),
    503: refusalResponse(
      "`GEN_OVERLOADED` (nothing was done) or `GEN_OUTCOME_UNKNOWN`: send it again.",
    ),
    422: keyUsed,
  },
});

/** Metadata of any record (contract/core.md section 7). */
export const metadata = newRoutes().openapi(merge, async (c) => {
  const { id } = c.req.valid("param");
  const { meta_data: patch } = c.req.valid("json");
  const merged = unwrap(await mergeMetaDataOf(c.get("ledger"), { id, patch }));
  return c.json({ meta_data: shownObject(merged) ?? {} }, 200);
});
