/**
 * Purser with counters, for one short phase of the bench: what its objects, its D1 and its queues do, as the platform counts
 * (and bills) it. `GET /bench/rows` tells. What the bench itself reads is not counted. Locally all objects share an
 * isolate, so module state is enough.
 */
import worker, { BalanceObject as Balance, JournalObject as Journal } from "../src/index";
import type { Counters } from "./rows";

/** What was counted since the start. Rows written are entries of tables and indexes; an alarm set is billed as one. */
const counted: { -readonly [Name in keyof Counters]: Counters[Name] } = {
  balances: 0,
  journal: 0,
  d1: 0,
  alarms: 0,
  workerRequests: 0,
  objectRequests: 0,
  objectActiveMs: 0,
  rowsRead: 0,
  queueMessages: 0,
};
type Counter = "balances" | "journal";

/** A longer message is billed as several. */
const MESSAGE_BYTES = 64 * 1024;

/** How many calls an object is at, and since when. */
const activity = new WeakMap<object, { calls: number; sinceMs: number }>();

/** What the bench asks while it waits. */
const BENCH_CALLS = ["read", "barrier"];

export class BalanceObject extends Balance {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(countedState(state, "balances"), countedEnv(env));
  }
}

export class JournalObject extends Journal {
  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(countedState(state, "journal"), countedEnv(env));
  }
}

countCalls(BalanceObject, Balance);
countCalls(JournalObject, Journal);

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/bench/rows") return Response.json(counted);
    if (request.method !== "GET") counted.workerRequests += 1;
    return worker.fetch(request, countedEnv(env), context);
  },
  queue: (batch, env) => {
    counted.workerRequests += 1;
    return worker.queue(batch, countedEnv(env));
  },
  scheduled: (controller, env) => worker.scheduled(controller, countedEnv(env)),
} satisfies ExportedHandler<Cloudflare.Env>;

/** Puts a counting `exec` and `setAlarm` over an object's own; all else stays the platform's. */
function countedState(state: DurableObjectState, counter: Counter): DurableObjectState {
  const { storage } = state;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  override(sql, "exec", (query: string, ...bindings: unknown[]) => {
    const cursor = exec(query, ...bindings);
    // A cursor knows its figure once it was read to the end, which callers do before they give up their turn.
    queueMicrotask(() => {
      counted[counter] += cursor.rowsWritten;
      counted.rowsRead += cursor.rowsRead;
    });
    return cursor;
  });
  override(storage, "setAlarm", (...args: Parameters<typeof setAlarm>) => {
    counted.alarms += 1;
    return setAlarm(...args);
  });
  return state;
}

/** Counts the calls of an object that come from outside, alarms too. */
function countCalls(counting: { prototype: object }, original: { prototype: object }): void {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(original.prototype));
  for (const [name, { value: method }] of methods) {
    const isCall = name !== "constructor" && name !== "checkpoint" && !BENCH_CALLS.includes(name);
    if (!isCall || typeof method !== "function") continue;
    override(counting.prototype, name, function (this: object, ...args: unknown[]) {
      counted.objectRequests += 1;
      return active(this, () => method.apply(this, args));
    });
  }
}

/** Runs a call, and adds the time in which its object had any. */
function active(object: object, call: () => unknown): unknown {
  const state = activity.get(object) ?? { calls: 0, sinceMs: 0 };
  activity.set(object, state);
  if (state.calls === 0) state.sinceMs = Date.now();
  state.calls += 1;
  const end = () => {
    state.calls -= 1;
    if (state.calls === 0) counted.objectActiveMs += Date.now() - state.sinceMs;
  };
  const result = call();
  if (result instanceof Promise) return result.finally(end);
  end();
  return result;
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
  const queues: Queue = Object.getPrototypeOf(env.APPLY);
  const { send, sendBatch } = queues;
  override(queues, "send", function (this: Queue, body: unknown) {
    countMessage(body);
    return send.call(this, body);
  });
  override(queues, "sendBatch", function (this: Queue, messages: MessageSendRequest[]) {
    for (const { body } of messages) countMessage(body);
    return sendBatch.call(this, messages);
  });
  return env;
}

function countMessage(body: unknown): void {
  counted.queueMessages += Math.ceil(JSON.stringify(body).length / MESSAGE_BYTES);
}

function countedResult(result: D1Result): D1Result {
  counted.d1 += result.meta.rows_written;
  counted.rowsRead += result.meta.rows_read;
  return result;
}

function override(target: object, method: string, value: unknown): void {
  Object.defineProperty(target, method, { value, configurable: true, writable: true });
}
