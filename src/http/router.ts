import { METHOD_NAME_ALL, type Result, type Router, UnsupportedPathError } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { TrieRouter } from "hono/router/trie-router";
import type { H, RouterRoute } from "hono/types";

type Handler = [H, RouterRoute];

/**
 * Hono's two routers, each for what it does best: one regular expression knows nearly all routes, and what it cannot tell
 * apart, such as `/transactions/:id/proof` and `/transactions/bulk/:id`, is looked for in the trie. Hono alone would take
 * the trie for everything as soon as there is one such path.
 *
 * A route that only the trie knows must not be one that the expression takes for another.
 */
export class FrontRouter implements Router<Handler> {
  readonly name = "FrontRouter";
  readonly #quick = new RegExpRouter<Handler>();
  readonly #complete = new TrieRouter<Handler>();

  add(method: string, path: string, handler: Handler): void {
    this.#complete.add(method, path, handler);
    try {
      this.#quick.add(method, path, handler);
    } catch (error) {
      if (!(error instanceof UnsupportedPathError)) throw error;
    }
  }

  match(method: string, path: string): Result<Handler> {
    const found = this.#quick.match(method, path);
    const [, route] = found[0].at(-1)?.[0] ?? [];
    // Middleware alone: whether there is a route, the trie knows.
    return route === undefined || route.method === METHOD_NAME_ALL
      ? this.#complete.match(method, path)
      : found;
  }
}
