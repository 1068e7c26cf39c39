import { createRoute, z } from "@hono/zod-openapi";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { RebuildBody, toRebuildBody } from "../../schemas/rebuild";
import { rebuildCopies } from "../../services/rebuild/rebuild";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";

const LIMIT_DEFAULT = 200;
const LIMIT_MAX = 400;

const rebuild = createRoute({
  method: "post",
  path: "/admin/rebuild",
  tags: ["Audit"],
  operationId: "rebuildRecords",
  summary: "Rebuild the records in D1",
  description:
    "One step of a rebuild of D1's transactions and balances from the objects, which are their truth. Call it again with `next_cursor` until that is null; `npm run rebuild` does. Rows that are right are not written, and rows that no object knows are removed, so it can be stopped, repeated, and run beside traffic.",
  request: {
    query: z.object({
      cursor: z.string().optional(),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(LIMIT_MAX)
        .default(LIMIT_DEFAULT)
        .openapi({ type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT }),
    }),
  },
  responses: {
    200: jsonResponse(RebuildBody, "What the step compared and wrote."),
    400: refusalResponse("`GEN_VALIDATION_ERROR`: a parameter that cannot be read."),
    503: refusalResponse("`GEN_OUTCOME_UNKNOWN`: send the same request again."),
  },
});

/** What only those do who run the server. */
export const admin = newRoutes().openapi(
  rebuild,
  async (c) => {
    const { cursor = null, limit } = c.req.valid("query");
    return c.json(
      toRebuildBody(unwrap(await rebuildCopies(c.get("ledger"), { cursor, limit }))),
      200,
    );
  },
  malformedAs("GEN_VALIDATION_ERROR"),
);
