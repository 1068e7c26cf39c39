/**
 * Builds `public/`, the Worker's static assets: our own pages and the script of the API reference. Several builds may run at once,
 * and servers read meanwhile: what differs is replaced whole, file by file, and nothing that belongs there is ever missing.
 */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const pages = join(root, "assets");
const reference = join(root, "node_modules/@scalar/api-reference/dist/browser/standalone.js");
const target = join(root, "public");

/** The files of a folder, by their paths in it. */
async function filesIn(folder) {
  const paths = await readdir(folder, { recursive: true });
  const kinds = await Promise.all(paths.map((path) => stat(join(folder, path)).catch(() => null)));
  return paths.filter((_path, at) => kinds[at]?.isFile());
}

async function isSame(one, other) {
  const [a, b] = await Promise.all([readFile(one), readFile(other).catch(() => null)]);
  return b !== null && a.equals(b);
}

const wanted = new Map([[join("docs", "scalar.js"), reference]]);
for (const path of await filesIn(pages)) {
  if (!path.endsWith(".d.ts")) wanted.set(path, join(pages, path));
}

// On the same disk as the target, so that a file can be moved there in one step.
await mkdir(join(root, ".wrangler"), { recursive: true });
const beside = await mkdtemp(join(root, ".wrangler", "assets-"));
try {
  await mkdir(target, { recursive: true });
  for (const path of await filesIn(target))
    if (!wanted.has(path)) await rm(join(target, path), { force: true });
  for (const [path, source] of wanted) {
    const place = join(target, path);
    if (await isSame(source, place)) continue;
    await mkdir(dirname(place), { recursive: true });
    await copyFile(source, join(beside, "copy"));
    await rename(join(beside, "copy"), place);
  }
} finally {
  await rm(beside, { recursive: true, force: true });
}
