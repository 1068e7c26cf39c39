import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { type Request, Response } from "miniflare";
import { defineConfig, type Plugin } from "vitest/config";
import LongestFirst from "./scripts/longest-first.ts";
import { oneModule } from "./scripts/one-module.ts";
import { EVENTS_PATH, RECEIVER, receive } from "./test/support/receiver.ts";

/** Nothing that tests send leaves this machine: the far end of every fetch is the tests' own receiver. */
async function farEnd(request: Request): Promise<Response> {
  const { status, body } = await receive(request);
  return new Response(body, { status });
}

/** The libraries that the sources and the tests import. */
const bundled = [
  "@hono/zod-openapi",
  "@noble/hashes/sha2.js",
  "@noble/hashes/utils.js",
  "big.js",
  "drizzle-orm",
  "drizzle-orm/d1",
  "drizzle-orm/sqlite-core",
  "fast-check",
  "hono",
  "hono/http-exception",
  "hono/request-id",
  "hono/router",
  "hono/router/reg-exp-router",
  "hono/router/trie-router",
  "standardwebhooks",
  "zod",
];

/** The libraries' maps are larger than they are, and sent anew to each file of tests. */
const withoutMaps: Plugin = {
  name: "without-maps",
  enforce: "post",
  transform: (code, id) => (id.includes("/node_modules/") ? { code, map: { mappings: "" } } : null),
};
/** The local runtime with the real bindings, and the product with the tests' seams in it. */
const inWorkerd = () => [
  oneModule(),
  withoutMaps,
  cloudflareTest(async () => ({
    main: "./test/support/worker.ts",
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      bindings: {
        TEST_MIGRATIONS: await readD1Migrations("./migrations"),
        PURSER_MASTER_KEY: "a master key for tests",
        // What `npm run simulate` wants; empty in `npm test`.
        SIMULATION: process.env.PURSER_SIMULATION ?? "",
        // Set when the sources are broken on purpose: then nobody wants to know the smallest failure.
        BROKEN: process.env.PURSER_BROKEN ?? "",
        WEBHOOK_URLS: `${RECEIVER}${EVENTS_PATH}`,
      },
      outboundService: farEnd,
      // As in wrangler.toml, but a batch does not wait a second for more to come.
      queueConsumers: {
        "purser-apply": {
          maxBatchSize: 100,
          maxBatchTimeout: 0.05,
          maxRetries: 10,
          deadLetterQueue: "purser-apply-dead",
        },
        "purser-webhooks": {
          maxBatchSize: 20,
          maxBatchTimeout: 0.05,
          maxRetries: 16,
          deadLetterQueue: "purser-webhooks-dead",
        },
      },
    },
  })),
];

const patience = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // A fact that is waited for comes late on a busy machine.
  expect: { poll: { timeout: 15_000 } },
};
/** Each a module or two instead of a hundred: every file of tests loads them anew. */
const deps = {
  optimizer: {
    ssr: { enabled: true, include: bundled, rolldownOptions: { output: { minify: true } } },
  },
};
/** Tests that make no object: no file leaves anything behind that another could notice, so they share a runtime. */
const plain = ["test/*.test.ts", "test/{domain,queues,schemas,webhooks}/**/*.test.ts"];
/** Tests that look at the whole ledger, or take long where many have been before: each has a runtime of its own. */
const alone = ["dry-run-writes", "dry-run-truth", "paging", "partial-refunds"].map(
  (name) => `test/http/${name}.test.ts`,
);
/** Tests that look at nothing but what they have made: they share a runtime, since to begin one takes longer than they do. */
const shared = ["test/{http,storage}/**/*.test.ts"];
const server = ["test/server/**/*.test.ts"];

/** Tests inside workerd, and tests that spawn a server and talk to it over HTTP. */
export default defineConfig({
  test: {
    reporters: ["default", "./scripts/summary-reporter.ts"],
    // Half of a file is waiting, so two are run at a time even on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: inWorkerd(),
        test: { name: "plain", include: plain, isolate: false, deps, ...patience },
      },
      {
        plugins: inWorkerd(),
        test: {
          name: "shared",
          include: shared,
          exclude: alone,
          isolate: false,
          setupFiles: ["./test/setup.ts"],
          deps,
          ...patience,
        },
      },
      {
        plugins: inWorkerd(),
        test: {
          name: "workers",
          include: [
            "test/{audit,consumers,durable,golden,laws,scenarios,simulation}/**/*.test.ts",
            ...alone,
          ],
          setupFiles: ["./test/setup.ts"],
          deps,
          ...patience,
        },
      },
      {
        test: {
          name: "server",
          include: server,
          environment: "node",
          ...patience,
        },
      },
    ],
  },
});
