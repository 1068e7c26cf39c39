/**
 * `npm run bench [-- --json] [-- --clients=N] [-- --seconds=N] [-- --rounds=N] [-- --shards=N]`: Purser beside the bare Worker, in the same run on the
 * same machine, so that the ratio tells something where the figures alone do not. `-- --flat [-- --largest=N]`: a ledger
 * with a long past beside one with a short. `-- --overload`: what others notice of a flood on one balance.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { scratchFolder } from "../scripts/scratch.ts";
import { type FlatOptions, measureFlat } from "./flat.ts";
import { printFlatJson, printFlatTable } from "./flat-report.ts";
import { type Host, host, type Load, startLoad } from "./host.ts";
import { measureOverload, printOverload, printOverloadJson } from "./overload.ts";
import type { LoadOrder, LoadReport } from "./protocol.ts";
import {
  type BulkFindings,
  type BulkTurn,
  type Findings,
  type ModeName,
  printJson,
  printTable,
  progress,
  type Sample,
} from "./report.ts";
import { perTransfer } from "./rows.ts";
import { Wallets } from "./wallets.ts";

const walletCount = 100;
/** Each mode once before anything is measured, long enough for the engine to have compiled what is hot; and a little before each. */
const warmUpMs = 6_000;
const settleInMs = 2_000;
const countedMs = 2_000;
const bulkItems = 10_000;
const bulkRounds = 3;
const flatRestarts = 9;

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    overload: { type: "boolean", default: false },
    clients: { type: "string" },
    seconds: { type: "string" },
    rounds: { type: "string" },
    // A small instance: all shards of a local server share one thread, so more of them only divide its batches.
    shards: { type: "string", default: "4" },
    flat: { type: "boolean", default: false },
    largest: { type: "string", default: "1000000" },
  },
});
// Short turns: on a machine that others use as well its speed changes within seconds, and both Workers are to meet the same. Those of queued modes
// are twice as long: until the last is applied the clock runs, and how long one waits is not how many are done.
const seconds = Number(options.seconds ?? (options.overload ? "5" : "3"));
const durationMs = seconds * 1_000;
const connections = Number(options.clients ?? (options.overload ? "256" : "32"));
const rounds = Number(options.rounds ?? (options.flat ? "12" : options.overload ? "3" : "7"));
const masterKey = randomBytes(24).toString("hex");
const headers = { "X-Blnk-Key": masterKey };
const variables = { PURSER_MASTER_KEY: masterKey };
const purser = { config: "wrangler.toml", variables, shards: Number(options.shards) };

/** One server under load, with the names of its balances. */
interface Target {
  readonly name: "purser" | "bare";
  readonly host: Host;
  readonly ids: readonly string[];
  readonly wallets: Wallets | undefined;
}

const modes = [
  "skip",
  "hot",
  "queued",
  "hot_queued",
  "read",
] as const satisfies readonly ModeName[];

const folder = scratchFolder("bench");
// SQLite writes there what a statement may have to take back.
process.env.TMPDIR = folder.path;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(1));
const storage = `storage ${folder.inMemory ? "in memory" : "on disk"}`;
try {
  if (options.flat) await runFlat();
  else if (options.overload) await runOverload();
  else await runModes();
} finally {
  folder.remove();
}

async function runOverload(): Promise<void> {
  const server = await host(folder.path, "purser", purser);
  try {
    const terms = { headers, clients: connections, rounds, durationMs };
    const findings = await measureOverload(server, terms);
    if (options.json) printOverloadJson(findings);
    else printOverload(findings);
    if (!findings.conserved) process.exitCode = 1;
  } finally {
    await server.close();
  }
}

async function runModes(): Promise<void> {
  const load = startLoad();
  try {
    const { samples, bulk, conserved } = await measure(load);
    const counted = await count(load);
    const findings = {
      samples,
      bulk,
      used: counted.used,
      conserved: conserved && counted.conserved,
    };
    const conditions = `${connections} clients, ${walletCount} balances, ${options.shards} journal shards, ${rounds} rounds of ${seconds} s, ${storage}`;
    if (options.json) printJson(findings);
    else printTable({ ...findings, conditions });
    if (!findings.conserved) process.exitCode = 1;
  } finally {
    load.close();
  }
}

async function runFlat(): Promise<void> {
  const how: FlatOptions = {
    folder: folder.path,
    purser,
    headers,
    rounds,
    restarts: flatRestarts,
    largest: Number(options.largest),
  };
  const findings = await measureFlat(how);
  const conditions = `one client, one request at a time, ${options.shards} journal shards, ${rounds} rounds, ${storage}`;
  if (options.json) printFlatJson(findings);
  else printFlatTable({ ...findings, conditions });
}

