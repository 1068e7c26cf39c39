/** `npm start`: Purser on this machine, with its own D1, queues and objects, until INT, TERM or HUP. */
import { prepare, serve, untilHealthy } from "./serve.ts";

const port = Number(process.env.PORT ?? "5001");
const stateDir = process.env.STATE_DIR ?? ".wrangler/state";
const masterKey = process.env.PURSER_MASTER_KEY || undefined;
const authOff =
  process.env.AUTH === undefined ? masterKey === undefined : process.env.AUTH === "off";
if (!Number.isInteger(port) || port < 1 || port > 65_535)
  fail("PORT must be a number from 1 to 65535");

await prepare(stateDir).catch((error: Error) => fail(error.message));
const server = serve({
  port,
  stateDir,
  masterKey,
  authOff,
  webhookUrls: process.env.WEBHOOK_URLS,
  output: "inherit",
});

let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => void end(0));
void server.exited.then((code) => end(code));
endWithParent();

await untilHealthy(server)
  .then(sayWhatRuns)
  .catch((error: Error) => (ending ? undefined : end(1, error.message)));

/** Ends the server's whole process group, then this process. */
async function end(code: number, message?: string): Promise<void> {
  if (ending) return;
  ending = true;
  await server.stop();
  if (message !== undefined) console.error(message);
  process.exit(code);
}

/** A parent that was killed outright passes no signal on, so look whether it is still there. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void end(1);
  }, 500).unref();
}

function sayWhatRuns(): void {
  const key = masterKey === undefined ? "" : ` -H "X-Blnk-Key: $PURSER_MASTER_KEY"`;
  console.log(`
Purser runs at ${server.baseUrl}, its data is in ${stateDir}.
${accessWords()}
${process.env.WEBHOOK_URLS ? "Events go to WEBHOOK_URLS." : "Events go nowhere: WEBHOOK_URLS is empty."}

Try: curl ${server.baseUrl}/ledgers${key} -H "Content-Type: application/json" -d '{"name": "Customers"}'
`);
}

function accessWords(): string {
  if (authOff) return "AUTH=off: every caller is the master. For this machine only.";
  if (masterKey !== undefined) return "Requests need the master key in X-Blnk-Key.";
  return "Neither PURSER_MASTER_KEY nor AUTH=off is set: every request but /health is refused.";
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
