import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  agent.destroy();
  await server.close();
});

/** Sends a body over the one connection; its answer's status, or what became of the connection. */
function post(path: string, key: string): Promise<number | string> {
  const headers = { "Content-Type": "application/json", "X-Blnk-Key": key };
  return new Promise((done) => {
    const sent = request(`${server.baseUrl}${path}`, { agent, method: "POST", headers }, (answer) =>
      answer.resume().once("end", () => done(answer.statusCode ?? 0)),
    );
    sent.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    sent.end(JSON.stringify({ name: "one of many", meta_data: { note: "n".repeat(300) } }));
  });
}

it.each([
  ["for no route", "/no/such/route", "", 404],
  ["with a slash at its end", "/ledgers/", "", 307],
  ["with a key that is not valid", "/ledgers", "wrong", 401],
] as const)("keeps the connection of a request %s", async (_what, path, key, status) => {
  const seen: unknown[] = [];
  for (let round = 1; round <= 20; round += 1) {
    seen.push([
      await post(path, key || server.masterKey),
      await post("/ledgers", server.masterKey),
    ]);
  }
  expect(seen).toEqual(Array(20).fill([status, 201]));
});
