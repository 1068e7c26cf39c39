import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What to build: a wrangler configuration, and another entry than the one it names, where that is wanted. */
export interface BuildOptions {
  readonly config: string;
  readonly entry?: string | undefined;
  /** Where the built module goes. */
  readonly folder: string;
}

/** Builds the one module that `wrangler deploy` would upload, and says where it is. Throws with wrangler's words. */
export async function buildWorker({ config, entry, folder }: BuildOptions): Promise<string> {
  const dryRun = ["deploy", "--config", join(root, config), "--dry-run", "--outdir", folder];
  await runWrangler(entry === undefined ? dryRun : [...dryRun, entry], join(folder, "wrangler"));
  const module = readdirSync(folder).find((file) => file.endsWith(".js"));
  if (module === undefined) throw new Error(`wrangler built nothing from ${config}`);
  return join(folder, module);
}

/** Brings the local D1 of a state directory to today's schema. Throws with wrangler's words if that fails. */
export async function migrate(stateDir: string): Promise<void> {
  const apply = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", stateDir];
  await runWrangler(apply, join(stateDir, "wrangler"));
}

/** Runs wrangler to its end: nothing sent home, nothing asked of a terminal, its own files in a folder of ours. */
async function runWrangler(words: readonly string[], own: string): Promise<void> {
  const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const env = {
    ...withoutSettings(process.env),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(own, "logs"),
    WRANGLER_CACHE_DIR: join(own, "cache"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    CI: "true",
  };
  await promisify(execFile)(process.execPath, [wrangler, ...words], { cwd: root, env });
}

/** An environment without Purser's own settings, for those who have no business with them: some are secret. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PURSER_MASTER_KEY: _key, WEBHOOK_URLS: _urls, AUTH: _auth, ...rest } = environment;
  return rest;
}
