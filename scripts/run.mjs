/**
 * Runs a tool of this project: `node scripts/run.mjs TOOL ARGUMENTS…`. Whatever Node npm itself has, the tool and all
 * that it starts get the Node of `node_modules/node`, and what is missing there is installed first.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const inRoot = (...path) => join(root, ...path);
const node = inRoot(
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

install();
const [tool, ...toolArguments] = process.argv.slice(2);
if (tool === undefined) {
  console.error("usage: node scripts/run.mjs TOOL [ARGUMENTS]");
  process.exit(2);
}
run(tool, toolArguments);

/** Installs when something else is installed than the lock file names. Tools are dev dependencies in any NODE_ENV. */
function install() {
  if (existsSync(node) && isInstalled()) return;
  // npm empties what a link points to, which may be another clone's.
  if (lstatSync(inRoot("node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      "node_modules is a link to a folder in which something else is installed than package-lock.json names. Remove the link and try again, or run `npm ci` where the folder belongs.",
    );
    process.exit(1);
  }
  console.error("Installing what is missing…");
  const npm = process.env.npm_execpath;
  const ci = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const [command, commandArguments] =
    npm === undefined ? ["npm", ci] : [process.execPath, [npm, ...ci]];
  const { status } = spawnSync(command, commandArguments, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Whether npm installed what the lock file names, by its own list of it. What is optional, such as another platform's, may
 * be missing. No dates are compared: a fresh clone is younger than what was copied into it.
 */
function isInstalled() {
  const installed = packagesIn("node_modules", ".package-lock.json");
  const { "": _root, ...wanted } = packagesIn("package-lock.json");
  const isSame = (path) =>
    installed[path]?.version === wanted[path]?.version &&
    installed[path]?.integrity === wanted[path]?.integrity;
  const isLeftOut = (path) => {
    const { optional, devOptional } = wanted[path];
    return installed[path] === undefined && (optional || devOptional);
  };
  return (
    Object.keys(installed).every(isSame) &&
    Object.keys(wanted).every((path) => isSame(path) || isLeftOut(path))
  );
}

/** The packages of a lock file by their paths; none when it cannot be read. */
function packagesIn(...path) {
  try {
    return JSON.parse(readFileSync(inRoot(...path), "utf8")).packages;
  } catch {
    return {};
  }
}

/** Runs the tool as a child, passes signals on, and ends as it ends. */
function run(name, args) {
  const command = name === "node" ? args : [binOf(name), ...args];
  const child = spawn(node, command, { cwd: root, stdio: "inherit", env: environment() });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  endWithParent(child);
  child.on("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** An npm that was killed outright, or hung up, passes no signal on: without it the child is told to end. */
function endWithParent(child) {
  const parent = process.ppid;
  const look = () => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  };
  setInterval(look, 500).unref();
}

/** Tools are found in `node_modules/.bin`; Biome's is a script for Node as well. */
function binOf(name) {
  const bin = inRoot("node_modules", ".bin", name);
  if (existsSync(bin)) return bin;
  console.error(`${name} is not a tool of this project`);
  process.exit(2);
}

/** Our Node and our tools first, and nothing that reports home or asks for updates. */
function environment() {
  const path = [
    inRoot("node_modules", "node", "bin"),
    inRoot("node_modules", ".bin"),
    process.env.PATH ?? "",
  ];
  return {
    ...process.env,
    PATH: path.join(delimiter),
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    NO_UPDATE_NOTIFIER: "1",
  };
}
