import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Composition } from "../../src/compose";
import { api } from "../../src/http/api";
import { type Answer, answerOf, writeJson } from "./api";
import { contextOf } from "./context";
import type { World } from "./world";

/** The product's whole HTTP API over the ledger of a world: one request, one answer. */
export type App = (
  method: string,
  path: string,
  options?: { readonly body?: unknown; readonly key?: string },
) => Promise<Answer>;

/** Asks the API as a caller on this machine, who needs no key. `db` is D1 as its Worker reaches it. */
export function appOf(world: World, db: D1Database = env.DB): App {
  const composition = compositionOf(world, db);
  return async (method, path, { body, key } = {}) => {
    const headers = new Headers({ "Content-Type": "application/json" });
    if (key !== undefined) headers.set("Idempotency-Key", key);
    const request = new Request(`http://localhost${path}`, {
      method,
      headers,
      body: body === undefined ? null : writeJson(body),
    });
    const ctx = createExecutionContext();
    const answer = await answerOf(await api.fetch(request, composition, ctx));
    await waitOnExecutionContext(ctx);
    return answer;
  };
}

function compositionOf(world: World, db: D1Database): Composition {
  const context = contextOf(world, db);
  return {
    ledger: async () => context,
    masterKey: null,
    authOff: true,
    healthy: async () => true,
    asset: (path) => env.ASSETS.fetch(new URL(path, "https://assets.invalid")),
  };
}
