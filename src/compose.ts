import { waitUntil } from "cloudflare:workers";
import type { LedgerEvent } from "./domain/event";
import { isBalanceId, isTransactionId, type TransactionId } from "./domain/ids";
import { invariant } from "./domain/invariant";
import { reasonOf } from "./domain/thrown";
import { instantOfMicros } from "./domain/time";
import { JournalClient, type JournalParts, shardStub } from "./durable/journal/client";
import { Inspector } from "./durable/journal/inspector";
import type { JobMessage } from "./queues/jobs";
import { endpointsOf, sendEvents, type WebhookMessage } from "./queues/webhooks";
import { balanceCreatedEvent, transactionEvent } from "./schemas/event";
import type { LedgerContext } from "./services/context";
import { continueWalk } from "./services/integrity/continue";
import { BalancesTable } from "./storage/balances";
import { Copies } from "./storage/copies";
import { keepLetters, type StoredLetter } from "./storage/dead-letters";
import { IdentitiesTable } from "./storage/identities";
import { allInstances, type Instance, instanceById } from "./storage/instances";
import { LedgersTable } from "./storage/ledgers";
import { OutboxTable } from "./storage/outbox";
import { TransactionsTable } from "./storage/transactions";

const DEFAULT_INSTANCE = "default";
const WEBHOOK_TIMEOUT_MS = 30_000;
const OUTBOX_PAGE = 100;

/** What the bindings become: all that the rest of the Worker sees of them. */
export interface Composition {
  /** The ledger of the default instance: a promise until D1 was read for the first time, which throws while it cannot be. */
  ledger(): LedgerContext | Promise<LedgerContext>;
  /** Null when none is configured; never empty. */
  readonly masterKey: string | null;
  /** Whether every caller on this very machine is the master. */
  readonly authOff: boolean;
  /** Whether D1 answers. */
  healthy(): Promise<boolean>;
  /** A static asset by its path. */
  asset(path: string): Promise<Response>;
}

const byEnv = new WeakMap<Cloudflare.Env, Composition>();

/** The composition of these bindings: one for the life of an isolate. */
export function compose(env: Cloudflare.Env): Composition {
  const known = byEnv.get(env);
  if (known !== undefined) return known;
  const made = composed(env);
  byEnv.set(env, made);
  return made;
}

function composed(env: Cloudflare.Env): Composition {
  let ledger: LedgerContext | Promise<LedgerContext> | null = null;
  const read = async (): Promise<LedgerContext> => {
    try {
      ledger = await defaultLedger(env);
      return ledger;
    } catch (error) {
      // The next request tries again.
      ledger = null;
      throw error;
    }
  };
  return {
    ledger: () => {
      ledger ??= read();
      return ledger;
    },
    masterKey: masterKeyOf(env),
    authOff: env.AUTH === "off",
    healthy: async () => {
      const answer = await env.DB.prepare("SELECT 1")
        .first()
        .catch(() => null);
      return answer !== null;
    },
    asset: (path) => env.ASSETS.fetch(new URL(path, "https://assets.invalid")),
  };
}

const masterKeyOf = ({ PURSER_MASTER_KEY: key }: Cloudflare.Env): string | null =>
  key === undefined || key === "" ? null : key;

async function defaultLedger(env: Cloudflare.Env): Promise<LedgerContext> {
  const instance = await instanceById(env.DB, DEFAULT_INSTANCE);
  invariant(instance !== null, "the default instance is in D1: its migrations were applied");
  return ledgerOf(env, instance);
}

function ledgerOf(env: Cloudflare.Env, { instanceId, journalShards }: Instance): LedgerContext {
  const parts = { ...journalParts(env, instanceId), shards: journalShards };
  return {
    instance: instanceId,
    journal: new JournalClient(parts),
    inspector: new Inspector(parts),
    copies: new Copies(env.DB, instanceId),
    ledgers: new LedgersTable(env.DB, instanceId),
    identities: new IdentitiesTable(env.DB, instanceId),
    balances: new BalancesTable(env.DB, instanceId),
    transactions: new TransactionsTable(env.DB, instanceId),
    announce: announcerOf(env, instanceId),
    now: () => instantOfMicros(Date.now() * 1000),
    uuid: () => crypto.randomUUID(),
    isRepeat: false,
  };
}

/** Events of ledgers and identities are stored with their records. */
const keptAlready = async (): Promise<void> => {};

