import { createRoute, z } from "@hono/zod-openapi";
import type { BalanceSnapshot } from "../../domain/balance-record";
import { balanceList } from "../../domain/filter/resources";
import {
  BalanceAtBody,
  BalanceBody,
  BalanceRequest,
  OwnerRequest,
  toBalanceAtBody,
  toBalanceBody,
  toNewBalance,
} from "../../schemas/balance";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { FilterBody, toFilterRequest } from "../../schemas/filter";
import { describeFilters, filterResponse, ListParameters, listResponse } from "../../schemas/list";
import { balanceAt } from "../../services/balances/at";
import { changeOwner } from "../../services/balances/change-owner";
import { createBalance } from "../../services/balances/create";
import { filterBalances, listBalances } from "../../services/balances/list";
import { readBalance, readByIndicator } from "../../services/balances/read";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";
import { idempotencyParameter, keyUsed } from "../idempotency";
import { filteredOf, listQueryOf, rowsOf } from "../list-answer";
import { repeatable } from "../middleware/repeatable";

const tags = ["Balances"];
const params = z.object({ id: z.string().openapi({ example: "bln_…" }) });
const notFound = refusalResponse("`BAL_NOT_FOUND`.");
const unknown = refusalResponse("`GEN_OUTCOME_UNKNOWN`: send the same request again.");

const create = createRoute({
  method: "post",
  path: "/balances",
  tags,
  operationId: "createBalance",
  summary: "Make a balance",
  description:
    "A balance holds one currency in a ledger, for an identity if one is given. There may be any number of them; with an `indicator` one a currency. Receivers are told by `balance.created`. An `@indicator` balance also makes itself when a transaction first names it.",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: BalanceRequest } } },
  },
  responses: {
    201: jsonResponse(BalanceBody, "The balance."),
    400: refusalResponse(
      "`GEN_MALFORMED_REQUEST`; `GEN_VALIDATION_ERROR` (field rules, the sentence is under `errors`); `GEN_BAD_REQUEST` (no such ledger or identity).",
    ),
    409: refusalResponse("`GEN_CONFLICT`: the indicator has a balance in this currency."),
    503: unknown,
    422: keyUsed,
  },
});

const read = createRoute({
  method: "get",
  path: "/balances/{id}",
  tags,
  operationId: "readBalance",
  summary: "Read a balance",
  description:
    "The balance as it stands, never stale. Available is `balance - inflight_debit_balance`.",
  request: {
    params,
    query: z.looseObject({
      with_queued: z.unknown().optional().openapi({
        type: "string",
        description: "`true` adds the amounts of transactions that wait in the queue.",
      }),
      include: z
        .unknown()
        .optional()
        .openapi({
          type: "array",
          items: { type: "string", enum: ["ledger", "identity"] },
          description: "Adds the objects; repeat it for both.",
        }),
    }),
  },
  responses: { 200: jsonResponse(BalanceBody, "The balance."), 404: notFound, 503: unknown },
});

const readAt = createRoute({
  method: "get",
  path: "/balances/{id}/at",
  tags,
  operationId: "readBalanceAt",
  summary: "Read a balance as it was",
  description:
    "What had settled by a moment: every applied transaction with an `effective_date` (else `created_at`) not after it, whenever it was posted. Holds are not in it; before the first transaction it is zero.",
  request: {
    params,
    query: z.looseObject({
      timestamp: z.string().optional().openapi({
        description: "RFC 3339 with its offset. Now, when it is not there.",
        example: "2031-04-05T10:00:00+02:00",
      }),
      from_source: z.unknown().optional().openapi({
        type: "string",
        description: "Told back. The answer is always worked out from the entries.",
      }),
    }),
  },
  responses: {
    200: jsonResponse(BalanceAtBody, "The balance at that moment."),
    400: refusalResponse("`BAL_INVALID_TIMESTAMP`; `GEN_BAD_REQUEST`: the zero time."),
    404: notFound,
    503: unknown,
  },
});

