import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

const ALWAYS = Object.entries({
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cache-Control": "no-store",
});

/** Sets the headers of contract/core.md section 1.1, unless the route set its own. Answers must have changeable headers. */
export const securityHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of ALWAYS) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (headers.get("Content-Type") === "application/json") {
    headers.set("Content-Type", "application/json; charset=utf-8");
  }
  const overTls =
    c.req.url.startsWith("https:") || c.req.header("X-Forwarded-Proto")?.toLowerCase() === "https";
  if (overTls) {
    headers.set("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  }
};
