/** What a change must pass, and all that CI runs: binding types, compiler, lint and format, tests. Stops at the first failure. */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly string[])[] = [
  ["node", "scripts/types.ts", "--check"],
  ["tsc", "-p", "src"],
  ["tsc", "-p", "tsconfig.json"],
  ["tsc", "-p", "tsconfig.node.json"],
  ["biome", "ci", "."],
  ["node", "scripts/test.ts"],
];

for (const [command = "", ...rest] of steps) {
  console.log(`\n> ${[command, ...rest].join(" ")}`);
  const { status } = spawnSync(command, rest, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
