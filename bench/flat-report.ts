export type MeasureName =
  | "transfer"
  | "read"
  | "statement"
  | "statement_middle"
  | "quiet_statement"
  | "list"
  | "filter"
  | "filter_rare"
  | "filter_holds"
  | "filter_period"
  | "filter_reference";

/** How long a request took on each ledger. */
export interface FlatMeasure {
  readonly name: MeasureName;
  readonly what: string;
  /** Milliseconds, by size in the order of the sizes. */
  readonly timesMs: readonly (readonly number[])[];
}

/** First requests after a restart, in milliseconds: to the smallest ledger, and to the largest. */
export interface ColdFindings {
  readonly readMs: readonly [readonly number[], readonly number[]];
  readonly transferMs: readonly [readonly number[], readonly number[]];
}

/** Everything that `--flat` found. */
export interface FlatFindings {
  /** Transactions in each ledger. */
  readonly sizes: readonly number[];
  readonly measures: readonly FlatMeasure[];
  /** What each server's process held before and after the rounds. */
  readonly memoryMb: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly cold: ColdFindings;
}

/** One line for machines. A ratio is that of the medians of the largest and the smallest ledger. */
export function printFlatJson({ sizes, measures, memoryMb, cold }: FlatFindings): void {
  const flat = Object.fromEntries(
    measures.map(({ name, timesMs }) => [
      name,
      {
        p50_ms: timesMs.map((times) => rounded(quantile(times, 0.5), 2)),
        p95_ms: timesMs.map((times) => rounded(quantile(times, 0.95), 2)),
        ratio: rounded(ratioOf(timesMs, 0.5), 2),
      },
    ]),
  );
  const rss = {
    rss_ratio: rounded(
      ratioOf(
        memoryMb.after.map((each) => [each]),
        0.5,
      ),
      2,
    ),
    rss_mb: memoryMb.after.map(Math.round),
    rss_growth_mb: memoryMb.after.map((after, at) =>
      Math.round(after - (memoryMb.before[at] ?? after)),
    ),
  };
  const cold_start_ms = { read: coldOf(cold.readMs), transfer: coldOf(cold.transferMs) };
  console.log(JSON.stringify({ sizes, flat, ...rss, cold_start_ms }));
}

/** A page for people. */
export function printFlatTable(findings: FlatFindings & { readonly conditions: string }): void {
  const { sizes, measures, memoryMb, cold, conditions } = findings;
  console.log(`\n${conditions}\n`);
  console.log(line(["median ms (p95)", ...sizes, "ratio", "of p95", "what"]));
  for (const { name, what, timesMs } of measures) {
    const cells = timesMs.map(
      (times) => `${quantile(times, 0.5).toFixed(2)} (${quantile(times, 0.95).toFixed(1)})`,
    );
    const ratios = [0.5, 0.95].map((share) => ratioOf(timesMs, share).toFixed(2));
    console.log(line([name, ...cells, ...ratios, what]));
  }
  const memory = memoryMb.after.map(
    (after, at) => `${Math.round(after)} (+${Math.round(after - (memoryMb.before[at] ?? after))})`,
  );
  const memoryRatio = ratioOf(
    memoryMb.after.map((each) => [each]),
    0.5,
  ).toFixed(2);
  console.log(line(["memory MB", ...memory, memoryRatio, "", "after all rounds (grown in them)"]));
  const [read, transfer] = [cold.readMs, cold.transferMs].map(coldLine);
  console.log(
    `\nFirst request after a restart, smallest and largest: read ${read}; transfer ${transfer}.`,
  );
}

/** The first request to the largest ledger, and how much more that is than to the smallest, in milliseconds. */
const coldOf = (found: ColdFindings["readMs"]) => ({
  largest: rounded(quantile(found[1], 0.5), 1),
  more: rounded(slowerBy(found), 1),
});

const coldLine = (found: ColdFindings["readMs"]): string =>
  `${quantile(found[0], 0.5).toFixed(1)} and ${quantile(found[1], 0.5).toFixed(1)} ms (${slowerBy(found).toFixed(1)} ms more)`;

/** By how many milliseconds the largest is slower, in the median. */
const slowerBy = ([small, large]: ColdFindings["readMs"]): number =>
  quantile(large, 0.5) - quantile(small, 0.5);

/** What the largest takes, by what the smallest takes. */
const ratioOf = (timesMs: FlatMeasure["timesMs"], share: number): number =>
  quantile(timesMs.at(-1) ?? [], share) / quantile(timesMs[0] ?? [], share);

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const line = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell) => String(cell).padEnd(18))
    .join("")
    .trimEnd();
