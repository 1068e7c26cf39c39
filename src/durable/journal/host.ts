import type { LedgerError } from "../../domain/error";
import type { LedgerEvent } from "../../domain/event";
import type { BalanceId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { reasonOf } from "../../domain/thrown";
import { instantOfMicros } from "../../domain/time";
import { sendApply } from "../../queues/apply";
import { sendJob } from "../../queues/jobs";
import { endpointsOf, sendEvents } from "../../queues/webhooks";
import { instanceById } from "../../storage/instances";
import { OutboxTable } from "../../storage/outbox";
import { projectBatch } from "../../storage/projection";
import { balanceStub } from "../balance/client";
import { patiently, persistently } from "../patiently";
import type { Resolution } from "./claims";
import type { ClaimAnswer } from "./group-saga";
import type { JournalObject } from "./object";
import type { Reply, SettleValue } from "./protocol";
import type { ShardHost } from "./shard";

/** What a shard asks of another. */
type Sibling = Pick<
  JournalObject,
  "record" | "recordItems" | "settle" | "claimReferences" | "settleReferences" | "resolveGroup"
>;

/**
 * The surroundings of a shard as its object's bindings and name make them. What a shard asks of itself it asks `self`: a
 * call would take longer, and the local runtime ends with an object that dies while it waits for itself.
 */
export function hostOf(
  ctx: DurableObjectState,
  env: Env,
  checkpoint: ShardHost["checkpoint"],
  self: Sibling,
): ShardHost {
  const [instance = "", , number = "0"] = (ctx.id.name ?? "").split("/");
  const shard = Number(number);
  const endpoints = endpointsOf(env.WEBHOOK_URLS);
  const keep = (long: readonly LedgerEvent[]) =>
    new OutboxTable(env.DB, instance).keep(long, instantOfMicros(Date.now() * 1000));
  const balance = (balanceId: BalanceId) => balanceStub(env.BALANCES, instance, balanceId);
  const sibling = (at: number) =>
    at === shard ? self : env.JOURNAL.getByName(`${instance}/journal/${at}`);
  return {
    ctx,
    instance,
    shard,
    log,
    checkpoint,
    execute: (balanceId, operations) => balance(balanceId).execute({ operations }),
    troubled: (balanceId, error, attempts) =>
      log("balance.call_failed", error, { balance_id: balanceId, attempts }),
    ask: (balanceId, call) => patiently(() => balance(balanceId), call),
    readBalance: (balanceId) =>
      patiently(
        () => balance(balanceId),
        async (stub) => stub.read(),
      ),
    project: (batch) => projectBatch(env.DB, instance, batch),
    recordItems: (to, request) =>
      persistently(
        () => sibling(to),
        async (stub): Promise<(LedgerError | null)[]> => await stub.recordItems(request),
      ),
    sendJob: (batchId) => sendJob(env.JOBS, { kind: "batch", instance, batchId, shard }),
    sendApply: (ids) => sendApply(env.APPLY, { instance, shard, ids }),
    hasReceivers: endpoints.length > 0,
    sendEvents: (events) => sendEvents(env.WEBHOOKS, { instance, events, endpoints, keep }),
    claim: (to, request) =>
      persistently(
        () => sibling(to),
        async (stub): Promise<ClaimAnswer> => await stub.claimReferences(request),
      ),
    settleClaims: (to, settlement) =>
      persistently(
        () => sibling(to),
        async (stub) => stub.settleReferences(settlement),
      ),
    shards: shardsOf(env.DB, instance),
    record: (to, request) =>
      patiently(
        () => sibling(to),
        async (stub): Promise<Reply<unknown>> => await stub.record(request),
      ),
    settle: (to, request) =>
      patiently(
        () => sibling(to),
        async (stub): Promise<Reply<SettleValue>> => await stub.settle(request),
      ),
    resolve: (to, asked) =>
      patiently(
        () => sibling(to),
        async (stub): Promise<Resolution> => await stub.resolveGroup(asked),
      ),
  };
}

/** How many shards an instance's journal has: read once, when somebody asks. */
function shardsOf(d1: D1Database, instanceId: string): () => Promise<number> {
  let known: number | null = null;
  return async () => {
    known ??= (await instanceById(d1, instanceId))?.journalShards ?? null;
    invariant(known !== null, "an instance is in D1");
    return known;
  };
}

function log(event: string, error: unknown, fields: Record<string, unknown> = {}): void {
  console.error(JSON.stringify({ event, reason: reasonOf(error), ...fields }));
}
