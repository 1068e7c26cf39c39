/**
 * `npm run bench -- --overload [-- --clients=N]`: what one client of two quiet balances notices while many want one hot
 * balance, more than it can take. Both sides come from processes of their own.
 */
import { type Host, type Load, startLoad } from "./host.ts";
import { median } from "./median.ts";
import type { LoadOrder, LoadReport } from "./protocol.ts";
import { Wallets } from "./wallets.ts";

const walletCount = 100;
const quietEveryMs = 20;
/** How long a flood runs before the quiet client comes. */
const leadMs = 5_000;
const warmUpMs = 6_000;
const warmUpClients = 32;

/** What clients of the hot balance do. */
interface Flood {
  readonly name: string;
  readonly what: string;
  readonly skipQueue: boolean;
  readonly manners: "heeds" | "ignores";
}

const floods: readonly Flood[] = [
  {
    name: "heeds",
    what: "skip_queue, comes again after Retry-After",
    skipQueue: true,
    manners: "heeds",
  },
  {
    name: "ignores",
    what: "skip_queue, comes again at once",
    skipQueue: true,
    manners: "ignores",
  },
  {
    name: "queued",
    what: "queued, comes again after Retry-After",
    skipQueue: false,
    manners: "heeds",
  },
];

/** What the quiet client noticed of a flood, and what became of the flood. */
interface FloodSample {
  readonly name: string;
  readonly quiet: LoadReport;
  readonly flood: LoadReport;
  /** From the last answer of the flood until a transfer of the hot balance was accepted. */
  readonly hotAgainMs: number;
  /** From the last answer of the flood until all that was accepted was in its balances. */
  readonly appliedMs: number;
}

export interface OverloadFindings {
  readonly idle: readonly LoadReport[];
  readonly samples: readonly FloodSample[];
  readonly conserved: boolean;
}

interface Terms {
  readonly headers: Readonly<Record<string, string>>;
  /** Of the flood. */
  readonly clients: number;
  readonly rounds: number;
  /** How long the quiet client is watched each time. */
  readonly durationMs: number;
}

/** Both sides of the bench, and their balances. */
class Scene {
  readonly #host: Host;
  readonly #terms: Terms;
  readonly #quiet: Load = startLoad();
  readonly #flood: Load = startLoad();
  readonly #wallets: Wallets;
  #runs = 0;

  private constructor(host: Host, terms: Terms, wallets: Wallets) {
    this.#host = host;
    this.#terms = terms;
    this.#wallets = wallets;
  }

  static async create(host: Host, terms: Terms): Promise<Scene> {
    const wallets = await Wallets.create(host.port, { ...terms.headers }, walletCount);
    return new Scene(host, terms, wallets);
  }

  /** The quiet client, alone or beside what else is going on. */
  async quietly(): Promise<LoadReport> {
    const [, from = "", to = ""] = this.#wallets.ids;
    const report = await this.#quiet.run({
      ...this.#order({ sources: [from], destinations: [to], skipQueue: true }),
      connections: 1,
      everyMs: quietEveryMs,
    });
    this.#wallets.expect(report);
    return report;
  }

  async flooded(flood: Flood): Promise<FloodSample> {
    const running = this.#run(flood, { forMs: leadMs + this.#terms.durationMs });
    await new Promise((later) => setTimeout(later, leadMs));
    const quiet = await this.quietly();
    const report = await running;
    const endedAt = performance.now();
    await this.#run(flood, { forMs: 1, by: 1 });
    const hotAgainMs = performance.now() - endedAt;
    await this.#wallets.settled();
    const appliedMs = performance.now() - endedAt;
    await this.#wallets.recorded();
    return { name: flood.name, quiet, flood: report, hotAgainMs, appliedMs };
  }

  async warmUp(flood: Flood): Promise<void> {
    await this.#run(flood, { forMs: warmUpMs, by: warmUpClients });
    await this.#wallets.settled();
    await this.#wallets.recorded();
  }

  conserved(): Promise<boolean> {
    return this.#wallets.conserved();
  }

  close(): void {
    this.#quiet.close();
    this.#flood.close();
  }

  /** Clients of the hot balance. */
  async #run(
    { skipQueue, manners }: Flood,
    { forMs, by = this.#terms.clients }: { readonly forMs: number; readonly by?: number },
  ): Promise<LoadReport> {
    const [hot = "", , , ...others] = this.#wallets.ids;
    const order = this.#order({ sources: [hot], destinations: others, skipQueue });
    const report = await this.#flood.run({
      ...order,
      connections: by,
      durationMs: forMs,
      manners,
    });
    this.#wallets.expect(report);
    return report;
  }

  #order(work: {
    readonly sources: readonly string[];
    readonly destinations: readonly string[];
    readonly skipQueue: boolean;
  }): Omit<LoadOrder, "connections"> {
    this.#runs += 1;
    return {
      port: this.#host.port,
      headers: this.#terms.headers,
      durationMs: this.#terms.durationMs,
      work: { kind: "transfer", prefix: `overload-${this.#runs}`, ...work },
    };
  }
}

