/**
 * `npm run bench -- --flat`: what a ledger costs that has a past. Ledgers with 10^3 to 10^6 transactions, all of them on one
 * balance, are asked the same, in turns, one request at a time.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Client } from "./flat-client.ts";
import type { ColdFindings, FlatFindings, MeasureName } from "./flat-report.ts";
import { type Built, build, type Host, type HostOptions, host, serveBuilt } from "./host.ts";
import { type Past, REJECTED, writePast } from "./past.ts";
import { Wallets } from "./wallets.ts";

const NAME = "flat";
const SMALLEST = 1_000;
const OTHERS = 10;
/** Transactions between two balances that hardly anything has happened to. */
const QUIET = 40;
const WARM_UP = 60;
const PER_ROUND = 25;
const SETTLE_IN = 2;

/** What to run, and how long. */
export interface FlatOptions {
  readonly folder: string;
  readonly purser: HostOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly restarts: number;
  /** Transactions in the largest ledger. */
  readonly largest: number;
}

/** The balances of a ledger, by what happened to them. */
interface Cast {
  /** One side of all transactions of the past. */
  readonly old: string;
  readonly others: readonly string[];
  /** Has a few transactions. */
  readonly quiet: string;
  readonly partner: string;
}

/** Measures all sizes. Throws when an answer is not the one that was expected. */
export async function measureFlat(options: FlatOptions): Promise<FlatFindings> {
  const sizes: number[] = [];
  for (let size = SMALLEST; size <= options.largest; size *= 10) sizes.push(size);
  const { cast, built } = await makeLedgers(options, sizes);
  const warm = await measureWarm(options, { sizes, cast, built });
  const cold = await measureCold(options, { sizes, cast, built });
  return { sizes, ...warm, cold };
}

interface Ledgers {
  readonly sizes: readonly number[];
  readonly cast: Cast;
  readonly built: Built;
}

const placeOf = ({ folder }: FlatOptions, size: number) => join(folder, `ledger-${size}`);

/** One small ledger through the API; its copies get their pasts. */
async function makeLedgers(
  options: FlatOptions,
  sizes: readonly number[],
): Promise<{ cast: Cast; built: Built }> {
  const { folder, purser, headers } = options;
  const server = await host(folder, NAME, purser);
  const wallets = await Wallets.create(server.port, headers, OTHERS + 3);
  const [old = "", quiet = "", partner = "", ...others] = wallets.ids;
  const cast: Cast = { old, others, quiet, partner };
  const client = new Client(server, headers);
  for (let at = 0; at < QUIET; at += 1) {
    await client.ask(client.transfer(quiet, partner, `quiet-${at}`), "201");
  }
  await client.ask(client.transfer(old, others[0] ?? "", "outgoing"), "201");
  await client.ask(client.transfer(others[0] ?? "", old, "incoming"), "201");
  await client.ask(client.transfer(old, others[0] ?? "", "rejected", { amount: 10 ** 12 }), "201");
  await wallets.recorded();
  await client.rejected("rejected");
  client.close();
  await server.close();

  const built = await build(purser, join(folder, "built"));
  for (const size of sizes) {
    const place = placeOf(options, size);
    cpSync(join(folder, NAME, "state"), join(place, "state"), { recursive: true });
    const templates = { outgoing: "outgoing", incoming: "incoming", rejected: "rejected" };
    const past: Past = { transactions: size, balanceId: old, others, ...templates };
    const started = performance.now();
    writePast(place, past);
    console.error(`${size} transactions written in ${seconds(performance.now() - started)}`);
  }
  rmSync(join(folder, NAME), { recursive: true });
  return { cast, built };
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** A ledger that is being asked. */
interface Target {
  readonly server: Host;
  readonly client: Client;
}

async function measureWarm(
  options: FlatOptions,
  ledgers: Ledgers,
): Promise<Pick<FlatFindings, "measures" | "memoryMb">> {
  const { sizes, cast } = ledgers;
  const targets: Target[] = [];
  try {
    for (const size of sizes) targets.push(await open(options, ledgers, size));
    const asks = asksOf(cast);
    const measures = asks.map(({ name, what }) => {
      return { name, what, timesMs: sizes.map((): number[] => []) };
    });
    for (const { client } of targets) {
      for (const { ask } of asks) await client.time(ask, WARM_UP);
    }
    const before = targets.map(({ server }) => server.memoryMb());
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [number, { ask }] of asks.entries()) {
        for (let turn = 0; turn < targets.length; turn += 1) {
          // None of them is always the first.
          const at = (turn + round) % targets.length;
          await targets[at]?.client.time(ask, SETTLE_IN);
          const times = await targets[at]?.client.time(ask, PER_ROUND);
          measures[number]?.timesMs[at]?.push(...(times ?? []));
        }
      }
      console.error(`round ${round + 1} of ${options.rounds}`);
    }
    const after = targets.map(({ server }) => server.memoryMb());
    return { measures, memoryMb: { before, after } };
  } finally {
    for (const { client, server } of targets) {
      client.close();
      await server.close();
    }
  }
}

