import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../scripts/serve.ts";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let receiverPort: number;

beforeAll(async () => {
  receiverPort = await freePort();
  server = await startServer({ webhookUrls: `http://127.0.0.1:${receiverPort}/webhooks` });
});

afterAll(() => server.close());

/** Runs an example against the server: its exit code, and what it wrote. */
function example(name: string): Promise<{ code: number | null; output: string }> {
  const file = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      BASE_URL: server.baseUrl,
      PURSER_MASTER_KEY: server.masterKey,
      RECEIVER_PORT: String(receiverPort),
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((ended) => child.once("close", (code) => ended({ code, output })));
}

it.each([
  ["W1, W2, W3, W28", "wallet"],
  ["V14, V16, V22", "virtual-card"],
])("%s: the example %s tells its story, every figure right", async (_lines, name) => {
  const { code, output } = await example(name);

  expect(output).toContain("Every figure is right.");
  expect(code).toBe(0);
});
