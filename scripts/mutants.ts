/**
 * Breaks the product on purpose, one law at a time, in a copy of its sources, and expects a test to notice:
 * `npm run mutants [WORD]` runs those whose name or law contains WORD. Exit code 1 when a mutant survives.
 */
import { MutantCopy, type TestReport } from "./mutant-copy.ts";
import { MUTANTS, type Mutant } from "./mutant-list.ts";

/** A mutant may make a test wait for what never comes. */
const TEST_TIMEOUT_MS = 30_000;

/** The tests of a mutant take seconds, some up to two minutes; those of all without any mutant some minutes. */
const RUN_LIMIT_MS = 600_000;
/** The runtime may end in the middle of a test by a fault of its own. */
const TRIES = 4;
/** Of a runtime that ended by itself. */
const NO_REPORT: TestReport = { numPassedTests: 0, numFailedTests: 0, testResults: [] };

const word = (process.argv[2] ?? "").toLowerCase();
const chosen = MUTANTS.filter(({ name, law }) => `${name} ${law}`.toLowerCase().includes(word));
if (chosen.length === 0) fail(`no mutant's name or law contains ${word}`);

const copy = await MutantCopy.make();
// All of them first: a mutant that fits the source no longer must not wait for the ones before it.
for (const mutant of chosen) await copy.expectFits(mutant.edits);
await expectSound(chosen);
const survived = await runAll(chosen);
console.log(`\n${chosen.length - survived} of ${chosen.length} mutants caught`);
if (survived > 0) process.exitCode = 1;

/** Without a mutant every test passes; otherwise its failure would prove nothing. */
async function expectSound(mutants: readonly Mutant[]): Promise<void> {
  const files = [...new Set(mutants.map(({ test }) => test))];
  const filters = [...new Set(mutants.map(({ filter }) => literally(filter)))];
  const report = await vitest([...files, "-t", `(${filters.join("|")})`]);
  const titles = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = titles.filter(({ status }) => status === "failed").map(({ title }) => title);
  if (failed.length > 0) fail(`fails without any mutant: ${failed.join("; ")}`);
  if (report.numPassedTests === 0) fail("no test ran without any mutant");
}

/** Prints a line for each mutant; answers how many no test noticed. */
async function runAll(mutants: readonly Mutant[]): Promise<number> {
  console.log("| Mutant | Law | Caught by | |\n|---|---|---|---|");
  let survived = 0;
  for (const mutant of mutants) {
    const caughtBy = await runWith(mutant);
    if (caughtBy === null) survived += 1;
    const { name, law, test, filter } = mutant;
    const by = caughtBy ?? `nobody (${filter})`;
    console.log(`| ${name} | ${law} | ${test}: ${by} | ${caughtBy === null ? "no" : "yes"} |`);
  }
  return survived;
}

/** The name of a test that fails with the mutant, or null. The source is as it was afterwards. */
function runWith({ edits, test, filter }: Mutant): Promise<string | null> {
  return copy.broken(edits, async () => {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const report = await vitest([test, "-t", literally(filter)]);
      const titles = report.testResults.flatMap(({ assertionResults }) => assertionResults);
      if (testsIn(report) > 0)
        return titles.find(({ status }) => status === "failed")?.title ?? null;
    }
    console.error(
      `no test of ${test} is named ${filter}, or the mutant keeps its file from loading`,
    );
    return null;
  });
}

function testsIn({ numPassedTests, numFailedTests }: TestReport): number {
  return numPassedTests + numFailedTests;
}

/** Runs tests in the copy and reads what became of them. */
async function vitest(options: readonly string[]): Promise<TestReport> {
  const limit = `--testTimeout=${TEST_TIMEOUT_MS}`;
  const terms = { settings: { PURSER_BROKEN: "yes" }, limitMs: RUN_LIMIT_MS };
  return (await copy.vitest([limit, ...options], terms)) ?? NO_REPORT;
}

/** A part of a test's name as a pattern that means just that. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function fail(message: string): never {
  throw new Error(message);
}
