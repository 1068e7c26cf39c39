import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

/**
 * Sends a path with a slash at its end to the one without: 301 for GET, 307 for the rest, before anything else
 * (contract/core.md section 1.1). A path of several slashes could name another host, so it is left alone.
 */
export const trailingSlash: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!c.req.path.endsWith("/")) return next();
  const { pathname, search } = new URL(c.req.url);
  if (pathname === "/" || pathname.startsWith("//")) return next();
  const location = pathname.replace(/\/+$/, "") + search;
  return c.redirect(location, c.req.method === "GET" ? 301 : 307);
};
