import { type ChildProcess, fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildWorker, migrate, withoutSettings } from "./build.ts";
import type { ServeOrder } from "./local-server.ts";

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
  /** `inherit` shows what the Worker says, `ignore` drops it, a number is a file to write to. */
  readonly output: "inherit" | "ignore" | number;
}

/** A server that was started; it may not answer yet. */
export interface LocalServer {
  readonly baseUrl: string;
  /** The process group of the server and all that it started. */
  readonly processGroup: number;
  /** Resolves once it listens on its port; never, if somebody else does. */
  readonly listening: Promise<void>;
  /** Resolves once the server has ended, with what a shell would call its exit code. */
  readonly exited: Promise<number>;
  /** Ends the whole group politely, after 5 s for good. Resolves when nobody is left. */
  stop(): Promise<void>;
  /** Ends the whole group at once, as a power cut would: nothing gets to say goodbye. */
  kill(): Promise<void>;
}

const local = fileURLToPath(new URL("local-server.ts", import.meta.url));
const stopTimeoutMs = 5_000;

/** Builds today's code for a state directory, and brings its D1 to today's schema. Throws with wrangler's words. */
export async function prepare(stateDir: string): Promise<void> {
  const folder = resolve(stateDir);
  await Promise.all([
    migrate(folder),
    buildWorker({ config: "wrangler.toml", folder: builtIn(folder) }),
  ]);
}

/** Starts what `prepare` built in a process group of its own, which ends with this process, however that ends. */
export function serve(options: ServeOptions): LocalServer {
  const stateDir = resolve(options.stateDir);
  const baseUrl = `http://localhost:${options.port}`;
  // The address says whose process it is to who looks at a list of them.
  const child = fork(local, [baseUrl], {
    detached: true,
    env: withoutSettings(process.env),
    stdio: ["ignore", options.output, options.output, "ipc"],
  });
  child.send(orderOf(options, stateDir));
  const listening = new Promise<void>((listens) => child.once("message", () => listens()));
  const exited = untilExit(child);
  const processGroup = child.pid ?? 0;

  const end = async (signal: NodeJS.Signals) => {
    signalGroup(processGroup, signal);
    await Promise.race([exited, sleep(stopTimeoutMs, undefined, { ref: false })]);
    signalGroup(processGroup, "SIGKILL"); // Whoever did not listen.
    await exited;
  };
  return {
    baseUrl,
    processGroup,
    listening,
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
  // Not by its answers alone: they could be those of another server on this port.
  await Promise.race([
    server.listening,
    server.exited,
    sleep(timeoutMs, undefined, { ref: false }),
  ]);
  while (!ended && Date.now() < deadline) {
    if (await isHealthy(server.baseUrl)) return;
    await sleep(50);
  }
  throw new Error(ended ? "the server ended before it answered" : "the server does not answer");
}

/**
 * A TCP port that nobody listens on, and that nobody is given unasked: the system hands out those from
 * 32768 on (from 49152 on elsewhere) to connections and to whoever listens on port 0, at any moment.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(10_000, 30_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no port from 10000 to 29999 is free");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((found) => {
    const probe = createServer();
    probe.once("error", () => found(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => found(true)));
  });
}

const builtIn = (stateDir: string) => join(stateDir, "built");

/** Keys, and URLs that may hold tokens, go in a message: command lines are everybody's to read. */
function orderOf(options: ServeOptions, stateDir: string): ServeOrder {
  return {
    config: "wrangler.toml",
    module: join(builtIn(stateDir), "index.js"),
    pages: true,
    host: "localhost",
    port: options.port,
    stateDir,
    variables: {
      WEBHOOK_URLS: options.webhookUrls ?? "",
      WEBHOOK_LOOPBACK: "on",
      ...(options.masterKey === undefined ? {} : { PURSER_MASTER_KEY: options.masterKey }),
      ...(options.authOff === true ? { AUTH: "off" } : {}),
    },
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

async function isHealthy(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/health`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
