import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type LocalServer, prepare, serve, untilHealthy } from "../../scripts/serve.ts";

/** A server of the test's own: a process group with its port, its state and its key. */
export interface TestServer {
  readonly baseUrl: string;
  /** What requests send as X-Blnk-Key; it also signs the webhooks. */
  readonly masterKey: string;
  /** SIGKILL to the whole process group, then the same server again on the same state and port. */
  crashAndRestart(): Promise<void>;
  /** SIGKILL to the whole process group; nothing listens afterwards. */
  crash(): Promise<void>;
  /** Starts again on the same state and port, and waits until it answers. */
  restart(): Promise<void>;
  /** Ends the server and forgets its state. */
  close(): Promise<void>;
}

/** What a test may want to choose; the rest is fresh. */
export interface TestServerOptions {
  /** Where events go, with commas between. */
  readonly webhookUrls?: string;
  /** A random one by default. */
  readonly masterKey?: string;
  /** Every caller is the master, with no key at all. */
  readonly authOff?: boolean;
}

/** Spawns a server on a free port with an empty state of its own, and waits until `/health` answers. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const stateDir = mkdtempSync(join(tmpdir(), "purser-state-"));
  const forgetState = () => rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  const masterKey = options.masterKey ?? randomBytes(24).toString("hex");
  const port = await freePort();
  const authOff = options.authOff === true;
  let server: LocalServer | undefined;

  // A test run that is ended from outside leaves no server behind.
  const lastResort = () => {
    void server?.kill();
    forgetState();
  };
  process.once("exit", lastResort);
  exitOnSignals();

  const restart = async () => {
    server = serve({
      port,
      stateDir,
      masterKey: authOff ? undefined : masterKey,
      authOff,
      webhookUrls: options.webhookUrls,
      output: "ignore",
    });
    await untilHealthy(server);
  };
  const crash = async () => server?.kill();

  await prepare(stateDir);
  await restart();
  return {
    baseUrl: `http://localhost:${port}`,
    masterKey,
    crash,
    restart,
    crashAndRestart: async () => {
      await crash();
      await restart();
    },
    close: async () => {
      await crash();
      forgetState();
      process.off("exit", lastResort);
    },
  };
}

/** A process that dies of a signal runs no exit handlers, so it exits instead. */
function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));
  }
}

/** One request with the master key, and its answer; with a body a POST unless it says otherwise. Throws without an answer. */
export async function ask(
  { baseUrl, masterKey }: TestServer,
  path: string,
  {
    body,
    method = body === undefined ? "GET" : "POST",
  }: { body?: object | undefined; method?: string } = {},
) {
  const response = await fetch(baseUrl + path, {
    method,
    headers: { "X-Blnk-Key": masterKey, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}
