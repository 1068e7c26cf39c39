import { createRoute, z } from "@hono/zod-openapi";
import { jsonResponse } from "../../schemas/common";
import { newRoutes } from "../app";

const tags = ["Server"];

const greeting = createRoute({
  method: "get",
  path: "/",
  tags,
  operationId: "greet",
  summary: "Say that the server runs",
  security: [],
  responses: { 200: jsonResponse(z.literal("server running..."), "The server runs.") },
});

const Health = z.object({ status: z.enum(["UP", "DOWN"]), reason: z.string().optional() });

const health = createRoute({
  method: "get",
  path: "/health",
  tags,
  operationId: "readHealth",
  summary: "Say whether the server can work",
  description: "Open to everybody. UP when the database answers.",
  security: [],
  responses: {
    200: jsonResponse(Health, "It can."),
    503: jsonResponse(Health, "It cannot: the database does not answer."),
  },
});

/** The server itself (contract/core.md section 1.12). */
export const meta = newRoutes()
  .openapi(greeting, (c) => c.json("server running..." as const, 200))
  .openapi(health, async (c) =>
    (await c.env.healthy())
      ? c.json({ status: "UP" as const }, 200)
      : c.json({ status: "DOWN" as const, reason: "database unreachable" }, 503),
  );
