import { execFileSync, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";
import { buildWorker, migrate } from "../scripts/build.ts";
import { startRuntime } from "../scripts/runtime.ts";
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

/** A Worker as it would be uploaded, and what it is to run with. */
export interface Built {
  readonly options: HostOptions;
  readonly module: string;
}

/** Builds a Worker and serves it from `folder`, with an empty state; its D1 gets the migrations. */
export async function host(folder: string, name: string, options: HostOptions): Promise<Host> {
  const built = await build(options, join(folder, name, "built"));
  const place = join(folder, name);
  const config = unstable_readConfig({ config: inRoot(options.config) });
  if (config.d1_databases.length > 0) await migrate(join(place, "state"));
  return serveBuilt(built, place, name);
}

/** Serves a built Worker from a folder, with the state that is there. Its name is part of where objects are kept. */
export async function serveBuilt(built: Built, place: string, name: string): Promise<Host> {
  const { options, module } = built;
  const others = workerdProcesses();
  const miniflare = startRuntime({
    config: options.config,
    module,
    name,
    ...(options.variables === undefined ? {} : { variables: options.variables }),
    pages: false,
    host: "127.0.0.1",
    port: 0,
    stateDir: join(place, "state"),
    // What the Worker logs is read, since a full pipe would stop it, and dropped.
    onLog: () => undefined,
  });
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
  const { config, entry } = options;
  return { options, module: await buildWorker({ config, entry, folder }) };
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
