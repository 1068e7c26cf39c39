/**
 * Bindings that no configuration file names, since they are secrets or belong to local runs alone.
 * They are optional: a deployed Worker without them refuses every request but `/health`.
 */
declare namespace Cloudflare {
  interface Env {
    /** The master key, by `wrangler secret put`. */
    PURSER_MASTER_KEY?: string;
    /** `off` makes every caller the master. Only `npm start` sets it. */
    AUTH?: string;
    /** `on` lets webhooks go to http on loopback. Only `npm start` sets it. */
    WEBHOOK_LOOPBACK?: string;
  }
}
