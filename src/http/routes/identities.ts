import { createRoute, z } from "@hono/zod-openapi";
import { identityList } from "../../domain/filter/resources";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { FilterBody, toFilterRequest } from "../../schemas/filter";
import {
  IdentityBody,
  IdentityRequest,
  IdentityUpdate,
  toIdentityBody,
  toIdentityChange,
  toNewIdentity,
} from "../../schemas/identity";
import { describeFilters, filterResponse, ListParameters, listResponse } from "../../schemas/list";
import { createIdentity } from "../../services/identities/create";
import { deleteIdentity } from "../../services/identities/delete";
import { filterIdentities, listIdentities } from "../../services/identities/list";
import { readIdentity } from "../../services/identities/read";
import { updateIdentity } from "../../services/identities/update";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";
import { idempotencyParameter, keyUsed } from "../idempotency";
import { filteredOf, listQueryOf, rowsOf } from "../list-answer";
import { repeatable } from "../middleware/repeatable";

const tags = ["Identities"];
const params = z.object({ id: z.string().openapi({ example: "idt_…" }) });
const MessageBody = z.object({ message: z.string() });
const notFound = refusalResponse("`IDT_NOT_FOUND`.");

const create = createRoute({
  method: "post",
  path: "/identities",
  tags,
  operationId: "createIdentity",
  summary: "Make an identity",
  description:
    "A person or an organisation that owns balances. Nothing is required. Receivers are told by `identity.created`.",
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    body: { required: true, content: { "application/json": { schema: IdentityRequest } } },
  },
  responses: {
    201: jsonResponse(IdentityBody, "The identity."),
    400: refusalResponse(
      "`GEN_MALFORMED_REQUEST`, `GEN_VALIDATION_ERROR` (too long), `IDT_VALIDATION_ERROR` (an `identity_id` of the wrong form, or used before).",
    ),
    422: keyUsed,
  },
});

const read = createRoute({
  method: "get",
  path: "/identities/{id}",
  tags,
  operationId: "readIdentity",
  summary: "Read an identity",
  request: { params },
  responses: { 200: jsonResponse(IdentityBody, "The identity."), 404: notFound },
});

const list = createRoute({
  method: "get",
  path: "/identities",
  tags,
  operationId: "listIdentities",
  summary: "List identities",
  description: `Newest first. Without filters all of them, a thousand at a time; with filters 20 unless \`limit\` says otherwise, a limit above 100 becoming 20. ${describeFilters(Object.keys(identityList.fields))}`,
  request: { query: ListParameters },
  responses: {
    200: listResponse(IdentityBody),
    400: refusalResponse(
      "`GEN_VALIDATION_ERROR` (parameters that cannot be read), `GEN_BAD_REQUEST` (unknown field or parameter).",
    ),
  },
});

const filter = createRoute({
  method: "post",
  path: "/identities/filter",
  tags,
  operationId: "filterIdentities",
  summary: "Filter identities",
  description: "As the list, with conditions in the body.",
  request: { body: { required: true, content: { "application/json": { schema: FilterBody } } } },
  responses: {
    200: filterResponse(IdentityBody),
    400: refusalResponse("`GEN_VALIDATION_ERROR`, `GEN_BAD_REQUEST`."),
  },
});

const update = createRoute({
  method: "put",
  path: "/identities/{id}",
  tags,
  operationId: "updateIdentity",
  summary: "Change an identity",
  description:
    'Changes what is given: a field that is absent or `""` stays, `null` clears it. `meta_data` replaces the whole object.',
  middleware: repeatable,
  parameters: [idempotencyParameter],
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: IdentityUpdate } } },
  },
  responses: {
    200: jsonResponse(MessageBody, "It is changed."),
    400: refusalResponse("`GEN_MALFORMED_REQUEST`, `GEN_BAD_REQUEST` (nothing to change)."),
    404: notFound,
    422: keyUsed,
  },
});

const remove = createRoute({
  method: "delete",
  path: "/identities/{id}",
  tags,
  operationId: "deleteIdentity",
  summary: "Delete an identity",
  request: { params },
  responses: {
    200: jsonResponse(MessageBody, "It is deleted."),
    404: notFound,
    409: refusalResponse("`GEN_CONFLICT`: a balance refers to it."),
    503: refusalResponse("`GEN_OVERLOADED`: nothing was deleted, send it again."),
  },
});

/** Identities (contract/core.md section 5). */
export const identities = newRoutes()
  .openapi(create, async (c) => {
    const asked = toNewIdentity(c.req.valid("json"));
    const identity = unwrap(await createIdentity(c.get("ledger"), asked));
    return c.json(toIdentityBody(identity), 201);
  })
  .openapi(list, async (c) => {
    const query = listQueryOf(c, identityList);
    return c.json(rowsOf(c, await listIdentities(c.get("ledger"), query), toIdentityBody), 200);
  })
  .openapi(
    filter,
    async (c) => {
      const request = toFilterRequest(c.req.valid("json"));
      const listed = unwrap(await filterIdentities(c.get("ledger"), request));
      return c.json(filteredOf(c, listed, toIdentityBody), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  )
  .openapi(read, async (c) => {
    const identity = unwrap(await readIdentity(c.get("ledger"), c.req.valid("param").id));
    return c.json(toIdentityBody(identity), 200);
  })
  .openapi(update, async (c) => {
    const change = toIdentityChange(c.req.valid("json"));
    const identityId = c.req.valid("param").id;
    unwrap(await updateIdentity(c.get("ledger"), { identityId, change }));
    return c.json({ message: "Identity updated successfully" }, 200);
  })
  .openapi(remove, async (c) => {
    unwrap(await deleteIdentity(c.get("ledger"), c.req.valid("param").id));
    return c.json({ message: "Identity deleted successfully" }, 200);
  });
