import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { verifyBalance, verifyTransaction } from "../../assets/docs/verify.js";
import { ask, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

interface Sent {
  readonly transaction_id: string;
}

interface Proof {
  readonly recorded: { readonly source: string; readonly meta_data: string };
}

async function mustAsk<T>(path: string, body?: object): Promise<T> {
  const answer = await ask(server, path, { body });
  expect(answer.status).toBeLessThan(300);
  return answer.body;
}

const transfer = (reference: string, source: string, destination: string) =>
  mustAsk<Sent>("/transactions", {
    reference,
    source,
    destination,
    precise_amount: 1_000,
    precision: 100,
    currency: "USD",
    description: "a transfer",
    skip_queue: true,
    allow_overdraft: true,
    meta_data: { purpose: reference },
  });

const from = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A program against the server: its exit code, and what it wrote. */
function run(file: string, ...options: readonly string[]) {
  const child = spawn(process.execPath, [file, ...options], {
    env: { ...process.env, BASE_URL: server.baseUrl, PURSER_MASTER_KEY: server.masterKey },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise<{ code: number | null; output: string }>((ended) =>
    child.once("close", (code) => ended({ code, output })),
  );
}

it("Node verifies what a server proves, with the file that the server serves", async () => {
  const { transaction_id: id } = await transfer("in-node", "@World", "@Alice");
  await transfer("in-node-2", "@Alice", "@Bob");

  const proof = await mustAsk<Proof>(`/transactions/${id}/proof`);
  expect(await verifyTransaction(proof)).toEqual({ valid: true, problems: [] });
  const balance = await mustAsk<{ version: number }>(`/balances/${proof.recorded.source}/proof`);
  const { valid, end } = await verifyBalance(balance);
  expect([valid, end.version]).toEqual([true, balance.version]);
  const forged = { ...proof, recorded: { ...proof.recorded, meta_data: '{"purpose":"other"}' } };
  expect((await verifyTransaction(forged)).problems).toContain(
    "the seal is not that of what was recorded",
  );

  const served = await fetch(`${server.baseUrl}/docs/verify.js`);
  expect(served.headers.get("content-type")).toContain("javascript");
  expect(await served.text()).toContain("export async function verifyBalance");
});

it("the program in the page about audits verifies a balance and all its transactions", async () => {
  await transfer("in-the-page", "@World", "@Dora");
  const folder = mkdtempSync(join(tmpdir(), "purser-audit-"));
  try {
    const page = readFileSync(from("docs/audit.md"), "utf8");
    const [, program = ""] = /```js\n(.*?)```/s.exec(page) ?? [];
    writeFileSync(
      join(folder, "check.mjs"),
      program.replace("http://localhost:5001", server.baseUrl),
    );
    copyFileSync(from("assets/docs/verify.js"), join(folder, "verify.js"));
    const { balance_id: id, version } = await mustAsk<{ balance_id: string; version: number }>(
      "/balances/indicator/@Dora/currency/USD",
    );

    const { code, output } = await run(join(folder, "check.mjs"), id);

    expect(output).toMatch(new RegExp(`^sound up to version ${version}: [0-9a-f]{64}$`, "m"));
    expect(code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("npm run rebuild goes through the whole ledger, and changes nothing in a sound one", async () => {
  await transfer("to-rebuild", "@World", "@Carol");
  await mustAsk("/transactions?limit=1");
  const { code, output } = await run(from("scripts/rebuild.ts"));
  expect(output).toContain("shard 16 of 16");
  expect(output).toContain("Nothing had to change.");
  expect(code).toBe(0);
});