/** Serves a ledger, and looks whether its past is as it should be. */
async function open(options: FlatOptions, { cast, built }: Ledgers, size: number): Promise<Target> {
  const server = await serveBuilt(built, placeOf(options, size), NAME);
  const client = new Client(server, options.headers);
  // Each balance once: their records learn what was written past the server.
  for (const other of cast.others) {
    await client.ask(client.transfer(cast.old, other, client.fresh()), "201");
  }
  if (size === SMALLEST) await client.expectSound();
  await client.expectTotal(size);
  return { server, client };
}

/** The first request to an object after a restart, with a Worker that has answered before: what a past costs to wake. */
async function measureCold(
  options: FlatOptions,
  { sizes, cast, built }: Ledgers,
): Promise<ColdFindings> {
  const [smallest = 0, largest = 0] = [sizes[0], sizes.at(-1)];
  const readMs: [number[], number[]] = [[], []];
  const transferMs: [number[], number[]] = [[], []];
  for (let restart = 0; restart < options.restarts; restart += 1) {
    for (const [at, size] of [smallest, largest].entries()) {
      const server = await serveBuilt(built, placeOf(options, size), NAME);
      const client = new Client(server, options.headers);
      const read = (id: string) => client.time(() => client.read(id), 1);
      for (let warm = 0; warm < 5; warm += 1) await read(cast.quiet);
      readMs[at]?.push(...(await read(cast.old)));
      const transfer = () => client.transfer(cast.old, cast.others[0] ?? "", client.fresh());
      transferMs[at]?.push(...(await client.time(transfer, 1)));
      client.close();
      await server.close();
    }
  }
  return { readMs, transferMs };
}

type Ask = (client: Client) => string;

/** What is asked of each ledger. */
function asksOf(cast: Cast): readonly { name: MeasureName; what: string; ask: Ask }[] {
  const filter = (client: Client, conditions: readonly object[]) => client.filter(conditions);
  const equal = (field: string, value: string) => ({ field, operator: "eq", value });
  return [
    {
      name: "transfer",
      what: "skip_queue, from the old balance",
      ask: (client) => client.transfer(cast.old, client.next(cast.others), client.fresh()),
    },
    { name: "read", what: "GET /balances/{id}", ask: (client) => client.read(cast.old) },
    {
      name: "statement",
      what: "GET /transactions?balance_id_eq=, 20 rows",
      ask: (client) => client.list(`?balance_id_eq=${cast.old}&limit=20`),
    },
    {
      name: "statement_middle",
      what: "the same, by cursor from its middle",
      ask: (client) => client.list(`?balance_id_eq=${cast.old}&limit=20&cursor=${client.middle}`),
    },
    {
      name: "quiet_statement",
      what: `of a balance with ${QUIET} transactions`,
      ask: (client) => client.list(`?balance_id_eq=${cast.quiet}&limit=20`),
    },
    {
      name: "list",
      what: "GET /transactions, 20 rows",
      ask: (client) => client.list("?limit=20"),
    },
    {
      name: "filter",
      what: "by status APPLIED and currency",
      ask: (client) => filter(client, [equal("status", "APPLIED"), equal("currency", "USD")]),
    },
    {
      name: "filter_rare",
      what: `by status REJECTED: the ${REJECTED} oldest`,
      ask: (client) => filter(client, [equal("status", "REJECTED")]),
    },
    {
      name: "filter_holds",
      what: "by inflight_remaining > 0: none",
      ask: (client) => filter(client, [{ field: "inflight_remaining", operator: "gt", value: 0 }]),
    },
    {
      name: "filter_period",
      what: "by source, and a minute in the middle",
      ask: (client) => filter(client, [equal("source", cast.old), client.minute]),
    },
    {
      name: "filter_reference",
      what: "by reference",
      ask: (client) => filter(client, [equal("reference", "past-500")]),
    },
  ];
}
