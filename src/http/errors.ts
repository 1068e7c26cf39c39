import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { type LedgerError, type LedgerErrorCode, refusal, statusByCode } from "../domain/error";
import type { Result } from "../domain/result";
import { traceOf } from "../domain/thrown";
import { MALFORMED, TOO_LARGE } from "../schemas/json";
import type { AppEnv } from "./env";

/** A refusal on its way out of a handler; `onError` turns it into the one error shape. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly refused: LedgerError;
  /** What the answer tells beside the error. */
  readonly beside: object;

  constructor(refused: LedgerError, beside: object = {}) {
    super(refused.message);
    this.refused = refused;
    this.beside = beside;
  }
}

/** For route handlers only: the value, or a Refusal that `onError` turns into the one error shape. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Refusal(result.error);
}

/** How long a client should wait before it sends the same request again, unless a refusal says otherwise. */
const RETRY_AFTER_SECONDS: Partial<Record<LedgerErrorCode, number>> = {
  GEN_OVERLOADED: 1,
  GEN_OUTCOME_UNKNOWN: 1,
};

/** A refusal as HTTP: its status and the envelope of contract/core.md section 1.8. */
export function refuse(c: Context<AppEnv>, refused: LedgerError, beside: object = {}): Response {
  const { code, message, details } = refused;
  const retryAfter = refused.retryAfterSeconds ?? RETRY_AFTER_SECONDS[code];
  if (retryAfter !== undefined) c.header("Retry-After", String(retryAfter));
  if (code === "GEN_OVERLOADED") c.set("turnedAway", true);
  const detail = details === undefined ? { code, message } : { code, message, details };
  const key = refused.shownAs ?? "error";
  const shown = key === "errors" && Array.isArray(details) ? details : message;
  return c.json({ [key]: shown, error_detail: detail, ...beside }, statusByCode[code]);
}

/** The only place where something thrown meets HTTP: refusals get their status, all else a bare 500 and a line in the log. */
export function onError(error: Error, c: Context<AppEnv>): Response {
  if (error instanceof Refusal) return refuse(c, error.refused, error.beside);
  if (error instanceof HTTPException && error.status < 500) {
    return refuse(c, refusal("GEN_MALFORMED_REQUEST", "the request could not be read"));
  }
  console.error(
    JSON.stringify({
      event: "request.failed",
      request_id: c.get("requestId"),
      method: c.req.method,
      route: c.req.path,
      error: traceOf(error),
    }),
  );
  return refuse(c, refusal("GEN_INTERNAL", "internal server error"));
}

/** No such route, or not with this method: in plain text as Blnk says it (scenario routes), or in JSON when asked for. */
export const notFound = (c: Context<AppEnv>): Response =>
  c.req.header("accept")?.includes("json")
    ? refuse(c, refusal("GEN_NOT_FOUND", `no route answers ${c.req.method} on this path`))
    : c.text("404 page not found", 404);

/** A hook that answers nothing itself: it lets the request pass or throws a Refusal. */
type ShapeHook = (checked: Checked) => undefined;

/** What a schema made of some input. It names no type of that input, so that each route keeps its own. */
type Checked =
  | { readonly success: true }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };

/** What a route answers to input of the wrong shape: that code, under that key (contract/core.md section 1.8). */
export function malformedAs(
  code: "GEN_MALFORMED_REQUEST" | "GEN_VALIDATION_ERROR",
  shownAs: "error" | "errors" = "error",
): ShapeHook {
  return (checked) => {
    if (checked.success) return undefined;
    const received = "data" in checked ? checked.data : undefined;
    const message = sentenceOf(received, checked.error.issues);
    throw new Refusal({ code, message, shownAs });
  };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function sentenceOf(received: unknown, issues: readonly Issue[]): string {
  if (received === undefined) return "the body is empty";
  if (received === MALFORMED) return "the body is not valid JSON";
  if (received === TOO_LARGE) return "the body is too large";
  return issues
    .map(({ path, message }) => {
      const place = path.length === 0 ? "the body" : path.map(String).join(".");
      return `${place}: ${message.replace(/^Invalid input: /, "")}`;
    })
    .join("; ");
}

/** Unless a route says otherwise: 400 `GEN_MALFORMED_REQUEST` with the sentence under `error`. */
export const malformed: ShapeHook = malformedAs("GEN_MALFORMED_REQUEST");