/** All modes on both Workers, in turns, so that a busy moment of the machine hits both. */
async function measure(
  load: Load,
): Promise<{ samples: Sample[]; bulk: BulkFindings; conserved: boolean }> {
  const bareIds = Array.from({ length: walletCount }, (_, index) => `wallet-${index}`);
  const bareHost = await host(folder.path, "bare", { config: "bench/bare.toml", variables });
  const purserHost = await host(folder.path, "purser", purser);
  const wallets = await Wallets.create(purserHost.port, headers, walletCount);
  const bare: Target = { name: "bare", host: bareHost, ids: bareIds, wallets: undefined };
  const ours: Target = { name: "purser", host: purserHost, ids: wallets.ids, wallets };

  const samples: Sample[] = [];
  const warmUp = async (mode: ModeName, name: string, forMs: number) => {
    for (const target of [bare, ours]) await once(load, target, mode, `${mode}-${name}`, { forMs });
  };
  for (const mode of modes) await warmUp(mode, "warm-up", warmUpMs);
  for (const mode of modes) {
    await warmUp(mode, "settle-in", settleInMs);
    for (let round = 1; round <= rounds; round++) {
      for (const target of [bare, ours]) {
        const forMs = durationMs * (mode.includes("queued") ? 2 : 1);
        const sample = await once(load, target, mode, `${mode}-${round}`, { forMs });
        samples.push(sample);
        progress(sample);
      }
    }
  }
  const bulk = await bulkTurns(load, ours, wallets);
  const conserved = await wallets.conserved();
  await Promise.all([bareHost.close(), purserHost.close()]);
  return { samples, bulk, conserved };
}

/** The largest batch that there is, in one call, in turns with clients that send such items one by one: all of them, and one alone. */
async function bulkTurns(load: Load, target: Target, wallets: Wallets): Promise<BulkFindings> {
  const turns: BulkTurn[] = [];
  for (let turn = 1; turn <= bulkRounds; turn++) {
    const singles = async (by: number) => {
      const stretch = { forMs: durationMs, by };
      return (await once(load, target, "queued", `${by}-beside-bulk-${turn}`, stretch)).perSecond;
    };
    const all = await singles(connections);
    turns.push({ all, one: await singles(1), ...(await oneBulk(load, target, wallets, turn)) });
  }
  return { items: bulkItems, turns };
}

async function oneBulk(
  load: Load,
  { host: { port, memoryMb }, ids }: Target,
  wallets: Wallets,
  turn: number,
) {
  const before = memoryMb();
  let largest = before;
  const watch = setInterval(() => {
    largest = Math.max(largest, memoryMb());
  }, 200);
  const report = await load.run({
    port,
    headers,
    connections: 1,
    durationMs: 1,
    work: { kind: "bulk", balances: ids, items: bulkItems, prefix: `bench-bulk-${turn}` },
  });
  wallets.expect(report);
  const elapsedMs = (await wallets.appliedAt()) - report.startedAt;
  clearInterval(watch);
  await wallets.recorded();
  const perSecond = (bulkItems * acceptedOf(report)) / (elapsedMs / 1_000);
  return { perSecond, grownMb: largest - before };
}

/** How long, and by how many clients. */
interface Stretch {
  readonly forMs: number;
  readonly by?: number;
}

/**
 * One stretch of load. What was queued counts once it is applied: until then the clock runs. When that was, the balances tell: to
 * ask them all takes the server a quarter of a second.
 */
async function once(
  load: Load,
  target: Target,
  mode: ModeName,
  prefix: string,
  stretch: Stretch,
): Promise<Sample> {
  const report = await load.run(orderFor(target, mode, prefix, stretch));
  target.wallets?.expect(report);
  const appliedAt = mode.includes("queued") ? await target.wallets?.appliedAt() : undefined;
  const elapsedMs = appliedAt === undefined ? report.elapsedMs : appliedAt - report.startedAt;
  await target.wallets?.recorded();
  const accepted = acceptedOf(report);
  const { p50Ms, p99Ms, statuses } = report;
  return {
    mode,
    target: target.name,
    perSecond: accepted / (elapsedMs / 1_000),
    p50Ms,
    p99Ms,
    statuses,
  };
}

function orderFor(
  target: Target,
  mode: ModeName,
  prefix: string,
  { forMs, by = connections }: Stretch,
): LoadOrder {
  const common = { port: target.host.port, connections: by, durationMs: forMs, headers };
  if (mode === "read") return { ...common, work: { kind: "read", balances: target.ids } };
  const hot = mode.startsWith("hot");
  return {
    ...common,
    work: {
      kind: "transfer",
      sources: hot ? target.ids.slice(0, 1) : target.ids,
      destinations: target.ids,
      skipQueue: !mode.includes("queued"),
      prefix: `bench-${prefix}`,
    },
  };
}

/** A short phase on a Worker with counters: figures only, no times. */
async function count(load: Load): Promise<{ used: Findings["used"]; conserved: boolean }> {
  const counting = { ...purser, entry: "bench/counting-worker.ts" };
  const countingHost = await host(folder.path, "counting", counting);
  const wallets = await Wallets.create(countingHost.port, headers, walletCount);
  const target: Target = { name: "purser", host: countingHost, ids: wallets.ids, wallets };
  const perMode = async (mode: "skip" | "queued") => {
    await wallets.recorded();
    const before = await wallets.counters();
    const report = await load.run(orderFor(target, mode, `counted-${mode}`, { forMs: countedMs }));
    wallets.expect(report);
    await wallets.settled();
    await wallets.recorded();
    return perTransfer(before, await wallets.counters(), acceptedOf(report));
  };
  const used = { skip: await perMode("skip"), queued: await perMode("queued") };
  const conserved = await wallets.conserved();
  await countingHost.close();
  return { used, conserved };
}

/** How many requests were answered with success. */
function acceptedOf({ statuses }: LoadReport): number {
  const accepted = Object.entries(statuses).filter(([status]) => status.startsWith("2"));
  return accepted.reduce((sum, [, count]) => sum + count, 0);
}
