/** Builds `public/`, the Worker's static assets: our own pages and the script of the API reference. */
import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const from = (path) => fileURLToPath(new URL(path, root));

await mkdir(from("public"), { recursive: true });
for (const stale of ["public/docs", "public/docs.html"]) {
  await rm(from(stale), { recursive: true, force: true });
}
await cp(from("assets"), from("public"), {
  recursive: true,
  filter: (path) => !path.endsWith(".d.ts"),
});
await cp(
  from("node_modules/@scalar/api-reference/dist/browser/standalone.js"),
  from("public/docs/scalar.js"),
);
