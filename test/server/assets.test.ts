import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const docs = join(root, "public", "docs");
const build = () => promisify(execFile)(process.execPath, [join(root, "scripts/build-assets.mjs")]);

describe("the static assets", () => {
  it("are whole after several builds at once, and nothing else is left there", async () => {
    await mkdir(docs, { recursive: true });
    await writeFile(join(docs, "of-yesterday.js"), "");
    await Promise.all(Array.from({ length: 8 }, build));
    expect((await readdir(docs)).sort()).toEqual(["reference.js", "scalar.js", "verify.js"]);
    const verifier = await readFile(join(root, "assets", "docs", "verify.js"), "utf8");
    expect(await readFile(join(docs, "verify.js"), "utf8")).toBe(verifier);
  });
});
