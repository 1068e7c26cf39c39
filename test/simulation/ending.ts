import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { instantOfMicros } from "../../src/domain/time";
import type { Transaction } from "../../src/domain/transaction";
import { checkIntegrity } from "../../src/services/integrity/walk";
import { Copies } from "../../src/storage/copies";
import { readJson, type Value } from "../support/api";
import { type Audit, audit, type StoredRow, ungrouped, workLeft } from "../support/audit";
import { clearFaults, lateCalls, setFaults } from "../support/faults";
import { sentEvents } from "../support/rest";
import { UNKNOWN_FIELD } from "../support/shapes";
import type { World } from "../support/world";
import type { Clock } from "./clock";
import { fieldIn } from "./requests";
import { QUIET } from "./weather";

/** A record as its ledger shows it in the end, and the names of the request that made it. Amounts are minor units. */
export interface Record {
  readonly id: string;
  readonly kind: Transaction["kind"];
  /** The record or batch that it follows from; "" for a root. */
  readonly parent: string;
  readonly reference: string;
  readonly description: string;
  /** The key of the operation that made it, as its shard keeps it. */
  readonly key: string;
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly status: string;
  readonly currency: string;
  /** Of a hold, what is neither committed nor voided; null of anything else. */
  readonly remaining: bigint | null;
  readonly inflight: boolean;
  /** The split or batch that decides about it, all or nothing; null when it stands alone. */
  readonly group: string | null;
}

/** What changed a balance, with the balance after it. */
export interface Entry {
  readonly transactionId: string;
  readonly side: string;
  readonly action: string;
  readonly amount: bigint;
  readonly credit: bigint;
  readonly debit: bigint;
  readonly inflightCredit: bigint;
  readonly inflightDebit: bigint;
  readonly version: number;
  readonly atMs: number;
}

export interface Balance {
  readonly id: string;
  readonly currency: string;
  readonly credit: bigint;
  readonly debit: bigint;
  readonly inflightCredit: bigint;
  readonly inflightDebit: bigint;
  /** What it keeps back for splits and batches. */
  readonly reserved: bigint;
  readonly entries: readonly Entry[];
}

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly transactionId: string;
  /** Everything that it says, as one text; without metadata, which may change. */
  readonly text: string;
  /** What it tells of, every digit kept. */
  readonly data: Value;
}

/** All that a ledger has come to. */
export interface Ending {
  readonly records: readonly Record[];
  readonly balances: readonly Balance[];
  readonly events: readonly SentEvent[];
  /** Where D1 and the objects differ, in words. */
  readonly differences: readonly string[];
  /** What never came to its end; "" when all did. */
  readonly stuck: string;
  /** What the ledger's own walk finds wrong, in words. */
  readonly findings: readonly string[];
  /** The moment from which on only time went by, and what the clock said then. */
  readonly restedAt: number;
  readonly restedAtMs: number;
  /** For when each shard had set its alarm at that moment; null when it had none. */
  readonly alarms: readonly (number | null)[];
}

/** Longer than any sweep of the journal, and than any timer of a plan, in milliseconds. */
const SWEEP_MS = 61_000;
const ALL_DUE_MS = 2 * 86_400_000;
const PATIENCE_MS = 12_000;

/** Nothing fails any more, time goes by, alarms ring: what can come to its end does. Then everything is read. */
export async function endingOf(world: World, clock: Clock): Promise<Ending> {
  setFaults(world.instance, QUIET);
  const alarms = await alarmsOf(world);
  const [restedAt, restedAtMs] = [clock.tick(), Date.now()];
  const stuck = await rest(world)
    .then(() => "")
    .catch(() => "work is left that never ends");
  const seen = await audit(world);
  const findings = await findingsOf(world);
  clearFaults(world.instance);
  return {
    records: seen.rows.flatMap((row) => recordOf(row, seen)),
    balances: [...seen.balances.values()].map(({ snapshot, entries, reserved }) => ({
      ...snapshot,
      id: snapshot.balanceId,
      reserved: reserved.reduce((total, each) => total + each, 0n),
      entries: entries.map((entry) => ({ ...entry, atMs: Date.parse(entry.at) })),
    })),
    events: sentEvents(world).map(({ id, event, content }) => {
      const { data, ...beside } = JSON.parse(content.body ?? "{}");
      const text = JSON.stringify({ ...beside, data: { ...data, meta_data: null } });
      const told = fieldIn(readJson(content.body ?? "{}"), "data") ?? null;
      return { id, event, transactionId: String(data?.transaction_id ?? ""), text, data: told };
    }),
    differences: differencesOf(seen),
    stuck,
    findings,
    restedAt,
    restedAtMs,
    alarms,
  };
}