/** Measures the quiet client alone and beside each flood, in turns. */
export async function measureOverload(host: Host, terms: Terms): Promise<OverloadFindings> {
  const scene = await Scene.create(host, terms);
  try {
    for (const flood of floods) await scene.warmUp(flood);
    await scene.quietly();
    const idle: LoadReport[] = [];
    const samples: FloodSample[] = [];
    for (let round = 1; round <= terms.rounds; round++) {
      idle.push(await scene.quietly());
      for (const flood of floods) {
        const sample = await scene.flooded(flood);
        samples.push(sample);
        console.error(
          `${flood.name}: ${answersOf(sample.flood)}; quiet ${answersOf(sample.quiet)}`,
        );
      }
    }
    return { idle, samples, conserved: await scene.conserved() };
  } finally {
    scene.close();
  }
}

const answersOf = ({ statuses }: LoadReport): string =>
  Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");

/** What one flood comes to: medians over the rounds, counts of all of them. */
function figuresOf({ idle, samples }: OverloadFindings, name: string) {
  const mine = samples.filter((sample) => sample.name === name);
  const over = (figure: (sample: FloodSample) => number) => median(mine.map(figure));
  const sum = (figure: (sample: FloodSample) => number) =>
    mine.reduce((total, sample) => total + figure(sample), 0);
  const idleP50 = median(idle.map(({ p50Ms }) => p50Ms));
  const idleP99 = median(idle.map(({ p99Ms }) => p99Ms));
  return {
    quiet_p50_ratio: Number((over(({ quiet }) => quiet.p50Ms) / idleP50).toFixed(1)),
    quiet_p99_ratio: Number((over(({ quiet }) => quiet.p99Ms) / idleP99).toFixed(1)),
    quiet_turned_away: sum(({ quiet }) => quiet.statuses["503"] ?? 0),
    accepted: sum(({ flood }) => flood.statuses["201"] ?? 0),
    turned_away: sum(({ flood }) => flood.statuses["503"] ?? 0),
    without_retry_after: sum(({ flood, quiet }) => flood.unadvised + quiet.unadvised),
    hot_again_ms: Math.round(over(({ hotAgainMs }) => hotAgainMs)),
    applied_ms: Math.round(over(({ appliedMs }) => appliedMs)),
  };
}

/** One line for machines. */
export function printOverloadJson(findings: OverloadFindings): void {
  const figures = floods.map(({ name }) => [name, figuresOf(findings, name)]);
  const idleMs = findings.idle.map(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]);
  const { conserved } = findings;
  console.log(
    JSON.stringify({ overload: Object.fromEntries(figures), idle_ms: idleMs, conserved }),
  );
}

/** A page for people. */
export function printOverload(findings: OverloadFindings): void {
  const restlessness = median(findings.idle.map(({ p50Ms, p99Ms }) => p99Ms / p50Ms));
  console.log(`\nThe quiet client alone: p99 ${restlessness.toFixed(1)} times its p50`);
  for (const { name, what } of floods) {
    const figures = figuresOf(findings, name);
    console.log(`\n${name}: ${what}`);
    console.log(
      `  quiet client: p50 ${figures.quiet_p50_ratio} times idle, p99 ${figures.quiet_p99_ratio} times; ${figures.quiet_turned_away} turned away`,
    );
    console.log(
      `  flood: ${figures.accepted} accepted, ${figures.turned_away} turned away (${figures.without_retry_after} without Retry-After)`,
    );
    console.log(
      `  afterwards: the hot balance took the next after ${figures.hot_again_ms} ms, all was applied after ${figures.applied_ms} ms`,
    );
  }
  console.log(`\nMoney was ${findings.conserved ? "" : "NOT "}conserved.`);
}
