import { refusal } from "../domain/error";
import { sha256Hex } from "../domain/ids";
import { err, ok, type Result } from "../domain/result";
import type { OperationKey } from "../durable/journal/protocol";
import type { LedgerContext } from "./context";

export type { OperationKey, Reply } from "../durable/journal/protocol";

const KEY = /^[\x20-\x7e]{1,255}$/;

/** One request that changes something. */
export interface ClientRequest {
  /** The header `Idempotency-Key`. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** The body in a form that is the same for the same content. */
  canonicalBody(): Promise<string>;
}

/** The name of a request that came without a key: it is one of its own. */
export const unnamedOperation = (ctx: LedgerContext): OperationKey => ({
  key: ctx.uuid(),
  fingerprint: "",
  fromClient: false,
});

/** The name of a request: the same key with the same request answers the first answer again, with another one it is refused. */
export async function operationOf({
  key,
  method,
  path,
  canonicalBody,
}: ClientRequest): Promise<Result<OperationKey>> {
  if (!KEY.test(key)) {
    return err(refusal("GEN_BAD_REQUEST", "an Idempotency-Key has 1 to 255 printable characters"));
  }
  const fingerprint = sha256Hex(JSON.stringify([method, path, await canonicalBody()]));
  return ok({ key, fingerprint, fromClient: true });
}
