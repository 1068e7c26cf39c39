import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { compose } from "../../src/compose";
import { newApp } from "../../src/http/app";
import { unwrap } from "../../src/http/errors";
import { outcomeOf } from "../../src/services/trouble";
import { call, codeOf, field, get, post } from "../support/api";

const FIVE_MIB = 5 * 1024 * 1024;
const JSON_WANTED = { headers: { Accept: "application/json" } };
const CHUNK = new Uint8Array(1024 * 1024).fill(0x20);

describe("headers of every answer", () => {
  const expected = {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
  };

  it.each(["/health", "/transactions/txn_x", "/openapi.json"])("%s has them", async (path) => {
    const { headers } = await get(path);
    expect(Object.fromEntries(headers)).toMatchObject(expected);
    expect(headers.get("strict-transport-security")).toBeNull();
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("a refused key has them too", async () => {
    const { headers } = await call("GET", "/transactions", { headers: { "X-Blnk-Key": null } });
    expect(Object.fromEntries(headers)).toMatchObject(expected);
  });

  it("asks browsers to stay with TLS where there is TLS", async () => {
    const proxied = await call("GET", "/health", { headers: { "X-Forwarded-Proto": "https" } });
    const strict = "max-age=31536000; includeSubDomains";
    expect(proxied.headers.get("strict-transport-security")).toBe(strict);
    const direct = await exports.default.fetch("https://ledger.example/health");
    expect(direct.headers.get("strict-transport-security")).toBe(strict);
  });
});

describe("paths", () => {
  it.each`
    method    | path                    | status | location
    ${"GET"}  | ${"/transactions/"}     | ${301} | ${"/transactions"}
    ${"GET"}  | ${"/transactions/?a=1"} | ${301} | ${"/transactions?a=1"}
    ${"POST"} | ${"/transactions/"}     | ${307} | ${"/transactions"}
  `(
    "$method $path goes to $location with $status, whoever asks",
    async ({ method, path, status, location }) => {
      const answer = await call(method, path, { headers: { "X-Blnk-Key": null } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("location")).toBe(location);
    },
  );

  it("HEAD is answered as GET is, without the body", async () => {
    const [head, whole] = [await call("HEAD", "/ledgers"), await get("/ledgers")];
    expect([head.status, head.body]).toEqual([200, null]);
    expect(head.headers.get("Content-Type")).toBe(whole.headers.get("Content-Type"));
    expect((await call("HEAD", "/ledgers/ldg_none")).status).toBe(404);
  });

  it("never sends a browser to another host", async () => {
    const answer = await call("GET", "//evil.example/", JSON_WANTED);
    expect(answer.headers.get("location")).toBeNull();
    expect(answer.status).toBe(404);
  });

  it.each([
    ["GET", "/nothing-here"],
    ["PUT", "/transactions/txn_x"],
    ["DELETE", "/ledgers/ldg_x"],
    ["OPTIONS", "/transactions"],
  ])("%s %s is 404: a line of text, or JSON when it is asked for", async (method, path) => {
    const plain = await exports.default.fetch(`http://localhost${path}`, {
      method,
      headers: { "X-Blnk-Key": env.PURSER_MASTER_KEY ?? "" },
    });
    expect(plain.status).toBe(404);
    expect(await plain.text()).toBe("404 page not found");
    expect(plain.headers.get("x-content-type-options")).toBe("nosniff");

    const answer = await call(method, path, JSON_WANTED);
    expect(answer.status).toBe(404);
    expect(codeOf(answer)).toBe("GEN_NOT_FOUND");
    expect(field(answer, "error")).toBeTruthy();
  });
});

describe("bodies that cannot be read", () => {
  it.each([
    ["cut off", '{"name": "x", '],
    ["a list", "[]"],
    ["a number", "12345678901234567890"],
    ["empty", ""],
    ["blank", "  "],
    ["words", "hello"],
    ["nested without end", "[".repeat(100_000)],
  ])("%s: 400 GEN_MALFORMED_REQUEST with a sentence", async (_what, raw) => {
    const answer = await call("POST", "/transactions", { raw });
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe("GEN_MALFORMED_REQUEST");
    expect(field(answer, "error")).toBeTruthy();
  });

  it.each(["/transactions/filter"])("%s calls it GEN_VALIDATION_ERROR", async (path) => {
    for (const raw of ["", "[]", '{"filters": ']) {
      const answer = await call("POST", path, { raw });
      expect(answer.status).toBe(400);
      expect(codeOf(answer)).toBe("GEN_VALIDATION_ERROR");
    }
  });

  it.each([
    ["one that says so", { "Content-Type": "application/json" }],
    ["a form", { "Content-Type": "multipart/form-data; boundary=x" }],
    ["one that lies about its length", { "Content-Length": "2" }],
  ])("a body over 5 MiB is 400, %s too", async (_what, headers) => {
    let left = FIVE_MIB / CHUNK.length + 1;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(CHUNK);
        else controller.close();
      },
    });
    const response = await exports.default.fetch(
      new Request("http://localhost/transactions", {
        method: "POST",
        headers: { "X-Blnk-Key": env.PURSER_MASTER_KEY ?? "", ...headers },
        body,
      }),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error_detail: { code: "GEN_MALFORMED_REQUEST", message: "the body is too large" },
    });
  });

  it.each([
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    null,
  ])("reads JSON whatever its type is called: %s", async (type) => {
    const answer = await call("POST", "/transactions", {
      raw: "{}",
      headers: { "Content-Type": type },
    });
    expect(codeOf(answer)).toBe("TXN_VALIDATION_ERROR");
  });
});

describe("trouble", () => {
  /** An app with one route that does this, on a server that is open to this machine. */
  const answering = (act: () => Promise<unknown>) => {
    const app = newApp();
    app.get("/act", async (c) => c.json(await act()));
    const composition = compose({ ...env, AUTH: "off" });
    return app.fetch(new Request("http://localhost/act"), composition, createExecutionContext());
  };
  const failing = (error: unknown) => () =>
    outcomeOf(Promise.reject(error)).then((outcome) => unwrap(outcome));

  it.each([
    ["an overloaded object", Object.assign(new Error("busy"), { overloaded: true }), "2"],
    ["anything else thrown", new Error("Network connection lost."), "1"],
  ])("%s is 503, to be sent again", async (_what, error, retryAfter) => {
    const response = await answering(failing(error));
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe(retryAfter);
    const body: { error: string; error_detail: { code: string } } = await response.json();
    expect(body.error_detail.code).toBe("GEN_OUTCOME_UNKNOWN");
    expect(body.error).toContain("send the same request again");
  });

  it("of our own making is a bare 500", async () => {
    const response = await answering(() => Promise.reject(new Error("SELECT secret FROM keys")));
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: "internal server error",
      error_detail: { code: "GEN_INTERNAL", message: "internal server error" },
    });
  });

  it("is never shown for a client's mistake either: no stack, no SQL", async () => {
    const answer = await post("/transactions/filter", {
      filters: [{ field: "amount", operator: "eq", value: "'; DROP TABLE transactions" }],
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(field(answer, "error_detail"))).not.toMatch(/SQL|at .*\.ts/);
  });
});
