import { type Cost, costOf } from "./cost.ts";
import { median } from "./median.ts";
import { type Counters, rowsOf } from "./rows.ts";

export type ModeName = "skip" | "hot" | "queued" | "hot_queued" | "read";

/** One stretch of load on one Worker. */
export interface Sample {
  readonly mode: ModeName;
  readonly target: "purser" | "bare";
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** The largest batch in one call, and beside it clients that send single calls: items in a second, until the last is applied. */
export interface BulkTurn {
  readonly perSecond: number;
  /** Of all clients. */
  readonly all: number;
  /** Of one client. */
  readonly one: number;
  /** Megabytes by which the server's process grew meanwhile. */
  readonly grownMb: number;
}

export interface BulkFindings {
  readonly items: number;
  readonly turns: readonly BulkTurn[];
}

/** Everything that a run found. */
export interface Findings {
  readonly samples: readonly Sample[];
  readonly bulk: BulkFindings;
  /** What one transfer counted. */
  readonly used: { readonly skip: Counters; readonly queued: Counters };
  readonly conserved: boolean;
}

interface ModeFigures {
  readonly per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly ratio_to_bare: number;
  readonly p99_to_p50: number;
  readonly p99_to_p50_of_bare: number;
}

const descriptions: Readonly<Record<ModeName, string>> = {
  skip: "skip_queue, between all balances",
  hot: "skip_queue, one source",
  queued: "queued, between all balances, until applied",
  hot_queued: "queued, one source, until applied",
  read: "GET /balances/{id}",
};

/** A line while the run goes on, beside its results. */
export function progress({ mode, target, perSecond, statuses }: Sample): void {
  const answers = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`);
  console.error(`${mode} ${target}: ${Math.round(perSecond)}/s (${answers.join(", ")})`);
}

/** One line for machines. Rows are those of a transfer with `skip_queue`. */
export function printJson({ samples, bulk, used, conserved }: Findings): void {
  const modes = Object.fromEntries(modesOf(samples).map((mode) => [mode, figures(samples, mode)]));
  const rowsPerTransfer = rounded(rowsOf(used.skip), 2);
  console.log(
    JSON.stringify({
      modes,
      bulk: bulkFigures(bulk),
      rows_written_per_transfer: rowsPerTransfer,
      dollars_per_million: {
        skip: rounded(cost(samples, used, "skip").all, 2),
        queued: rounded(cost(samples, used, "queued").all, 2),
      },
      conserved,
    }),
  );
}

/** A page for people. */
export function printTable(findings: Findings & { readonly conditions: string }): void {
  const { samples, bulk, used, conserved, conditions } = findings;
  console.log(`\n${conditions}\n`);
  const bareOnes = ["bare p99/p50", "bare per s"];
  console.log(line(["mode", "per s", "p50 ms", "p99/p50", ...bareOnes, "ratio", "what"]));
  for (const mode of modesOf(samples)) {
    const { per_s, p50_ms, p99_to_p50, p99_to_p50_of_bare, ratio_to_bare } = figures(samples, mode);
    const bare = Math.round(medianOf(samples, mode, "bare", "perSecond"));
    const ours = [per_s, p50_ms, p99_to_p50];
    const what = descriptions[mode];
    console.log(line([mode, ...ours, p99_to_p50_of_bare, bare, ratio_to_bare, what]));
  }
  console.log(`\nOne call of ${bulk.items} queued items, until applied: ${bulkLine(bulk)}`);
  for (const mode of ["skip", "queued"] as const) {
    const { balances, journal, d1, alarms } = used[mode];
    const rows = Object.entries({ balances, journal, D1: d1, alarms });
    console.log(
      `\n${mode}: rows written per transfer ${rounded(rowsOf(used[mode]), 2)} (${parts(rows)})`,
    );
    const { all, ...lines } = cost(samples, used, mode);
    console.log(
      `  dollars per million transfers ${rounded(all, 2)} (${parts(Object.entries(lines))})`,
    );
  }
  console.log(`\nMoney was ${conserved ? "" : "NOT "}conserved.`);
}

const parts = (figures: readonly (readonly [string, number])[]): string =>
  figures.map(([name, figure]) => `${name} ${rounded(figure, 2)}`).join(", ");

/** The server is one thread that is kept busy, so what it takes for a transfer is at most the time between two. */
function cost(samples: readonly Sample[], used: Findings["used"], mode: "skip" | "queued"): Cost {
  const cpuMs = 1_000 / medianOf(samples, mode, "purser", "perSecond");
  return costOf({ ...used[mode], cpuMs });
}

function bulkLine(bulk: BulkFindings): string {
  const { per_s, ratio_to_queued, ratio_to_one_client, rss_growth_mb } = bulkFigures(bulk);
  const single = `${ratio_to_queued} times single calls of all clients, ${ratio_to_one_client} times those of one`;
  return `${per_s} items/s, ${single}; the process grew by ${rss_growth_mb} MB.`;
}

/** Medians over the turns, but of memory the most. */
const bulkFigures = ({ items, turns }: BulkFindings) => ({
  items,
  per_s: Math.round(median(turns.map(({ perSecond }) => perSecond))),
  ratio_to_queued: rounded(median(turns.map(({ perSecond, all }) => perSecond / all)), 2),
  ratio_to_one_client: rounded(median(turns.map(({ perSecond, one }) => perSecond / one)), 2),
  rss_growth_mb: Math.round(Math.max(...turns.map(({ grownMb }) => grownMb))),
});

/** Medians over the rounds, so that one disturbed round decides nothing. */
const figures = (samples: readonly Sample[], mode: ModeName): ModeFigures => ({
  per_s: Math.round(medianOf(samples, mode, "purser", "perSecond")),
  p50_ms: rounded(medianOf(samples, mode, "purser", "p50Ms"), 1),
  p99_ms: rounded(medianOf(samples, mode, "purser", "p99Ms"), 1),
  ratio_to_bare: rounded(ratioToBare(samples, mode), 2),
  p99_to_p50: rounded(tailOf(samples, mode, "purser"), 1),
  p99_to_p50_of_bare: rounded(tailOf(samples, mode, "bare"), 1),
});

/** The median of what each round says: how much longer the slowest hundredth takes than half of them. */
const tailOf = (samples: readonly Sample[], mode: ModeName, target: Sample["target"]): number =>
  median(samplesOf(samples, mode, target).map(({ p50Ms, p99Ms }) => p99Ms / p50Ms));

/** The median of what each round says: its two stretches came one right after the other. */
function ratioToBare(samples: readonly Sample[], mode: ModeName): number {
  const bare = samplesOf(samples, mode, "bare");
  return median(
    samplesOf(samples, mode, "purser").map(
      ({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? Number.NaN),
    ),
  );
}

function medianOf(
  samples: readonly Sample[],
  mode: ModeName,
  target: Sample["target"],
  field: "perSecond" | "p50Ms" | "p99Ms",
): number {
  return median(samplesOf(samples, mode, target).map((sample) => sample[field]));
}

const samplesOf = (
  samples: readonly Sample[],
  mode: ModeName,
  target: Sample["target"],
): readonly Sample[] =>
  samples.filter((sample) => sample.mode === mode && sample.target === target);

const modesOf = (samples: readonly Sample[]) => [...new Set(samples.map(({ mode }) => mode))];

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function line(cells: readonly (string | number)[]): string {
  return cells
    .map((cell) => String(cell).padEnd(14))
    .join("")
    .trimEnd();
}
