import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { freePort } from "../../scripts/serve.ts";

const masterKey = `it's a "$key" with \${signs}`;
const hookToken = "token-in-an-address";
const stateDir = mkdtempSync(join(tmpdir(), "purser-start-"));
const otherStateDir = mkdtempSync(join(tmpdir(), "purser-start-"));
afterAll(() => {
  for (const folder of [stateDir, otherStateDir])
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** `npm start` as somebody types it, once `/health` answers. */
async function npmStart(settings: Record<string, string>) {
  const port = await freePort();
  const { AUTH: _auth, PURSER_MASTER_KEY: _key, ...environment } = process.env;
  const env = { ...environment, PORT: String(port), STATE_DIR: stateDir, ...settings };
  const npm = spawn("npm", ["start"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  npm.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(npm, "exit");
  const answered = () => expect(said).toContain("Try: curl");
  const endedFirst = ended.then(() => expect.fail("it ended before it answered"));
  await Promise.race([vi.waitFor(answered, { timeout: 90_000, interval: 100 }), endedFirst]);
  return { npm, ended, port, said: () => said, url: `http://localhost:${port}` };
}

/** Command lines of live processes that belong to the server on this port. */
function processesOf(port: number): string[] {
  const all = execFileSync("ps", ["-eo", "stat,args"], { encoding: "utf8" }).split("\n");
  const live = all.filter((line) => !line.startsWith("Z"));
  return live.filter((line) => line.includes(`localhost:${port}`) || line.includes(stateDir));
}

/** The process of workerd that listens on this port. */
function runtimeOf(port: number): number {
  const all = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
  const [pid = ""] = all.filter((line) => line.includes(`=localhost:${port}`));
  return Number.parseInt(pid, 10);
}

describe("npm start", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)(
    "leaves no process behind after %s",
    async (signal) => {
      const { npm, ended, port, url } = await npmStart({});
      expect(processesOf(port).length).toBeGreaterThan(1);

      npm.kill(signal);
      await ended;

      await vi.waitFor(() => expect(processesOf(port)).toEqual([]), { timeout: 20_000 });
      await expect(fetch(`${url}/health`)).rejects.toThrow();
    },
  );

  it("keeps the master key and webhook addresses out of command lines and of what it prints", async () => {
    const { npm, ended, url, said } = await npmStart({
      PURSER_MASTER_KEY: masterKey,
      WEBHOOK_URLS: `https://hooks.example.com/${hookToken}`,
    });

    const commandLines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    const withoutKey = await fetch(`${url}/ledgers`);
    const withKey = await fetch(`${url}/ledgers`, { headers: { "X-Blnk-Key": masterKey } });
    npm.kill("SIGTERM");
    await ended;

    expect(commandLines).not.toContain(masterKey);
    expect(commandLines).not.toContain(hookToken);
    expect(said()).not.toContain(masterKey);
    expect(said()).not.toContain(hookToken);
    expect([withoutKey.status, withKey.status]).toEqual([401, 200]);
  });

  it("ends with a reason, and says nothing else, when its port is taken", async () => {
    const { npm, ended, port } = await npmStart({});
    const { AUTH: _auth, PURSER_MASTER_KEY: _key, ...environment } = process.env;
    const env = { ...environment, PORT: String(port), STATE_DIR: otherStateDir };

    const second = spawnSync("npm", ["start"], { env, encoding: "utf8", timeout: 90_000 });
    npm.kill("SIGTERM");
    await ended;

    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`port ${port} is taken`);
    expect(second.stdout).not.toContain("Purser runs");
  });

  it("goes on with the same state when its runtime is killed", async () => {
    const { npm, ended, port, url } = await npmStart({});
    const made = await fetch(`${url}/ledgers`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "Kept" }),
    });
    const { ledger_id: id } = JSON.parse(await made.text());

    process.kill(runtimeOf(port), "SIGKILL");
    const answersAgain = async () => {
      const answer = await fetch(`${url}/ledgers/${id}`);
      expect(await answer.text()).toContain("Kept");
    };
    await vi.waitFor(answersAgain, { timeout: 30_000, interval: 100 });

    npm.kill("SIGTERM");
    await ended;
    expect(npm.exitCode).toBe(0);
  });

  it("lets everybody in, and says so, when neither a key nor AUTH is set", async () => {
    const { npm, ended, url, said } = await npmStart({});

    const answer = await fetch(`${url}/ledgers`);
    npm.kill("SIGTERM");
    await ended;

    expect(answer.status).toBe(200);
    expect(said()).toContain("AUTH=off");
  });
});
