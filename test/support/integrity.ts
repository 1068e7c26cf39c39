import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Finding } from "../../src/domain/finding";
import { instantOfMicros } from "../../src/domain/time";
import { Inspector } from "../../src/durable/journal/inspector";
import type { IntegrityStep } from "../../src/schemas/integrity";
import type { AuditContext } from "../../src/services/context";
import { checkIntegrity } from "../../src/services/integrity/walk";
import { Copies } from "../../src/storage/copies";
import { workLeft } from "./audit";
import { SHARDS, World } from "./world";

export type Column = string | number | null;
export type Columns = Readonly<Record<string, Column>>;

export const contextOf = ({ instance }: World, aheadMs = 0): AuditContext => ({
  instance,
  inspector: new Inspector({
    instance,
    shards: SHARDS,
    journal: env.JOURNAL,
    balances: env.BALANCES,
  }),
  copies: new Copies(env.DB, instance),
  now: () => instantOfMicros((Date.now() + aheadMs) * 1000),
});

/** A whole walk, step by step. */
export async function walk(
  world: World,
  { limit = 200, aheadMs = 0 } = {},
): Promise<IntegrityStep[]> {
  const ctx = contextOf(world, aheadMs);
  const steps: IntegrityStep[] = [];
  let cursor: string | null = null;
  do {
    const step = await checkIntegrity(ctx, { cursor, limit });
    if (!step.ok) throw new Error(step.error.message);
    steps.push(step.value);
    cursor = step.value.nextCursor;
  } while (cursor !== null);
  return steps;
}

export const findingsOf = (steps: readonly IntegrityStep[]): Finding[] =>
  steps.flatMap(({ findings }) => [...findings]);

export const found = async (world: World): Promise<Finding[]> => findingsOf(await walk(world));

export const codes = async (world: World): Promise<string[]> => [
  ...new Set((await found(world)).map(({ code }) => code)),
];

/** Something else of the same kind. */
function otherThan(value: Column): Column {
  if (value === null) return "x";
  if (typeof value === "number") return value === 0 ? 1 : value === 1 ? 0 : value + 1000;
  return value === "" ? "x" : `${value.slice(0, -1)}${value.endsWith("1") ? "2" : "1"}`;
}

/** Puts something else in one column, looks what is found, and puts it back. */
export async function tamperedWith(
  world: World,
  row: Columns,
  column: string,
  write: (value: Column) => Promise<unknown>,
): Promise<string[]> {
  const before = row[column] ?? null;
  await write(otherThan(before));
  try {
    return await codes(world);
  } finally {
    await write(before);
  }
}

/** A ledger with a transfer, a hold, its commit, a refund and a rejection, all of it in D1. */
export async function soundWorld(): Promise<World> {
  const world = new World("audited");
  await world.fund("@alice", 1_000n);
  const metaData = '{"purpose":"rent","text":"ä 漢"}';
  await world.post({ reference: "plain", from: "@alice", to: "@bob", amount: 100n, metaData });
  await world.post({ reference: "hold", from: "@alice", to: "@bob", amount: 50n, inflight: true });
  await world.commit("hold", 20n);
  await world.refund(world.idOf("plain"), { amount: 30n });
  const queued = { reference: "poor", from: "@bob", to: "@alice", amount: 900n, skipQueue: false };
  await world.post(queued);
  await expect.poll(async () => (await world.read("poor"))?.status).toBe("REJECTED");
  expect(await world.journal.barrier()).toBe(true);
  await expect.poll(() => workLeft(world), { timeout: 20_000 }).toBe(0);
  return world;
}
