/**
 * Breaks the product on purpose, one law at a time, in a copy of its sources, and expects a test to notice:
 * `npm run mutants [WORD]` runs those whose name or law contains WORD. Exit code 1 when a mutant survives.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Edit, MUTANTS, type Mutant } from "./mutant-list.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
/** All that the tests inside the runtime need. */
const COPIED = [
  "src",
  "test",
  "migrations",
  "scripts",
  "examples",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
  "worker-configuration.d.ts",
  "wrangler.toml",
];
/** A mutant may make a test wait for what never comes. */
const TEST_TIMEOUT_MS = 30_000;

/** What vitest's JSON report says of a run. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const word = (process.argv[2] ?? "").toLowerCase();
const chosen = MUTANTS.filter(({ name, law }) => `${name} ${law}`.toLowerCase().includes(word));
if (chosen.length === 0) fail(`no mutant's name or law contains ${word}`);

const copy = await mkdtemp(join(tmpdir(), "purser-mutants-"));
// However this ends, nothing stays behind: neither the copy nor a test that still runs in it.
process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

for (const path of COPIED) await cp(join(root, path), join(copy, path), { recursive: true });
await symlink(join(root, "node_modules"), join(copy, "node_modules"), "dir");
// All of them first: a mutant that fits the source no longer must not wait for the ones before it.
for (const mutant of chosen) for (const each of mutant.edits) await mutated(each);
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
async function runWith({ edits, test, filter }: Mutant): Promise<string | null> {
  const files = [...new Set(edits.map(({ file }) => file))];
  try {
    for (const each of edits) await writeFile(join(copy, each.file), await mutated(each));
    const report = await vitest([test, "-t", literally(filter)]);
    if (report.numPassedTests + report.numFailedTests === 0) {
      fail(`no test of ${test} is named ${filter}, or the mutant keeps its file from loading`);
    }
    const titles = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    return titles.find(({ status }) => status === "failed")?.title ?? null;
  } finally {
    for (const file of files) await cp(join(root, file), join(copy, file));
  }
}

/** The file with the replacement made. */
async function mutated({ file, find, replace }: Edit): Promise<string> {
  const parts = (await readFile(join(copy, file), "utf8")).split(find);
  if (parts.length !== 2) fail(`${file} has this ${parts.length - 1} times, not once:\n${find}`);
  return parts.join(replace);
}

/** Runs tests in the copy and reads what became of them. */
async function vitest(options: readonly string[]): Promise<Report> {
  const output = join(copy, "report.json");
  await rm(output, { force: true });
  const bin = join(root, "node_modules", "vitest", "vitest.mjs");
  const fixed = ["run", "--project", "workers", "--reporter=json", `--outputFile=${output}`];
  const child = spawn(
    process.execPath,
    [bin, ...fixed, `--testTimeout=${TEST_TIMEOUT_MS}`, ...options],
    { cwd: copy, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const stop = () => child.kill();
  process.once("exit", stop);
  await new Promise((ended) => child.once("exit", ended));
  process.off("exit", stop);
  try {
    return JSON.parse(await readFile(output, "utf8"));
  } catch {
    return fail(`vitest made no report:\n${said}`);
  }
}

/** A part of a test's name as a pattern that means just that. */
function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function fail(message: string): never {
  throw new Error(message);
}
