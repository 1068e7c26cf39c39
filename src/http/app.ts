import { OpenAPIHono } from "@hono/zod-openapi";
import { requestId } from "hono/request-id";
import type { AppEnv } from "./env";
import { malformed, notFound, onError } from "./errors";
import { auth } from "./middleware/auth";
import { jsonBody } from "./middleware/json-body";
import { readToTheEnd } from "./middleware/read-to-the-end";
import { securityHeaders } from "./middleware/security-headers";
import { trailingSlash } from "./middleware/trailing-slash";
import { holdTurnedAway } from "./middleware/turned-away";
import { FrontRouter } from "./router";

/** Routes of one resource, to be mounted on the app: middleware and error shapes come from there. */
export const newRoutes = () => new OpenAPIHono<AppEnv>();

/** An app with everything that is the same for every route: headers, authentication, body reading, error shapes. */
export function newApp() {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: malformed, router: new FrontRouter() });
  app.use(
    readToTheEnd,
    holdTurnedAway(),
    trailingSlash,
    requestId(),
    securityHeaders,
    auth,
    jsonBody,
  );
  app.notFound(notFound);
  app.onError(onError);
  return app;
}
