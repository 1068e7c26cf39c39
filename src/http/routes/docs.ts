import type { Context } from "hono";
import { newRoutes } from "../app";
import type { AppEnv } from "../env";
import { notFound } from "../errors";

/** Everything on the reference page comes from this server; its styles are made by its script. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function page(c: Context<AppEnv>, path: string): Promise<Response> {
  const asset = await c.env.asset(path);
  if (!asset.ok) return notFound(c);
  const headers = new Headers(asset.headers);
  headers.set("Content-Security-Policy", PAGE_POLICY);
  headers.set("Cache-Control", "public, max-age=300");
  return new Response(asset.body, { headers });
}

/** The reference page for people: static files beside the Worker, which reads `/openapi.json`. */
export const docs = newRoutes();
docs.get("/docs", (c) => page(c, "/docs"));
docs.get("/docs/:file", (c) => page(c, `/docs/${c.req.param("file")}`));
