import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** Says last of all, on a line of its own, how many tests passed and failed. A file that fails to load is a failure. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      failed += brokenParts(module);
      for (const test of module.children.allTests()) {
        if (isPassed(test)) passed += 1;
        if (isFailed(test)) failed += 1;
      }
    }
    // Other reporters write when the run ends, too; the process says this when nothing is left to say.
    process.on("exit", () => console.log(`${passed} passed, ${failed} failed`));
  }
}

/** Files and suites that failed by themselves: in an import or in a hook. */
function brokenParts(module: TestModule): number {
  let broken = module.errors().length > 0 ? 1 : 0;
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) broken += 1;
  return broken;
}

const isPassed = (test: TestCase) => test.result().state === "passed";
const isFailed = (test: TestCase) => test.result().state === "failed";
