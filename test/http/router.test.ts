import type { Result } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import type { H, RouterRoute } from "hono/types";
import { describe, expect, it } from "vitest";
import { api } from "../../src/http/api";
import { FrontRouter } from "../../src/http/router";

type Handler = [H, RouterRoute];

const front = new FrontRouter();
const trie = new TrieRouter<Handler>();
for (const route of api.routes) {
  for (const router of [front, trie]) router.add(route.method, route.path, [route.handler, route]);
}

/** What is called for a path, in order, with its parameters, and which kind of router said so. */
function calls([handlers, stash]: Result<Handler>) {
  return handlers.map(([[, { method, path }], params]) => {
    const named = Object.entries(params).map(([name, value]) => [
      name,
      typeof value === "number" ? stash?.[value] : value,
    ]);
    return { route: `${method} ${path}`, params: Object.fromEntries(named) };
  });
}

const routes = api.routes.filter(({ method }) => method !== "ALL");
const samples = [
  ...routes.map(({ method, path }) => [method, path.replaceAll(/:\w+/g, "some_1")] as const),
  ["GET", "/nothing"],
  ["GET", "/transactions/some_1/nothing"],
  ["PATCH", "/transactions"],
  ["POST", "/balances/some_1"],
] as const;

describe("the router", () => {
  it.each(samples)("finds for %s %s what the trie finds", (method, path) => {
    expect(calls(front.match(method, path))).toEqual(calls(trie.match(method, path)));
  });

  it.each([
    ["POST", "/transactions"],
    ["POST", "/transactions/bulk"],
    ["PUT", "/transactions/inflight/some_1"],
    ["POST", "/refund-transaction/some_1"],
    ["GET", "/transactions/some_1"],
    ["GET", "/balances/some_1"],
  ])("finds %s %s by the expression", (method, path) => {
    const [handlers, stash] = front.match(method, path);
    expect(handlers.at(-1)?.[0][1].method).toBe(method);
    expect(stash).toBeDefined();
  });
});
