import { createRoute, z } from "@hono/zod-openapi";
import { ledgerList } from "../../domain/filter/resources";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { FilterBody, toFilterRequest } from "../../schemas/filter";
import { LedgerBody, LedgerRename, LedgerRequest, toLedgerBody } from "../../schemas/ledger";
import { describeFilters, filterResponse, ListParameters, listResponse } from "../../schemas/list";
import { createLedger } from "../../services/ledgers/create";
import { filterLedgers, listLedgers } from "../../services/ledgers/list";
import { readLedger } from "../../services/ledgers/read";
import { renameLedger } from "../../services/ledgers/rename";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";
import { idempotencyParameter, keyUsed } from "../idempotency";
import { filteredOf, listQueryOf, rowsOf } from "../list-answer";
import { repeatable } from "../middleware/repeatable";

const tags = ["Ledgers"];
const params = z.object({ id: z.string().openapi({ example: "ldg_…" }) });

const badBody = refusalResponse(
  "`GEN_MALFORMED_REQUEST` (not JSON, wrong types) or `GEN_VALIDATION_ERROR` (no name); the sentence is under `errors`.",
);
const notFound = refusalResponse("`LGR_NOT_FOUND`.");

const create = createRoute({
  method: "post",
  path: "/ledgers",
  tags,
  operationId: "createLedger",
  summary: "Make a ledger",
  description:
    "A ledger groups balances. Receivers are told by `ledger.created`. The General Ledger (`general_ledger_id`), which holds every `@indicator` balance, is there from the start.",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: LedgerRequest } } },
  },
  responses: { 201: jsonResponse(LedgerBody, "The ledger."), 400: badBody, 422: keyUsed },
});

const read = createRoute({
  method: "get",
  path: "/ledgers/{id}",
  tags,
  operationId: "readLedger",
  summary: "Read a ledger",
  request: { params },
  responses: { 200: jsonResponse(LedgerBody, "The ledger."), 404: notFound },
});

const list = createRoute({
  method: "get",
  path: "/ledgers",
  tags,
  operationId: "listLedgers",
  summary: "List ledgers",
  description: `Newest first, 10 unless \`limit\` says otherwise; a limit above 100 becomes 20. ${describeFilters(Object.keys(ledgerList.fields))}`,
  request: { query: ListParameters },
  responses: {
    200: listResponse(LedgerBody),
    400: refusalResponse(
      "`GEN_VALIDATION_ERROR` (limit, offset, parameters that cannot be read), `GEN_BAD_REQUEST` (unknown field or parameter).",
    ),
  },
});

const filter = createRoute({
  method: "post",
  path: "/ledgers/filter",
  tags,
  operationId: "filterLedgers",
  summary: "Filter ledgers",
  description: "As the list, with conditions in the body.",
  request: { body: { required: true, content: { "application/json": { schema: FilterBody } } } },
  responses: {
    200: filterResponse(LedgerBody),
    400: refusalResponse("`GEN_VALIDATION_ERROR`, `GEN_BAD_REQUEST`."),
  },
});

const rename = createRoute({
  method: "put",
  path: "/ledgers/{id}",
  tags,
  operationId: "renameLedger",
  summary: "Rename a ledger",
  description: "Changes the name alone. Receivers are told by `ledger.created` again.",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: LedgerRename } } },
  },
  responses: {
    200: jsonResponse(LedgerBody, "The ledger."),
    400: badBody,
    404: notFound,
    422: keyUsed,
  },
});

const malformed = malformedAs("GEN_MALFORMED_REQUEST", "errors");

/** Ledgers (contract/core.md section 2). */
export const ledgers = newRoutes()
  .openapi(
    create,
    async (c) => {
      const { name = "", meta_data: metaData = null } = c.req.valid("json");
      const ledger = unwrap(await createLedger(c.get("ledger"), { name, metaData }));
      return c.json(toLedgerBody(ledger), 201);
    },
    malformed,
  )
  .openapi(list, async (c) => {
    const query = listQueryOf(c, ledgerList);
    return c.json(rowsOf(c, await listLedgers(c.get("ledger"), query), toLedgerBody), 200);
  })
  .openapi(
    filter,
    async (c) => {
      const request = toFilterRequest(c.req.valid("json"));
      const listed = unwrap(await filterLedgers(c.get("ledger"), request));
      return c.json(filteredOf(c, listed, toLedgerBody), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  )
  .openapi(read, async (c) => {
    const ledger = unwrap(await readLedger(c.get("ledger"), c.req.valid("param").id));
    return c.json(toLedgerBody(ledger), 200);
  })
  .openapi(
    rename,
    async (c) => {
      const { name = "" } = c.req.valid("json");
      const ledgerId = c.req.valid("param").id;
      const ledger = unwrap(await renameLedger(c.get("ledger"), { ledgerId, name }));
      return c.json(toLedgerBody(ledger), 200);
    },
    malformed,
  );
