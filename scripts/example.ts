/** `npm run example NAME`: runs `examples/NAME.ts` against a server of its own, or against BASE_URL. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../test/support/server.ts";
import { freePort } from "./serve.ts";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const name = process.argv[2] ?? "";
const file = join(examples, `${name}.ts`);
if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(file)) {
  console.error("usage: npm run example NAME, with the name of a file in examples/");
  process.exit(2);
}
process.exitCode = process.env.BASE_URL === undefined ? await withOwnServer() : await run({});

/** A fresh server with a random key, whose events go to the port on which the example may listen. */
async function withOwnServer(): Promise<number> {
  const receiverPort = await freePort();
  const webhookUrls = `http://127.0.0.1:${receiverPort}/webhooks`;
  const server = await startServer({ webhookUrls });
  try {
    return await run({
      BASE_URL: server.baseUrl,
      PURSER_MASTER_KEY: server.masterKey,
      RECEIVER_PORT: String(receiverPort),
    });
  } finally {
    await server.close();
  }
}

function run(settings: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, [file], {
    stdio: "inherit",
    env: { ...process.env, ...settings },
  });
  process.once("exit", () => child.kill());
  return new Promise((ended) => child.once("exit", (code) => ended(code ?? 1)));
}
