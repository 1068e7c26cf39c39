import { execFile, execFileSync, fork } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { migrate } from "../scripts/serve.ts";
import type { LoadOrder, LoadReport } from "./protocol.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const inRoot = (path: string) => join(root, path);

/** A Worker that runs on this machine, as wrangler builds it for deployment. */
export interface Host {
  readonly port: number;
  /** Megabytes of memory that its process holds at this moment. */
  memoryMb(): number;
  close(): Promise<void>;
}

/** What to run: a wrangler configuration, and another entry than it names where a phase needs one. */
export interface HostOptions {
  readonly config: string;
  readonly entry?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** How many shards the journal of its instance has. */
  readonly shards?: number;
}

/** Where everything of a run is kept: in memory where the machine has such a folder, so that disks don't take part. */
export function workFolder(): { path: string; inMemory: boolean; remove: () => void } {
  const inMemory = existsSync("/dev/shm");
  const path = mkdtempSync(join(inMemory ? "/dev/shm" : tmpdir(), "purser-bench-"));
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  return { path, inMemory, remove };
}

/** A Worker as it would be uploaded, and what it is to run with. */
export interface Built {
  readonly options: HostOptions;
  readonly contents: string;
}

/** Builds a Worker and serves it from `folder`, with an empty state; its D1 gets the migrations. */
export async function host(folder: string, name: string, options: HostOptions): Promise<Host> {
  const built = await build(options, join(folder, name, "built"));
  const place = join(folder, name);
  const { d1Databases } = configured(options);
  if (Object.keys(d1Databases ?? {}).length > 0) await migrate(join(place, "state"));
  return serveBuilt(built, place, name);
}

/** Serves a built Worker from a folder, with the state that is there. Its name is part of where objects are kept. */
export async function serveBuilt(built: Built, place: string, name: string): Promise<Host> {
  const { options, contents } = built;
  // Static pages play no part here, and their router would be one more hop.
  const { assets: _pages, ...workerOptions } = configured(options);
  const others = workerdProcesses();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.ERROR),
      logRequests: false,
      // What the Worker logs is read, since a full pipe would stop it, and dropped.
      handleStructuredLogs: () => undefined,
      telemetry: { enabled: false },
      resourcePersistencePath: join(place, "state", "v3"),
      resourceTmpPath: join(place, "tmp"),
      workers: [
        {
          ...workerOptions,
          name,
          modules: [{ type: "ESModule", path: "index.js", contents }],
          bindings: Object.assign({}, workerOptions.bindings, options.variables),
        },
      ],
    }),
  );
  const url = await miniflare.ready;
  if (options.shards !== undefined) {
    const records = await miniflare.getD1Database("DB", name);
    // Before the first transaction: afterwards the number stands.
    await records.prepare("UPDATE instances SET journal_shards = ?").bind(options.shards).run();
  }
  const pid = [...workerdProcesses().keys()].find((each) => !others.has(each)) ?? "";
  return {
    port: Number(url.port),
    memoryMb: () => workerdProcesses().get(pid) ?? Number.NaN,
    close: () => miniflare.dispose(),
  };
}

const configured = ({ config }: HostOptions) =>
  unstable_getMiniflareWorkerOptions(inRoot(config)).workerOptions;

/** The runtimes that this process has started: by process id, the megabytes that each holds. */
function workerdProcesses(): ReadonlyMap<string, number> {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="], { encoding: "utf8" });
  const processes = lines.split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(
    processes
      .filter(([, parent, , name]) => parent === String(process.pid) && name?.includes("workerd"))
      .map(([pid = "", , kilobytes]) => [pid, Number(kilobytes) / 1024]),
  );
}

/** Builds the one module that `wrangler deploy` would upload. */
export async function build(options: HostOptions, folder: string): Promise<Built> {
  const entry = options.entry ?? "";
  const command = ["deploy", entry, "--config", inRoot(options.config), "--dry-run"];
  const wrangler = inRoot("node_modules/wrangler/bin/wrangler.js");
  const all = [wrangler, ...command.filter((word) => word !== ""), "--outdir", folder];
  await promisify(execFile)(process.execPath, all, {
    cwd: root,
    env: { ...process.env, CI: "true", WRANGLER_HIDE_BANNER: "true" },
  });
  const module = readdirSync(folder).find((file) => file.endsWith(".js"));
  if (module === undefined) throw new Error(`wrangler built nothing from ${options.config}`);
  return { options, contents: readFileSync(join(folder, module), "utf8") };
}

/** The load process: one order at a time. */
export interface Load {
  run(order: LoadOrder): Promise<LoadReport>;
  close(): void;
}

/** Starts the process that sends the requests, so that its work is not the server's. */
export function startLoad(): Load {
  const child = fork(inRoot("bench/load.ts"));
  return {
    run: (order) =>
      new Promise((reported, failed) => {
        const ended = () => failed(new Error("the load process ended before it reported"));
        child.once("exit", ended);
        child.once("message", (report: LoadReport) => {
          child.off("exit", ended);
          reported(report);
        });
        child.send(order);
      }),
    close: () => child.disconnect(),
  };
}
