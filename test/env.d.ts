declare namespace Cloudflare {
  interface Env {
    /** The project's D1 migrations, read by `vitest.config.ts`. */
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
    /** What the simulation runs, as JSON; empty when it is a test among others. */
    SIMULATION: string;
    /** Not empty while the sources are broken on purpose. */
    BROKEN: string;
  }
}

interface ImportMeta {
  /** Vite's: the text of every file that fits the pattern, by its path. */
  glob<Text extends string = string>(
    pattern: string,
    options: { readonly query: "?raw"; readonly import: "default"; readonly eager: true },
  ): Record<string, Text>;
}
