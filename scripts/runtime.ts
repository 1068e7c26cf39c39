import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A built Worker, and how it is to run on this machine. */
export interface RuntimeOptions {
  /** The wrangler configuration, from the project's root, that says what it is bound to. */
  readonly config: string;
  /** The built module. */
  readonly module: string;
  /** Part of where its objects are kept; the configuration's own when missing. */
  readonly name?: string;
  /** What it is to run with, beside and before the configuration's `vars`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Whether it has its static pages, whose router is one more hop. */
  readonly pages: boolean;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Where its Durable Objects and its D1 are kept. */
  readonly stateDir: string;
  /** What the Worker logs, line by line. */
  onLog(level: string, message: string): void;
}

/**
 * Starts workerd with a built Worker, without the proxies that `wrangler dev` puts before it for reloading: those end the
 * whole server when a kept connection between them is lost. A workerd that crashes is started again on the same state.
 */
export function startRuntime(options: RuntimeOptions): Miniflare {
  const config = unstable_readConfig({ config: join(root, options.config) });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const { assets: _pages, ...withoutPages } = workerOptions;
  return new Miniflare(
    convertV4MiniflareOptions({
      host: options.host,
      port: options.port,
      cf: false,
      log: new Log(LogLevel.WARN),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => options.onLog(level, message),
      telemetry: { enabled: false },
      // The cron trigger is run by asking for it, as with `wrangler dev`.
      unsafeTriggerHandlers: true,
      // `wrangler d1 migrations apply --persist-to` looks in this folder too.
      resourcePersistencePath: join(options.stateDir, "v3"),
      resourceTmpPath: join(options.stateDir, "tmp"),
      workers: [
        {
          ...(options.pages ? workerOptions : withoutPages),
          name: options.name ?? config.name ?? "worker",
          modules: [
            { type: "ESModule", path: "index.js", contents: readFileSync(options.module, "utf8") },
          ],
          // Not wrangler's, which reads .dev.vars as well.
          bindings: { ...config.vars, ...options.variables },
        },
      ],
    }),
  );
}
