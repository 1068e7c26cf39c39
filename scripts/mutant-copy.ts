import { type ChildProcess, spawn } from "node:child_process";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Edit } from "./mutant-list.ts";
import { scratchFolder } from "./scratch.ts";

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

/** What vitest's JSON report says of a run. */
export interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly meta?: { readonly [key: string]: unknown };
    }[];
  }[];
}

/** A copy of the sources that can be broken, and whose tests can be run. It is gone when this process ends. */
export class MutantCopy {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async make(): Promise<MutantCopy> {
    // However this ends, nothing stays behind: neither the copy nor a test that still runs in it.
    const { path } = scratchFolder("mutants");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.once(signal, () => process.exit(1));
    }
    for (const each of COPIED) await cp(join(root, each), join(path, each), { recursive: true });
    await symlink(join(root, "node_modules"), join(path, "node_modules"), "dir");
    return new MutantCopy(path);
  }

  /** Throws unless every replacement fits exactly once. */
  async expectFits(edits: readonly Edit[]): Promise<void> {
    for (const each of edits) await this.#mutated(each);
  }

  /** Does something while the sources are broken; afterwards they are as they were. */
  async broken<T>(edits: readonly Edit[], work: () => Promise<T>): Promise<T> {
    const files = [...new Set(edits.map(({ file }) => file))];
    try {
      for (const each of edits) {
        await writeFile(join(this.#path, each.file), await this.#mutated(each));
      }
      return await work();
    } finally {
      for (const file of files) await cp(join(root, file), join(this.#path, file));
    }
  }

  /** Runs tests in the copy; null when the runtime ended without a report, as it does when it crashes. */
  vitest(options: readonly string[], terms: Terms = {}): Promise<TestReport | null> {
    return runVitest(this.#path, options, terms);
  }

  /** The file with the replacement made. */
  async #mutated({ file, find, replace }: Edit): Promise<string> {
    const parts = (await readFile(join(this.#path, file), "utf8")).split(find);
    if (parts.length !== 2) {
      throw new Error(`${file} has this ${parts.length - 1} times, not once:\n${find}`);
    }
    return parts.join(replace);
  }
}

/** How tests are run. */
export interface Terms {
  readonly settings?: NodeJS.ProcessEnv;
  /** When it is ended, in milliseconds; 0 is never. Vitest may wait for ever for a runtime that is no more. */
  readonly limitMs?: number;
}

/** Runs tests of the sources in a directory and reads what became of them; null when there is no report. */
export async function runVitest(
  cwd: string,
  options: readonly string[],
  { settings = {}, limitMs = 0 }: Terms,
): Promise<TestReport | null> {
  const scratch = scratchFolder("report");
  const output = join(scratch.path, "report.json");
  const bin = join(root, "node_modules", "vitest", "vitest.mjs");
  const fixed = ["run", "--project=!server", "--reporter=json", `--outputFile=${output}`];
  const child = spawn(process.execPath, [bin, ...fixed, ...options], {
    cwd,
    env: { ...process.env, TMPDIR: scratch.path, ...settings },
    stdio: "ignore",
    timeout: limitMs,
  });
  await ended(child);
  try {
    return JSON.parse(await readFile(output, "utf8"));
  } catch {
    return null;
  } finally {
    scratch.remove();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const stop = () => child.kill();
  process.once("exit", stop);
  await new Promise((done) => child.once("exit", done));
  process.off("exit", stop);
}
