import { refusal } from "../domain/error";
import { sha256Hex } from "../domain/ids";
import { err, ok, type Result } from "../domain/result";
import type { OperationKey } from "../durable/journal/protocol";
import type { LedgerContext } from "./context";

export type { OperationKey, Reply } from "../durable/journal/protocol";

const KEY = /^[\x20-\x7e]{1,255}$/;

/** One request that changes something. */
export interface ClientRequest {
  /** The header `Idempotency-Key`; undefined when it was not sent. */
  readonly key: string | undefined;
  readonly method: string;
  readonly path: string;
  /** The body in a form that is the same for the same content. */
  canonicalBody(): Promise<string>;
}

/**
 * The name of a request: the same key with the same request answers the first answer again, with another one it is refused.
 * Without a key each request is one of its own.
 */
export async function operationOf(
  ctx: LedgerContext,
  { key, method, path, canonicalBody }: ClientRequest,
): Promise<Result<OperationKey>> {
  if (key === undefined) return ok({ key: ctx.uuid(), fingerprint: "", fromClient: false });
  if (!KEY.test(key)) {
    return err(refusal("GEN_BAD_REQUEST", "an Idempotency-Key has 1 to 255 printable characters"));
  }
  const fingerprint = sha256Hex(JSON.stringify([method, path, await canonicalBody()]));
  return ok({ key, fingerprint, fromClient: true });
}
