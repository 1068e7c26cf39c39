import type { MiddlewareHandler } from "hono";
import { sha256 } from "../../domain/digest";
import { refusal } from "../../domain/error";
import { isLoopbackHost } from "../../domain/loopback";
import type { AppEnv } from "../env";
import { refuse } from "../errors";

/** Whether a path needs no key: `/health` always, the pages about the server only once a key is configured. */
export function isOpen(path: string, keyIsConfigured: boolean): boolean {
  if (path === "/health") return true;
  if (!keyIsConfigured) return false;
  return path === "/" || path === "/openapi.json" || path === "/docs" || path.startsWith("/docs/");
}

/** The digest of the configured key, which is the same for the life of an isolate. */
let known = { key: "", digest: sha256("") };

/**
 * Compares digests, all of their bytes, so that neither the length nor the place of the first difference shows in the time it
 * takes. `timingSafeEqual` of the runtime moves both out of the heap first, which costs more than the hashing.
 */
function isSameKey(sent: string, configured: string): boolean {
  if (known.key !== configured) known = { key: configured, digest: sha256(configured) };
  const digest = sha256(sent);
  let difference = 0;
  for (let at = 0; at < digest.length; at += 1) {
    difference |= (digest[at] ?? 0) ^ (known.digest[at] ?? 0);
  }
  return difference === 0;
}

/** Lets the master key through, and nobody else (contract/core.md section 1.2). */
export const auth: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { masterKey, authOff } = c.env;
  if (isOpen(c.req.path, masterKey !== null)) return next();
  // Only on this very machine: a server that others can reach is never open by mistake.
  if (authOff && isLoopbackHost(new URL(c.req.url).hostname)) return next();
  const sent = c.req.header("X-Blnk-Key") ?? "";
  if (sent === "") {
    return refuse(c, refusal("AUTH_MISSING_API_KEY", "send an API key in the header X-Blnk-Key"));
  }
  if (masterKey === null || !isSameKey(sent, masterKey)) {
    return refuse(c, refusal("AUTH_INVALID_API_KEY", "the API key is not valid"));
  }
  return next();
};
