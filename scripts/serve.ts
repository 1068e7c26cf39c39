import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** How a local server is to run. */
export interface ServeOptions {
  readonly port: number;
  /** Where its Durable Objects and its D1 are kept; made if missing. */
  readonly stateDir: string;
  /** The key that clients send; without one, `authOff` decides. */
  readonly masterKey?: string | undefined;
  /** Every caller is the master. For local use only. */
  readonly authOff?: boolean;
  /** Where events go, with commas between. */
  readonly webhookUrls?: string | undefined;
  /** `inherit` shows what wrangler says, `ignore` drops it, a number is a file to write to. */
  readonly output: "inherit" | "ignore" | number;
}

/** A server that was started; it may not answer yet. */
export interface LocalServer {
  readonly baseUrl: string;
  /** The process group of wrangler and all that it started. */
  readonly processGroup: number;
  /** Resolves once wrangler has ended, with what a shell would call its exit code. */
  readonly exited: Promise<number>;
  /** Ends the whole group politely, after 5 s for good. Resolves when nobody is left. */
  stop(): Promise<void>;
  /** Ends the whole group at once, as a power cut would: nothing gets to say goodbye. */
  kill(): Promise<void>;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const stopTimeoutMs = 5_000;
const cronIntervalMs = 60_000;

/** Brings the local D1 of a state directory to today's schema. Throws with wrangler's words if that fails. */
export async function migrate(stateDir: string): Promise<void> {
  const options = ["--local", "--persist-to", resolve(stateDir)];
  const command = [wrangler, "d1", "migrations", "apply", "DB", ...options];
  await promisify(execFile)(process.execPath, command, { cwd: root, env: environment(stateDir) });
}

/** Starts `wrangler dev` in a process group of its own. Secrets go through a file that only this user can read. */
export function serve(options: ServeOptions): LocalServer {
  const stateDir = resolve(options.stateDir);
  mkdirSync(stateDir, { recursive: true });
  const secrets = writeSecrets(options);
  const child = spawn(process.execPath, [wrangler, ...devArguments(options, secrets.file)], {
    cwd: root,
    env: environment(stateDir),
    detached: true,
    stdio: ["ignore", options.output, options.output],
  });
  const baseUrl = `http://localhost:${options.port}`;
  const cron = setInterval(() => void runCron(baseUrl), cronIntervalMs).unref();
  const exited = untilExit(child).finally(() => {
    clearInterval(cron);
    secrets.remove();
  });
  const processGroup = child.pid ?? 0;

  const end = async (signal: NodeJS.Signals) => {
    signalGroup(processGroup, signal);
    await Promise.race([exited, sleep(stopTimeoutMs, undefined, { ref: false })]);
    signalGroup(processGroup, "SIGKILL"); // Whoever did not listen.
    await exited;
    secrets.remove();
  };
  return {
    baseUrl,
    processGroup,
    exited,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** Waits until `/health` answers. Throws if the server ends before, or is not up in time. */
export async function untilHealthy(server: LocalServer, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  while (!ended && Date.now() < deadline) {
    if (await isHealthy(server.baseUrl)) return;
    await sleep(50);
  }
  throw new Error(ended ? "the server ended before it answered" : "the server does not answer");
}

/** A TCP port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => found(port));
    });
  });
}

const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");

function devArguments(options: ServeOptions, secretsFile: string): string[] {
  const local = options.authOff === true ? ["--var", "AUTH:off"] : [];
  return [
    ...["dev", "--local", "--port", String(options.port), "--inspector-port", "0"],
    ...["--persist-to", resolve(options.stateDir), "--env-file", secretsFile],
    ...["--show-interactive-dev-session=false", "--log-level", process.env.LOG_LEVEL ?? "error"],
    ...["--var", "WEBHOOK_LOOPBACK:on", ...local],
  ];
}

/** Command lines are everybody's to read, so keys, and URLs that may hold tokens, are handed over in a file. */
function writeSecrets(options: ServeOptions): { file: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "purser-"));
  chmodSync(folder, 0o700);
  const file = join(folder, "env");
  const lines = [`WEBHOOK_URLS=${quoted(options.webhookUrls ?? "")}`];
  if (options.masterKey !== undefined) lines.push(`PURSER_MASTER_KEY=${quoted(options.masterKey)}`);
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
    process.off("exit", remove);
  };
  process.once("exit", remove);
  return { file, remove };
}

/** A value that the reader of env files takes literally: it knows three quotes, no escapes, and expands dollar signs. */
function quoted(value: string): string {
  const quote = ["'", "`", '"'].find((candidate) => !value.includes(candidate));
  if (quote === undefined || /[\r\n]/.test(value)) {
    throw new Error("a key or URL may not hold line ends, nor all three kinds of quotes");
  }
  return `${quote}${value.replaceAll("$", "\\$")}${quote}`;
}

/** What wrangler gets: our Node first, nothing sent home, its own files beside the state, and none of our secrets. */
function environment(stateDir: string): NodeJS.ProcessEnv {
  const { PURSER_MASTER_KEY: _key, WEBHOOK_URLS: _urls, AUTH: _auth, ...rest } = process.env;
  const own = resolve(stateDir, "wrangler");
  return {
    ...rest,
    PATH: [join(root, "node_modules", "node", "bin"), rest.PATH ?? ""].join(delimiter),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(own, "logs"),
    WRANGLER_REGISTRY_PATH: join(own, "registry"),
    WRANGLER_CACHE_DIR: join(own, "cache"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    CI: "true",
  };
}

function untilExit(child: ChildProcess): Promise<number> {
  return new Promise((ended) => {
    child.once("error", () => ended(127));
    child.once("exit", (code) => ended(code ?? 143));
  });
}

/** Signals all of a process group; nothing happens if nobody is in it any more. */
function signalGroup(processGroup: number, signal: NodeJS.Signals): void {
  if (processGroup === 0) return;
  try {
    process.kill(-processGroup, signal);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

/** Linux says ESRCH; macOS says EPERM for a group whose last members have ended. */
const isNoSuchProcess = (error: unknown) =>
  error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM");

/** Deployed, the platform runs the cron trigger every minute; wrangler waits to be asked. A missed one is no harm. */
async function runCron(baseUrl: string): Promise<void> {
  await fetch(`${baseUrl}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`)
    .then((response) => response.body?.cancel())
    .catch(() => undefined);
}

async function isHealthy(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
