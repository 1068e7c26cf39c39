import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { verifyBalance, verifyTransaction } from "../../assets/docs/verify.js";
import { freePort } from "../../scripts/serve.ts";
import { type BalanceProof, forgedTransaction, type TransactionProof } from "../support/forge.ts";
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

/** Runs the program in the page about audits, as it stands there, against a server. */
async function check(id: string, baseUrl: string) {
  const folder = mkdtempSync(join(tmpdir(), "purser-audit-"));
  try {
    const page = readFileSync(from("docs/audit.md"), "utf8");
    const [, program = ""] = /```js\n(.*?)```/s.exec(page) ?? [];
    writeFileSync(join(folder, "check.mjs"), program.replace("http://localhost:5001", baseUrl));
    copyFileSync(from("assets/docs/verify.js"), join(folder, "verify.js"));
    return await run(join(folder, "check.mjs"), id);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const balanceOf = (indicator: string) =>
  mustAsk<{ balance_id: string; version: number }>(`/balances/indicator/${indicator}/currency/USD`);

it("the program in the page about audits verifies a balance and all its transactions", async () => {
  await transfer("in-the-page", "@World", "@Dora");
  const { balance_id: id, version } = await balanceOf("@Dora");

  const { code, output } = await check(id, server.baseUrl);

  expect(output).toMatch(new RegExp(`^sound up to version ${version}: [0-9a-f]{64}$`, "m"));
  expect(code).toBe(0);
});

/** What a server that lies makes of a path, and of what the honest one answers to it; and what the program says of that. */
interface Lie {
  readonly found: string;
  readonly path?: (path: string) => string;
  readonly transaction?: (proof: TransactionProof) => TransactionProof | Promise<TransactionProof>;
  readonly balance?: (page: BalanceProof) => BalanceProof;
}

/** A server that answers as the honest one does, but for its lie. */
async function liar({ path = (same) => same, transaction, balance }: Lie) {
  const lying = createServer(async (request, response) => {
    const { body } = await ask(server, path(request.url ?? ""));
    const isOfBalance = request.url?.startsWith("/balances/") === true;
    const told = isOfBalance ? (balance?.(body) ?? body) : ((await transaction?.(body)) ?? body);
    response.setHeader("content-type", "application/json").end(JSON.stringify(told));
  });
  const port = await freePort();
  await new Promise<void>((listening) => lying.listen(port, "127.0.0.1", listening));
  return { baseUrl: `http://127.0.0.1:${port}`, close: () => lying.close() };
}

it("the program in the page about audits is not taken in by a server that lies", async () => {
  const [first, second] = [
    await transfer("to-lie-about", "@World", "@Eve"),
    await transfer("to-lie-about-2", "@World", "@Eve"),
  ];
  await transfer("to-lie-about-3", "@World", "@Mallory");
  const { balance_id: eve } = await balanceOf("@Eve");
  const { balance_id: mallory } = await balanceOf("@Mallory");
  const inPlaceOf = (asked: string, answered: string) => (path: string) =>
    path.replace(asked, answered);
  const lies: Record<string, Lie> = {
    "another amount and description": {
      transaction: (proof) =>
        forgedTransaction(proof, { precise_amount: "99999999", description: "a bribe" }),
      found: "the proof does not show the entry",
    },
    "all rejected": {
      transaction: (proof) => ({ ...proof, status: "REJECTED", entries: [] }),
      found: "the proof does not show the entry",
    },
    "all split": {
      transaction: async (proof) => ({
        ...(await forgedTransaction(proof, { kind: "split" })),
        entries: [],
      }),
      found: "the proof does not show the entry",
    },
    "another transaction": {
      path: inPlaceOf(first.transaction_id, second.transaction_id),
      found: `${first.transaction_id}: another one`,
    },
    "another balance": { path: inPlaceOf(eve, mallory), found: `${mallory} was not asked for` },
    "another balance under the name": {
      path: inPlaceOf(eve, mallory),
      balance: (page) => ({ ...page, balance_id: eve }),
      found: "the proof does not show the entry",
    },
  };
  for (const [name, lie] of Object.entries(lies)) {
    const { baseUrl, close } = await liar(lie);
    const { code, output } = await check(eve, baseUrl);
    close();
    expect.soft(output, name).toContain(lie.found);
    expect.soft(output, name).not.toContain("sound");
    expect.soft(code, name).toBe(1);
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
