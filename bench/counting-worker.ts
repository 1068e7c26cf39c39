/**
 * Purser with counters, for one short phase of the bench: the rows that its objects and its D1 write, as the platform
 * counts (and bills) them. `GET /bench/rows` tells. Locally all objects share an isolate, so module state is enough.
 */
import worker, { BalanceObject as Balance, JournalObject as Journal } from "../src/index";

/** What was written since the start: entries of tables and indexes, and alarms set, which are billed as a row each. */
const written = { balances: 0, journal: 0, d1: 0, alarms: 0 };
type Counter = "balances" | "journal";

export class BalanceObject extends Balance {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(counted(state, "balances"), countedEnv(env));
  }
}

export class JournalObject extends Journal {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(counted(state, "journal"), countedEnv(env));
  }
}

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/bench/rows") return Response.json(written);
    return worker.fetch(request, countedEnv(env), context);
  },
  queue: (batch, env) => worker.queue(batch, countedEnv(env)),
  scheduled: (controller, env) => worker.scheduled(controller, countedEnv(env)),
} satisfies ExportedHandler<Cloudflare.Env>;

/** Puts a counting `exec` and `setAlarm` over an object's own; all else stays the platform's. */
function counted(state: DurableObjectState, counter: Counter): DurableObjectState {
  const { storage } = state;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  override(sql, "exec", (query: string, ...bindings: unknown[]) => {
    const cursor = exec(query, ...bindings);
    // A cursor knows its figure once it was read to the end, which callers do before they give up their turn.
    queueMicrotask(() => {
      written[counter] += cursor.rowsWritten;
    });
    return cursor;
  });
  override(storage, "setAlarm", (...args: Parameters<typeof setAlarm>) => {
    written.alarms += 1;
    return setAlarm(...args);
  });
  return state;
}

const countedKinds = new WeakSet<object>();

/** Counts at the two kinds of thing through which D1 is written: statements, and sessions (also the database's own). */
function countedEnv(env: Cloudflare.Env): Cloudflare.Env {
  const statements: D1PreparedStatement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
  if (countedKinds.has(statements)) return env;
  countedKinds.add(statements);
  for (const method of ["run", "all"] as const) {
    const original = statements[method];
    override(statements, method, async function (this: D1PreparedStatement) {
      return countedResult(await original.call(this));
    });
  }
  const sessions: D1DatabaseSession = Object.getPrototypeOf(env.DB.withSession());
  const batch = sessions.batch;
  override(sessions, "batch", async function (this: D1DatabaseSession, all: D1PreparedStatement[]) {
    return (await batch.call(this, all)).map(countedResult);
  });
  return env;
}

function countedResult(result: D1Result): D1Result {
  written.d1 += result.meta.rows_written;
  return result;
}

function override(target: object, method: string, value: unknown): void {
  Object.defineProperty(target, method, { value, configurable: true, writable: true });
}