const readIndicator = createRoute({
  method: "get",
  path: "/balances/indicator/{indicator}/currency/{currency}",
  tags,
  operationId: "readBalanceByIndicator",
  summary: "Read an indicator's balance",
  description: "As by id. Asking makes no balance.",
  request: { params: z.object({ indicator: z.string(), currency: z.string() }) },
  responses: { 200: jsonResponse(BalanceBody, "The balance."), 404: notFound, 503: unknown },
});

const list = createRoute({
  method: "get",
  path: "/balances",
  tags,
  operationId: "listBalances",
  summary: "List balances",
  description: `Newest first, 10 unless \`limit\` says otherwise, 1000 at most. Amounts are in minor units. ${describeFilters(Object.keys(balanceList.fields))}`,
  request: { query: ListParameters },
  responses: {
    200: listResponse(BalanceBody),
    400: refusalResponse(
      "`GEN_VALIDATION_ERROR` (limit, offset, parameters that cannot be read), `GEN_BAD_REQUEST` (unknown field or parameter).",
    ),
  },
});

const filter = createRoute({
  method: "post",
  path: "/balances/filter",
  tags,
  operationId: "filterBalances",
  summary: "Filter balances",
  description: "As the list, with conditions in the body.",
  request: { body: { required: true, content: { "application/json": { schema: FilterBody } } } },
  responses: {
    200: filterResponse(BalanceBody),
    400: refusalResponse("`GEN_VALIDATION_ERROR`, `GEN_BAD_REQUEST`."),
  },
});

const own = createRoute({
  method: "put",
  path: "/balances/{id}/identity",
  tags,
  operationId: "changeBalanceOwner",
  summary: "Give a balance to an identity",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: OwnerRequest } } },
  },
  responses: {
    200: jsonResponse(z.object({ message: z.string() }), "It is changed."),
    400: refusalResponse("`GEN_MALFORMED_REQUEST`."),
    404: refusalResponse("`BAL_NOT_FOUND`: no such balance, or no such identity."),
    503: unknown,
    422: keyUsed,
  },
});

const toRow = (balance: BalanceSnapshot): BalanceBody => toBalanceBody(balance);

/** Balances (contract/core.md section 3). */
export const balances = newRoutes()
  .openapi(create, async (c) => {
    const asked = toNewBalance(c.req.valid("json"));
    return c.json(toBalanceBody(unwrap(await createBalance(c.get("ledger"), asked))), 201);
  })
  .openapi(list, async (c) => {
    const query = listQueryOf(c, balanceList);
    return c.json(rowsOf(c, await listBalances(c.get("ledger"), query), toRow), 200);
  })
  .openapi(
    filter,
    async (c) => {
      const request = toFilterRequest(c.req.valid("json"));
      const listed = unwrap(await filterBalances(c.get("ledger"), request));
      return c.json(filteredOf(c, listed, toRow), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  )
  .openapi(readIndicator, async (c) => {
    const balance = unwrap(await readByIndicator(c.get("ledger"), c.req.valid("param")));
    return c.json(toBalanceBody(balance), 200);
  })
  .openapi(read, async (c) => {
    const included = c.req.queries("include") ?? [];
    const wanted = {
      queued: c.req.query("with_queued") === "true",
      ledger: included.includes("ledger"),
      identity: included.includes("identity"),
    };
    const found = await readBalance(c.get("ledger"), { id: c.req.valid("param").id, wanted });
    const { balance, ...beside } = unwrap(found);
    return c.json(toBalanceBody(balance, beside), 200);
  })
  .openapi(readAt, async (c) => {
    // Some clients do not escape the `+` of an offset, which then arrives as a space.
    const timestamp = c.req.query("timestamp")?.replace(" ", "+");
    const balance = unwrap(
      await balanceAt(c.get("ledger"), { ...c.req.valid("param"), timestamp }),
    );
    const fromSource = ["true", "1"].includes(c.req.query("from_source") ?? "");
    const shown = { fromSource, timestamp: timestamp ?? c.get("ledger").now() };
    return c.json(toBalanceAtBody(balance, shown), 200);
  })
  .openapi(own, async (c) => {
    const { identity_id: identityId } = c.req.valid("json");
    const balanceId = c.req.valid("param").id;
    unwrap(await changeOwner(c.get("ledger"), { balanceId, identityId }));
    return c.json({ message: "Balance identity updated successfully" }, 200);
  });
