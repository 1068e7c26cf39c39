import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/run.mjs", import.meta.url));

const WANTED = {
  "node_modules/zod": { version: "4.0.0", integrity: "sha512-a" },
  "node_modules/only-elsewhere": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const { "node_modules/only-elsewhere": _elsewhere, ...INSTALLED } = WANTED;

let root = "";
let modules = "";

/** A clone with a lock file, and beside it a folder that has packages installed. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "purser-run-"));
  modules = join(root, "clone", "node_modules");
  mkdirSync(join(root, "clone", "scripts"), { recursive: true });
  cpSync(script, join(root, "clone", "scripts", "run.mjs"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const writeLock = (file: string, packages: object) =>
  writeFileSync(file, JSON.stringify({ packages }));

function installedIn(folder: string, packages: object): void {
  mkdirSync(join(folder, "node", "bin"), { recursive: true });
  symlinkSync(process.execPath, join(folder, "node", "bin", "node"));
  const list = join(folder, ".package-lock.json");
  writeLock(list, packages);
  utimesSync(list, 0, 0);
}

/** Runs a tool with an npm that only says with what it was called. */
function run() {
  writeLock(join(root, "clone", "package-lock.json"), { "": { name: "purser" }, ...WANTED });
  const npm = join(root, "npm.cjs");
  const called = join(root, "called");
  const write = `require("node:fs").writeFileSync(${JSON.stringify(called)}, process.argv[2]);`;
  writeFileSync(npm, `${write} process.exit(3);`);
  const runner = join(root, "clone", "scripts", "run.mjs");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [runner, "node", "-e", "console.log('ran')"],
    { env: { ...process.env, npm_execpath: npm }, encoding: "utf8" },
  );
  return { status, stdout, stderr, installs: existsSync(called) };
}

describe("a tool of a clone", () => {
  it("runs with what is installed, however old that is beside the clone", () => {
    installedIn(modules, INSTALLED);
    expect(run()).toMatchObject({ status: 0, stdout: "ran\n", installs: false });
  });

  it("runs through a link to what is installed", () => {
    installedIn(join(root, "elsewhere"), WANTED);
    symlinkSync(join(root, "elsewhere"), modules);
    expect(run()).toMatchObject({ status: 0, stdout: "ran\n", installs: false });
  });

  it.each([
    ["nothing", null],
    ["another version", { "node_modules/zod": { version: "3.9.9", integrity: "sha512-a" } }],
    ["other content", { "node_modules/zod": { version: "4.0.0", integrity: "sha512-z" } }],
    ["too little", {}],
    ["too much", { ...INSTALLED, "node_modules/left": { version: "1.0.0", integrity: "x" } }],
  ])("has %s installed, and asks npm to install", (_what, packages) => {
    if (packages !== null) installedIn(modules, packages);
    expect(run()).toMatchObject({ status: 3, stdout: "", installs: true });
  });

  it("has a link to something else, which npm would empty: it says what to do", () => {
    installedIn(join(root, "elsewhere"), {});
    symlinkSync(join(root, "elsewhere"), modules);
    const { status, stderr, installs } = run();
    expect([status, installs]).toEqual([1, false]);
    expect(stderr).toContain("node_modules is a link");
    expect(stderr).toContain("Remove the link");
  });
});