/** The alarms of all shards as they stand when the run of every minute has touched them. */
async function alarmsOf(world: World): Promise<(number | null)[]> {
  await Promise.allSettled(world.shards().map((shard) => shard.touch()));
  return Promise.all(
    world
      .shards()
      .map((stub) => runInDurableObject(stub, (_shard, { storage }) => storage.getAlarm())),
  );
}

/** What the product's walk over everything finds: at rest there must be nothing. */
async function findingsOf(world: World): Promise<string[]> {
  const { instance, inspector } = world;
  const now = () => instantOfMicros(Date.now() * 1_000);
  const ctx = { instance, inspector, copies: new Copies(env.DB, instance), now };
  const words: string[] = [];
  let cursor: string | null = null;
  do {
    const step = await checkIntegrity(ctx, { cursor, limit: 1_000 });
    if (!step.ok) return [...words, `the walk fails: ${step.error.message}`];
    words.push(...step.value.findings.map(({ code, id, message }) => `${code} ${id}: ${message}`));
    cursor = step.value.nextCursor;
  } while (cursor !== null);
  return words;
}

async function rest(world: World): Promise<void> {
  const patience = { timeout: PATIENCE_MS, interval: 5 };
  await expect.poll(() => lateCalls(world.instance), patience).toBe(0);
  vi.setSystemTime(Date.now() + ALL_DUE_MS);
  const left = async () => {
    vi.setSystemTime(Date.now() + SWEEP_MS);
    await Promise.allSettled(world.shards().map((shard) => shard.touch()));
    await world.ring();
    await world.journal.barrier();
    return workLeft(world);
  };
  await expect.poll(left, { ...patience, interval: 10 }).toBe(0);
}

function recordOf(row: StoredRow, { shown }: Audit): Record[] {
  const { posting, operationKey: key, status } = row;
  const seen = shown.get(row.id);
  const { kind, reference, description, inflight, group } = posting;
  // A pointer is shown as the leg that it leads to: it is nothing of its own.
  if (kind === "pointer") return [];
  return [
    {
      id: row.id,
      kind,
      parent: posting.parentTransaction,
      reference,
      description,
      key,
      source: posting.source.balanceId,
      destination: posting.destination.balanceId,
      amount: posting.preciseAmount,
      currency: posting.currency,
      status: seen?.status ?? `${status}, but not shown`,
      remaining: seen?.inflightRemaining ?? null,
      inflight,
      group,
    },
  ];
}

/** Law 8: D1 has what the objects have, and nothing else. */
function differencesOf({ rows, shown, projected, balances, projectedBalances }: Audit): string[] {
  const wanted = new Map<string, string>();
  const told = ungrouped(shown);
  for (const { id, posting } of rows) {
    // Of splits and of references that lead elsewhere D1 knows nothing, nor which group a record belongs to.
    if (posting.kind === "split" || posting.kind === "pointer") continue;
    wanted.set(id, textOf(told.get(id)));
  }
  for (const [id, { snapshot }] of balances) wanted.set(id, textOf(snapshot));
  const found = new Map<string, string>();
  for (const [id, row] of ungrouped(projected)) found.set(id, textOf(row));
  for (const [id, row] of projectedBalances) if (wanted.has(id)) found.set(id, textOf(row));
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((id) => wanted.get(id) !== found.get(id))
    .map((id) => `${id}: ${differenceOf(wanted.get(id), found.get(id))}`);
}

function differenceOf(wanted: string | undefined, found: string | undefined): string {
  if (wanted === undefined) return `only D1 has it: ${found}`;
  if (found === undefined) return `D1 does not have it: ${wanted}`;
  const at = Array.from(wanted).findIndex((letter, index) => letter !== found[index]);
  const near = (text: string) => text.slice(Math.max(0, at - 40), at + 40);
  return `the object has …${near(wanted)}…, D1 has …${near(found)}…`;
}

/** The same text for the same content, whatever the order of keys, and without the field that no version knows. */
const textOf = (value: object | null | undefined): string =>
  JSON.stringify(value ?? null, (key, part: unknown) => {
    if (key === UNKNOWN_FIELD) return undefined;
    if (typeof part === "bigint") return `${part}n`;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
