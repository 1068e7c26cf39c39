/** `wrangler types`, with nothing of this machine in it: no `.dev.vars`, no literal values. `--check` only compares. */
import { spawnSync } from "node:child_process";

const options = [
  "types",
  "--env-file",
  "/dev/null",
  "--strict-vars=false",
  ...process.argv.slice(2),
];
const { status } = spawnSync("wrangler", options, { stdio: "inherit" });
process.exit(status ?? 1);
