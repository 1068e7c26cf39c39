/**
 * `npm test [FILE…] [-- OPTION…]`: all tests, or those of some files. The runtime that they run in ends now and then by a fault
 * of its own while tests let objects die (github.com/cloudflare/workerd/issues/6763): a file in the middle of which that
 * happens is run again, once, and the run says so. Its last line counts the tests.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "./scratch.ts";
import { SUMMARY_FILE, type Summary, summaryLine } from "./summary-reporter.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const folder = scratchFolder("test").path;

const asked = process.argv.slice(2);
const first = await runTests("first", asked);
const again = first.unfinished;
if (again.length > 0) {
  console.error("\nThe runtime ended in the middle of these, which are run again:");
  for (const file of again) console.error(`  ${file}`);
}
const nothing = { passed: 0, failed: 0, unfinished: [], status: 0 };
const second =
  again.length > 0 ? await runTests("second", [...again, ...optionsOf(asked)]) : nothing;

const passed = first.passed + second.passed;
const failed = first.failed + second.failed + second.unfinished.length;
// A run can fail otherwise than by a test: by a handle that nobody closed, or before it has begun.
const status = again.length > 0 && first.failed === 0 ? second.status : first.status;
console.log(summaryLine({ passed, failed }));
process.exitCode = failed > 0 ? status || 1 : status;

/** What was asked but for the files. */
function optionsOf(words: readonly string[]): string[] {
  const takesNext = (word = "") => word.startsWith("-") && !word.includes("=");
  return words.filter((word, at) => word.startsWith("-") || takesNext(words[at - 1]));
}

async function runTests(
  name: string,
  choice: readonly string[],
): Promise<Summary & { readonly status: number }> {
  const file = join(folder, name);
  const child = spawn("vitest", ["run", ...choice], {
    stdio: "inherit",
    // A test makes hundreds of objects, each with a file: on a disk half of its time is waiting for them.
    env: { ...process.env, [SUMMARY_FILE]: file, TMPDIR: folder },
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  const [code] = (await once(child, "exit")) as [number | null];
  for (const signal of SIGNALS) process.off(signal, pass);
  const status = code ?? 1;
  try {
    const summary: Summary = JSON.parse(readFileSync(file, "utf8"));
    return { ...summary, status };
  } catch {
    return { passed: 0, failed: 1, unfinished: [], status: status || 1 };
  }
}
