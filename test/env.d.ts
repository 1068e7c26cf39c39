declare namespace Cloudflare {
  interface Env {
    /** The project's D1 migrations, read by `vitest.config.ts`. */
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
