import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** What a run came to. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** Files whose runtime ended in the middle of them; nothing of theirs is counted. */
  readonly unfinished: readonly string[];
}

/** Where `scripts/test.ts` wants the summary of a run, as JSON. */
export const SUMMARY_FILE = "PURSER_TEST_SUMMARY";

/**
 * Says last of all, on a line of its own, how many tests passed and failed. A file that fails to load is a failure, and so
 * is one whose runtime ended, unless somebody else is told of it and runs it again.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const summary = summaryOf(modules, errors);
    const file = process.env[SUMMARY_FILE];
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(summary));
      return;
    }
    const failed = summary.failed + summary.unfinished.length;
    // Other reporters write when the run ends, too; the process says this when nothing is left to say.
    process.on("exit", () => console.log(summaryLine({ ...summary, failed })));
  }
}

export const summaryLine = ({ passed, failed }: Pick<Summary, "passed" | "failed">): string =>
  `${passed} passed, ${failed} failed`;

function summaryOf(modules: readonly TestModule[], errors: readonly SerializedError[]): Summary {
  const unfinished = modules.filter((module) => !isFinished(module));
  // An end of a runtime without a file that it was in the middle of is an error like any other.
  const ends = Math.min(errors.filter(isEndOfRuntime).length, unfinished.length);
  let passed = 0;
  let failed = errors.length - ends;
  for (const module of modules.filter(isFinished)) {
    failed += brokenParts(module);
    for (const test of module.children.allTests()) {
      if (isPassed(test)) passed += 1;
      if (isFailed(test)) failed += 1;
    }
  }
  return { passed, failed, unfinished: unfinished.map(({ moduleId }) => moduleId) };
}

/** Files and suites that failed by themselves: in an import or in a hook. */
function brokenParts(module: TestModule): number {
  let broken = module.errors().length > 0 ? 1 : 0;
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) broken += 1;
  return broken;
}

const isFinished = (module: TestModule) => !["queued", "pending"].includes(module.state());
const isPassed = (test: TestCase) => test.result().state === "passed";
const isFailed = (test: TestCase) => test.result().state === "failed";

/** The pool says it in its error or in what caused that. */
const isEndOfRuntime = ({ message, cause }: SerializedError): boolean =>
  [message, cause?.message].includes("Worker exited unexpectedly");
