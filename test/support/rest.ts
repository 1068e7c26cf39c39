import { expect, vi } from "vitest";
import type { BalanceSnapshot } from "../../src/domain/balance-record";
import type { Transaction } from "../../src/domain/transaction";
import { type Audit, audit, ungrouped, workLeft } from "./audit";
import { clearFaults, deathsOver, lateCalls } from "./faults";
import { outgoing } from "./outgoing";
import type { World } from "./world";

/** Longer than any sweep of the journal, in milliseconds. */
const SWEEP_MS = 61_000;

/**
 * Nothing fails any more, time goes by, alarms ring: what can come to its end does. For tests whose `Date` is fake.
 * Throws when anything is stuck.
 */
export async function rest(world: World): Promise<void> {
  clearFaults(world.instance);
  await deathsOver(world.instance);
  await expect.poll(() => lateCalls(world.instance), { timeout: 20_000, interval: 10 }).toBe(0);
  const shards = world.shards();
  await Promise.all(shards.map((shard) => shard.touch()));
  await world.ring();
  await expect
    .poll(
      async () => {
        vi.setSystemTime(Date.now() + SWEEP_MS);
        await world.ring();
        await world.journal.barrier();
        return workLeft(world);
      },
      { timeout: 30_000, interval: 60 },
    )
    .toBe(0);
}

/** The states in which a record may stay. */
const RESTING = ["APPLIED", "INFLIGHT", "VOID", "REJECTED", "SCHEDULED"];

/** What a world came to, in words that are the same in every world: no id, no time. */
export interface State {
  /** Every record: what it is, under what, how much, and its status. */
  readonly records: readonly string[];
  /** Credit, debit, inflight credit and inflight debit, by indicator or owner. */
  readonly balances: readonly string[];
  /** Credited, spent and held of every provider, by whose it is. */
  readonly funds: readonly string[];
  /** Every event that left, once. */
  readonly events: readonly string[];
}

/** The state at rest; checks on the way that D1 equals the objects (law 8) and that nothing is half done. */
export async function stateOf(world: World): Promise<State> {
  const seen = await audit(world);
  expectD1(seen);
  for (const { status, posting } of seen.rows) {
    expect(RESTING, posting.reference).toContain(status);
  }
  return {
    records: [...seen.shown.values()]
      .filter((each) => !isFallen(each))
      .map((each) => labelOf(each, seen))
      .sort(),
    balances: [...seen.balances.values()]
      .map(({ snapshot }) => named(balanceLabel(snapshot), seen))
      .sort(),
    funds: await fundsOf(world, seen),
    events: eventsOf(world, seen),
  };
}

/** Law 8: D1 has what the objects have, and nothing else. */
export function expectD1({ shown, projected, balances, projectedBalances }: Audit): void {
  expect(ungrouped(projected)).toEqual(ungrouped(shown));
  const standing = new Map([...balances].map(([id, { snapshot }]) => [id, snapshot]));
  for (const [id, snapshot] of projectedBalances) {
    const inObject = [...standing].find(([each]) => each === id)?.[1];
    if (inObject !== undefined) expect(snapshot).toEqual(inObject);
  }
  expect([...projectedBalances.keys()]).toEqual(expect.arrayContaining([...standing.keys()]));
}

interface Sent {
  readonly id: string;
  readonly event: string;
  readonly content: { readonly kind: string; readonly body?: string };
}

/** Every event that left so far, with repetitions. */
export const sentEvents = (world: World): readonly Sent[] =>
  outgoing(world.instance, "webhooks.sendBatch") as readonly Sent[];

async function fundsOf(world: World, { balances }: Audit): Promise<string[]> {
  const tracking = [...balances.values()].filter(({ snapshot }) => snapshot.trackFundLineage);
  const found = await Promise.all(
    tracking.map(async ({ snapshot }) => {
      const kept = await world.journal.balanceLineage(snapshot.balanceId);
      return (kept?.funds ?? []).map(
        ({ provider, credited, spent, held }) =>
          `${provider} of ${snapshot.identityId}: ${credited} ${spent} ${held}`,
      );
    }),
  );
  return found.flat().sort();
}

/** Ids are of one world alone: in a text, whose they are stands for them. */
function named(text: string, seen: Audit): string {
  const owners = new Map([...seen.balances].map(([id, { snapshot }]) => [`${id}`, snapshot]));
  const ids = new Map([...seen.shown].map(([id, transaction]) => [`${id}`, transaction]));
  return text
    .replaceAll(/bln_[0-9a-f-]{36}/g, (id) => owners.get(id)?.identityId || id)
    .replaceAll(/txn_[0-9a-f-]{36}/g, (id) => {
      const transaction = ids.get(id);
      return transaction === undefined ? id : nameOf(transaction, seen);
    });
}

function eventsOf(world: World, seen: Audit): string[] {
  const labels = sentEvents(world).flatMap(({ event, content }) => {
    const { data } = JSON.parse(content.body ?? "{}");
    if (event.startsWith("balance."))
      return named(`${event} ${data.indicator ?? data.identity_id}`, seen);
    const shown = [...seen.shown.values()].find(
      ({ transactionId }) => transactionId === data.transaction_id,
    );
    if (shown !== undefined && isFallen(shown)) return [];
    return `${event} ${shown === undefined ? "of nothing" : nameOf(shown, seen)}`;
  });
  return [...new Set(labels)].sort();
}

/** A settlement that fell with its hold: whether there was one depends on which of the two was first. */
const isFallen = ({ kind, status }: Transaction): boolean =>
  status === "REJECTED" && (kind === "commit" || kind === "void");

/** A child has a reference that is made of ids: it is named by its parent. */
function nameOf(transaction: Transaction, seen: Audit): string {
  const parent = [...seen.shown.values()].find(
    ({ transactionId }) => transactionId === transaction.parentTransaction,
  );
  const { kind, reference, preciseAmount } = transaction;
  if (parent !== undefined) return `${kind} of ${preciseAmount} under ${nameOf(parent, seen)}`;
  return reference.startsWith("fund-") ? "fund" : named(reference, seen);
}

function labelOf(transaction: Transaction, seen: Audit): string {
  const { status, preciseAmount, inflightRemaining, metaData } = transaction;
  // What a queued one carries names ids.
  const own = metaData?.includes("QUEUED_PARENT_TRANSACTION")
    ? "queue marks"
    : named(metaData ?? "none", seen);
  return `${nameOf(transaction, seen)}: ${preciseAmount} ${status} ${inflightRemaining} ${own}`;
}

function balanceLabel(snapshot: BalanceSnapshot): string {
  const { indicator, identityId, metaData, credit, debit, inflightCredit, inflightDebit } =
    snapshot;
  return `${indicator || identityId}: ${credit} ${debit} ${inflightCredit} ${inflightDebit} ${metaData}`;
}
