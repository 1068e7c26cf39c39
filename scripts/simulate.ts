/**
 * Plays random histories with random faults against the real objects, D1 and consumers, and checks all that clients were
 * told and all that is left: `npm run simulate -- [--seed N] [--minutes M | --seeds K]`. The same seed is the same plan. A seed
 * that breaks a law is shrunk and told, and the exit code is 1.
 *
 * `npm run simulate -- --canary [WORD]` breaks the product on purpose and expects the simulation to notice within so many
 * seeds. Where the word fits one mutant only, what happened is told as well.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MutantCopy, runVitest, type Terms, type TestReport } from "./mutant-copy.ts";
import { CANARY } from "./mutant-list.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const TEST = "test/simulation/simulation.test.ts";
const FILTER = ["-t", "keeps its laws"];
/** Seeds of one run of the test runtime: fewer objects at a time keep it fast, and it can crash. */
const CHUNK = 60;
/** Within so many seeds a mutant is caught. */
const CANARY_SEEDS = 180;
/** What a mutant breaks is shrunk a little: enough to say how few operations it takes. */
const QUICKLY = { shrinks: 60, shrinkSeconds: 20 };
const CRASHES_MAX = 3;

/** What the simulation reports of a run (`test/simulation/simulate.ts`). */
interface Report {
  readonly seeds: number;
  readonly last: number;
  readonly operations: number;
  readonly faults: { readonly [kind: string]: number };
  readonly deaths: { readonly [step: string]: number };
  readonly kinds: { readonly [kind: string]: number };
  readonly laws: readonly number[];
  readonly needed: number;
  readonly story: string;
}

interface Asked {
  readonly seed: number;
  readonly seeds: number;
  readonly seconds: number;
  readonly shrinks: number;
  readonly shrinkSeconds: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string" },
    minutes: { type: "string" },
    canary: { type: "boolean", default: false },
  },
});

/** Seeds in a row, until the time is over. */
async function runLong(): Promise<number> {
  const seedsLeft = values.seeds === undefined ? Number.POSITIVE_INFINITY : Number(values.seeds);
  const minutes = values.minutes ?? (values.seeds === undefined ? "1" : "600");
  const endMs = Date.now() + Number(minutes) * 60_000;
  const first = Number(values.seed);
  const sums = { seeds: 0, operations: 0, crashes: 0 };
  const faults = new Map<string, number>();
  const deaths = new Map<string, number>();
  const kinds = new Map<string, number>();
  while (sums.seeds < seedsLeft && Date.now() < endMs) {
    const asked = {
      seed: first + sums.seeds,
      seeds: Math.min(CHUNK, seedsLeft - sums.seeds),
      seconds: (endMs - Date.now()) / 1_000,
      shrinks: 200,
      shrinkSeconds: 180,
    };
    const report = reportIn(await runVitest(root, [TEST, ...FILTER], termsOf(asked)));
    if (report === null) {
      sums.crashes += 1;
      console.log(`the runtime crashed in the seeds from ${asked.seed}; they are played again`);
      if (sums.crashes > CRASHES_MAX) return 1;
      continue;
    }
    sums.seeds += report.seeds;
    sums.operations += report.operations;
    add(faults, report.faults);
    add(deaths, report.deaths);
    add(kinds, report.kinds);
    console.log(`seeds ${asked.seed} to ${report.last}: ${report.operations} operations`);
    if (report.story !== "") {
      console.log(
        `\n${report.story}\n\nAgain: npm run simulate -- --seed ${report.last} --seeds 1`,
      );
      return 1;
    }
    if (report.seeds === 0) break;
  }
  const { seeds, operations, crashes } = sums;
  console.log(`\n${seeds} seeds, ${operations} operations; no law was broken`);
  console.log(`${crashes} crashes of the runtime itself`);
  console.log(tableOf("Operation", kinds));
  console.log(tableOf("What struck", faults));
  console.log(tableOf("Where an object died", deaths));
  return 0;
}

/** Mutants one by one, each until a seed catches it. */
async function runCanary(word: string): Promise<number> {
  const chosen = CANARY.filter(({ name, law }) => `${name} ${law}`.includes(word));
  const copy = await MutantCopy.make();
  for (const { edits } of chosen) await copy.expectFits(edits);
  console.log(
    "| Mutant | Law | Noticed as law | Seed | Operations until then | Operations needed |",
  );
  console.log("| --- | --- | --- | --- | --- | --- |");
  let survived = 0;
  for (const { name, law, edits } of chosen) {
    const asked = { seed: 1, seeds: CANARY_SEEDS, seconds: 900, ...QUICKLY };
    const report = await copy.broken(edits, async () => {
      const run = async () => reportIn(await copy.vitest([TEST, ...FILTER], termsOf(asked)));
      // The runtime may end by a fault of its own.
      return (await run()) ?? (await run()) ?? (await run());
    });
    const isCaught = report !== null && report.story !== "";
    if (!isCaught) survived += 1;
    const cells = isCaught
      ? [report.laws.join(", "), report.last, report.operations, report.needed]
      : [
          report === null ? "the runtime crashed" : "nobody noticed",
          "",
          report?.operations ?? "",
          "",
        ];
    console.log(`| ${[name, law, ...cells].join(" | ")} |`);
    if (chosen.length === 1 && isCaught) console.log(`\n${report.story}`);
  }
  console.log(
    `\n${chosen.length - survived} of ${chosen.length} mutants caught within ${CANARY_SEEDS} seeds`,
  );
  return survived > 0 ? 1 : 0;
}

const termsOf = (asked: Asked): Terms => ({
  settings: { PURSER_SIMULATION: JSON.stringify(asked) },
});

function reportIn(report: TestReport | null): Report | null {
  const metas = (report?.testResults ?? []).flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ meta }) => meta?.simulation ?? []),
  );
  const [found] = metas;
  return isReport(found) ? found : null;
}

const isReport = (value: unknown): value is Report =>
  typeof value === "object" && value !== null && "story" in value && "operations" in value;

function add(sums: Map<string, number>, counts: { readonly [kind: string]: number }): void {
  for (const [kind, count] of Object.entries(counts)) sums.set(kind, (sums.get(kind) ?? 0) + count);
}

function tableOf(title: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  return [
    `\n| ${title} | |`,
    "| --- | --- |",
    ...rows.map(([kind, count]) => `| ${kind} | ${count} |`),
  ].join("\n");
}

process.exitCode = values.canary ? await runCanary(positionals[0] ?? "") : await runLong();