/** Sends an event right after its record was answered. Whatever fails here the run of every minute does. */
function announcerOf(env: Cloudflare.Env, instance: string): LedgerContext["announce"] {
  const endpoints = endpointsOf(env.WEBHOOK_URLS);
  if (endpoints.length === 0) return null;
  const outbox = new OutboxTable(env.DB, instance);
  const send = async (event: LedgerEvent): Promise<void> => {
    try {
      await sendEvents(env.WEBHOOKS, { instance, events: [event], endpoints, keep: keptAlready });
      await outbox.markSent([event.id]);
    } catch (error) {
      console.error({ event: "outbox.not_sent", event_id: event.id, error: reasonOf(error) });
    }
  };
  return (event) => waitUntil(send(event));
}

const journalParts = (env: Cloudflare.Env, instance: string): Omit<JournalParts, "shards"> => ({
  instance,
  journal: env.JOURNAL,
  balances: env.BALANCES,
});

/** What the queue consumers need. */
export function composeConsumers(env: Cloudflare.Env) {
  return {
    endpoints: endpointsOf(env.WEBHOOK_URLS),
    queues: [env.WEBHOOKS_1, env.WEBHOOKS_2, env.WEBHOOKS_3, env.WEBHOOKS_4],
    signingKey: masterKeyOf(env),
    timeoutMs: WEBHOOK_TIMEOUT_MS,
    loopback: env.WEBHOOK_LOOPBACK === "on",
    applyMany: (instance: string, shard: number, ids: readonly TransactionId[]) =>
      shardStub(journalParts(env, instance), shard).applyMany({ ids }),
    doJob: async ({ instance, shard, batchId }: JobMessage) => {
      await shardStub(journalParts(env, instance), shard).driveBatch({ batchId });
    },
    bodyOf: (message: WebhookMessage) => bodyOf(env, message),
    keepDeadLetters: (letters: readonly StoredLetter[]) => keepLetters(env.DB, letters),
  };
}

/**
 * The body of an event that was too long for its message. One that nobody has kept, such as of a version that kept none, is made
 * anew; null when its record is not in that state.
 */
async function bodyOf(
  env: Cloudflare.Env,
  { instance, id, content }: WebhookMessage,
): Promise<string | null> {
  if (content.kind === "body") return content.body;
  const kept = await new OutboxTable(env.DB, instance).bodyOf(id);
  if (kept !== null) return kept;
  const { record, recordId } = content;
  if (record === "ledger" || record === "identity") return null;
  const known = await instanceById(env.DB, instance);
  if (known === null) return null;
  const { journal } = ledgerOf(env, known);
  if (record === "balance") {
    const balance = isBalanceId(recordId) ? await journal.balance(recordId) : null;
    return balance === null ? null : balanceCreatedEvent(balance).body;
  }
  const transaction = isTransactionId(recordId) ? await journal.byId(recordId) : null;
  const event = transaction === null ? null : transactionEvent(transaction);
  return event?.id === id ? event.body : null;
}

/** What the run of every minute needs. */
export async function composeScheduled(env: Cloudflare.Env) {
  const instances = await allInstances(env.DB);
  const shards = instances.flatMap(({ instanceId, journalShards }) =>
    Array.from({ length: journalShards }, (_none, shard) => ({
      name: `${instanceId}/journal/${shard}`,
      touch: () => shardStub(journalParts(env, instanceId), shard).touch(),
    })),
  );
  return {
    shards,
    sweepOutbox: async () => {
      for (const { instanceId } of instances) await sweepOutbox(env, instanceId);
    },
    audits: instances.map((instance) => ({
      name: instance.instanceId,
      findings: () => continueWalk(ledgerOf(env, instance)),
    })),
  };
}

/** Sends stored events that were not sent yet. Repeatable: receivers know an event by its id. */
async function sweepOutbox(env: Cloudflare.Env, instance: string): Promise<void> {
  const outbox = new OutboxTable(env.DB, instance);
  const endpoints = endpointsOf(env.WEBHOOK_URLS);
  for (;;) {
    const events = await outbox.unsent(OUTBOX_PAGE);
    if (events.length === 0) return;
    await sendEvents(env.WEBHOOKS, { instance, events, endpoints, keep: keptAlready });
    await outbox.markSent(events.map(({ id }) => id));
  }
}
