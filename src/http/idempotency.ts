import type { Context } from "hono";
import { refusalResponse } from "../schemas/common";
import { canonicalJson } from "../schemas/json";
import {
  type OperationKey,
  operationOf,
  type Reply,
  unnamedOperation,
} from "../services/operation";
import type { AppEnv } from "./env";
import { Refusal, unwrap } from "./errors";

/** The header that names a request, documented for routes that take it. What it may hold is checked by `operation`. */
export const idempotencyParameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: { type: "string" },
  description:
    "Names this request, 1 to 255 characters. Sent again with the same body, it answers the first answer and carries `Idempotent-Replayed: true`; with another body it is refused with 422.",
} as const;

/** The refusal of a key that named another request, in the OpenAPI document. */
export const keyUsed = refusalResponse(
  "`GEN_IDEMPOTENCY_MISMATCH`: the key came with another request before.",
);

/** The name of this request, from its header or made up. */
export async function operation(c: Context<AppEnv>): Promise<OperationKey> {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return unnamedOperation(c.get("ledger"));
  const canonicalBody = async () => {
    const body = canonicalJson(await c.req.json()) ?? "";
    // Where a body may be left out, an empty one says the same.
    return body === "{}" ? "" : body;
  };
  const { method, path } = c.req;
  return unwrap(await operationOf({ key, method, path, canonicalBody }));
}

/** The value of a reply, or a Refusal; either way the answer says whether it was given before. */
export function unwrapReply<T>(c: Context<AppEnv>, reply: Reply<T>): T {
  if (reply.replayed) c.header("Idempotent-Replayed", "true");
  if (reply.ok) return reply.value;
  throw new Refusal(reply.error);
}
