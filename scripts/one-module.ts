import { globSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { rolldown } from "rolldown";
import type { Plugin } from "vitest/config";

/** The module in which all of `src` is. */
const ALL = "\0all-of-src";
/** Before a source's path: the module that hands out what the source exports. */
const PART = "\0part-of-src:";
const ENTRY = "\0entry";

/** Where the exports of one source are. */
interface Part {
  /** Its namespace among the exports of the module of all. */
  readonly namespace: string;
  readonly exports: readonly string[];
}

interface Bundle {
  readonly code: string;
  readonly map: string;
  readonly parts: ReadonlyMap<string, Part>;
}

/**
 * All sources as one module for the tests. Each file of tests begins with a runtime that has loaded nothing, and a
 * module takes some milliseconds to ask for: hundreds of them took longer than most files of tests do. A test still
 * imports the source that it means, and there is one copy of each, whoever imports it.
 */
export function oneModule(): Plugin {
  let made: Promise<Bundle> | undefined;
  const bundle = () => {
    made ??= bundled();
    return made;
  };
  return {
    name: "one-module",
    enforce: "pre",
    async resolveId(id, importer, options) {
      if (id === ALL || id.startsWith(PART)) return id;
      if (!id.includes("/src/")) return null;
      const source = await this.resolve(id, importer, { ...options, skipSelf: true });
      const { parts } = await bundle();
      return source !== null && parts.has(source.id) ? `${PART}${source.id}` : null;
    },
    async load(id) {
      if (id === ALL) {
        const { code, map, parts } = await bundle();
        for (const source of parts.keys()) this.addWatchFile(source);
        return { code, map };
      }
      if (!id.startsWith(PART)) return null;
      const { parts } = await bundle();
      const part = parts.get(id.slice(PART.length));
      return part === undefined ? null : handingOut(part);
    },
    watchChange() {
      made = undefined;
    },
  };
}

function handingOut({ namespace, exports }: Part): string {
  const lines = exports.map((name) =>
    name === "default"
      ? `export default ${namespace}.default;`
      : `export const ${name} = ${namespace}.${name};`,
  );
  return [`import { ${namespace} } from ${JSON.stringify(ALL)};`, ...lines].join("\n");
}

async function bundled(): Promise<Bundle> {
  const sources = globSync("src/**/*.ts").map((path) => resolve(path));
  const named = sources.map((source, index) => ({ source, namespace: `source${index}` }));
  const entry = named
    .map(({ source, namespace }) => `export * as ${namespace} from ${JSON.stringify(source)};`)
    .join("\n");
  const parts = new Map<string, Part>();
  const build = await rolldown({
    input: ENTRY,
    // Libraries are whatever they are for the tests themselves.
    external: (id) => /^[^./\0]/.test(id),
    treeshake: false,
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? entry : null),
        generateBundle() {
          for (const { source, namespace } of named) {
            parts.set(source, { namespace, exports: this.getModuleInfo(source)?.exports ?? [] });
          }
        },
      },
    ],
  });
  const { output } = await build.generate({
    format: "esm",
    codeSplitting: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
    sourcemapPathTransform: (path, map) => resolve(dirname(map), path),
  });
  await build.close();
  const [{ code, map }] = output;
  return { code, map: map?.toString() ?? "", parts };
}
