/**
 * The process that `serve` starts: one Worker on one port, until its parent is gone or INT, TERM or HUP comes. What it is
 * to serve comes as the first message from its parent, since command lines and environments are others' to read; the
 * answer is one message, once it listens.
 */
import type { Miniflare } from "miniflare";
import { type RuntimeOptions, startRuntime } from "./runtime.ts";

/** What the parent sends. */
export type ServeOrder = Omit<RuntimeOptions, "onLog">;

const CRON = "http://localhost/cdn-cgi/local/scheduled?cron=*+*+*+*+*";
const CRON_INTERVAL_MS = 60_000;
const LEVELS = ["none", "error", "warn", "info", "log", "debug"];
const shown = LEVELS.indexOf(process.env.LOG_LEVEL ?? "error");

process.once("message", (order: ServeOrder) => {
  void run(order).catch((error: unknown) => {
    console.error(isTaken(error) ? `port ${order.port} is taken` : error);
    process.exit(1);
  });
});

async function run(order: ServeOrder): Promise<void> {
  const runtime = startRuntime({ ...order, onLog });
  const end = () => void runtime.dispose().finally(() => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) process.once(signal, end);
  await runtime.ready;
  process.send?.("listening");
  setInterval(() => void runCron(runtime), CRON_INTERVAL_MS);
}

const isTaken = (error: unknown) =>
  error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE";

/** Deployed, the platform runs the cron trigger every minute. A missed one is no harm. */
async function runCron(runtime: Miniflare): Promise<void> {
  await runtime
    .dispatchFetch(CRON)
    .then((response) => response.body?.cancel())
    .catch(() => undefined);
}

/** Shows what the Worker says, as far as LOG_LEVEL asks for it; `error` is the default. */
function onLog(level: string, message: string): void {
  if (LEVELS.indexOf(level) > shown) return;
  console[level === "error" || level === "warn" ? "error" : "log"](message);
}
