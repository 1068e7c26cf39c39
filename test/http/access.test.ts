import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compose } from "../../src/compose";
import { api } from "../../src/http/api";
import { openApiDocument } from "../../src/http/openapi";

const KEY = "the right key";

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks a Worker that was deployed with these secrets. */
function asWith(secrets: { PURSER_MASTER_KEY?: string; AUTH?: string }) {
  const bindings: Cloudflare.Env = { ...env, PURSER_MASTER_KEY: "", ...secrets };
  return async (path: string, { method = "GET", host = "ledger.example", headers }: Asked = {}) => {
    const request = new Request(`https://${host}${path}`, { method, headers: headers ?? {} });
    return api.fetch(request, compose(bindings), createExecutionContext());
  };
}

const withKey = asWith({ PURSER_MASTER_KEY: KEY });
const codeOf = async (response: Response): Promise<unknown> => {
  const body: { error_detail?: { code?: string } } = await response.json();
  return body.error_detail?.code;
};

/** Every operation that the server documents, with something in place of its parameters. */
const operations = Object.entries(openApiDocument(api).paths ?? {}).flatMap(([path, item]) =>
  Object.keys(item).map((method) => ({
    method: method.toUpperCase(),
    path: path.replace(/\{[^}]+\}/g, "x"),
  })),
);

const OPEN = ["/", "/health", "/openapi.json"];
const guarded = operations.filter(({ path }) => !OPEN.includes(path));

describe("W4: with a key configured", () => {
  it.each(guarded)("$method $path wants the key", async ({ method, path }) => {
    const missing = await withKey(path, { method });
    expect(missing.status).toBe(401);
    expect(await codeOf(missing)).toBe("AUTH_MISSING_API_KEY");

    const wrong = await withKey(path, { method, headers: { "X-Blnk-Key": `${KEY}!` } });
    expect(wrong.status).toBe(401);
    expect(await codeOf(wrong)).toBe("AUTH_INVALID_API_KEY");

    const right = await withKey(path, { method, headers: { "x-blnk-key": KEY } });
    expect(right.status).not.toBe(401);
  });

  it.each(OPEN)("%s is open", async (path) => {
    expect((await withKey(path)).status).toBe(200);
  });

  it("asks for the key before it says that a route does not exist", async () => {
    expect((await withKey("/nothing-here")).status).toBe(401);
    const known = await withKey("/nothing-here", { headers: { "X-Blnk-Key": KEY } });
    expect(known.status).toBe(404);
  });

  it("does not take the key as a bearer", async () => {
    const response = await withKey("/transactions", {
      headers: { Authorization: `Bearer ${KEY}` },
    });
    expect(await codeOf(response)).toBe("AUTH_MISSING_API_KEY");
  });
});

describe("without a key configured", () => {
  it.each(["/", "/openapi.json", "/docs", "/docs/scalar.js", "/transactions", "/nothing-here"])(
    "%s is shut",
    async (path) => {
      const shut = asWith({});
      expect((await shut(path)).status).toBe(401);
      expect((await shut(path, { headers: { "X-Blnk-Key": "" } })).status).toBe(401);
      expect((await shut(path, { headers: { "X-Blnk-Key": "anything" } })).status).toBe(401);
    },
  );

  it("says whether it is healthy", async () => {
    const response = await asWith({})("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "UP" });
  });
});

describe("with AUTH=off", () => {
  it.each`
    host                        | status
    ${"localhost:5001"}         | ${200}
    ${"127.0.0.1:5001"}         | ${200}
    ${"127.8.9.10"}             | ${200}
    ${"[::1]:5001"}             | ${200}
    ${"ledger.example"}         | ${401}
    ${"10.0.0.1"}               | ${401}
    ${"localhost.evil.example"} | ${401}
    ${"127.0.0.1.evil.example"} | ${401}
  `("a request to $host answers $status", async ({ host, status }) => {
    const response = await asWith({ AUTH: "off" })("/transactions", { host });
    expect(response.status).toBe(status);
  });

  it("is off only by that very word", async () => {
    const response = await asWith({ AUTH: "on" })("/transactions", { host: "localhost" });
    expect(response.status).toBe(401);
  });
});
