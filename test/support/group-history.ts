import { runDurableObjectAlarm } from "cloudflare:test";
import type { BatchId } from "../../src/domain/ids";
import { type ReadBatch, readBatch } from "../../src/services/batches/read";
import { type Audit, audit, workLeft } from "./audit";
import { contextOf } from "./context";
import { clearFaults, deathsOver, lateCalls, setFaults } from "./faults";
import { type BatchOp, GROUP_SHARDS, type GroupHistory, type Place } from "./group-arbitraries";
import { type Calls, Player, type Setting } from "./group-player";
import { letFail, PROFILE, QUIET } from "./history";
import { newBalanceId } from "./records";
import { until } from "./until";
import { World } from "./world";

/** A history as it went. */
export interface Chapter extends Calls {
  readonly history: GroupHistory;
  /** Begins the references of this history, which no other one has. */
  readonly prefix: string;
  readonly beganMs: number;
  readonly endedMs: number;
}

/** The life of a ledger: histories, one after the other, and what they left behind. */
export interface GroupCourse {
  readonly chapters: readonly Chapter[];
  readonly world: World;
  readonly places: ReadonlyMap<Place, string>;
  /** Every batch as `GET` shows it at rest; null for one that never arrived. */
  readonly shown: ReadonlyMap<BatchId, ReadBatch | null>;
  readonly seen: Audit;
}

/** Minor units that the balances of a ledger start with. */
const FUNDS: ReadonlyMap<Place, bigint> = new Map([
  ["@a", 60n],
  ["@b", 40n],
  ["@c", 20n],
  ["@d", 10n],
  ["@credit", 1n],
  ["owned", 40n],
]);

const REST_MS = 30_000;

/** Carries out histories in a ledger of their own, lets it come to rest after each, and reads everything. */
export async function playGroups(histories: readonly GroupHistory[]): Promise<GroupCourse> {
  const world = new World("groups", GROUP_SHARDS);
  const [owned, euro] = [newBalanceId(), newBalanceId()];
  const places = new Map<Place, string>([
    ["owned", owned],
    ["euro", euro],
    ["nobody", newBalanceId()],
  ]);
  setFaults(world.instance, QUIET);
  await Promise.all([
    world.journal.createBalance({ ...PROFILE, balanceId: owned }),
    world.journal.createBalance({ ...PROFILE, balanceId: euro, currency: "EUR" }),
  ]);
  const chapters: Chapter[] = [await playOne(FIRST, { world, places, prefix: "" })];
  for (const history of histories) {
    chapters.push(await playOne(history, { world, places, prefix: `${chapters.length}: ` }));
  }
  const context = contextOf(world);
  const sent = chapters.flatMap(({ batches }) => batches.map(({ batchId }) => batchId));
  const shown = await Promise.all(
    [...new Set(sent)].map(async (id): Promise<[BatchId, ReadBatch | null]> => {
      const read = await readBatch(context, id);
      return [id, read.ok ? read.value : null];
    }),
  );
  const seen = await audit(world);
  clearFaults(world.instance);
  return { chapters, world, places, shown: new Map(shown), seen };
}

async function playOne(history: GroupHistory, setting: Setting): Promise<Chapter> {
  const { instance } = setting.world;
  const player = new Player(setting);
  const beganMs = Date.now();
  const arrive = letFail(instance, history);
  let wave: Promise<unknown>[] = [];
  for (const command of history.commands) {
    if (command.waits) {
      await Promise.all(wave);
      wave = [];
    }
    wave.push(player.send(command, history.deliveries));
  }
  await Promise.all(wave);
  setFaults(instance, QUIET);
  arrive();
  await rest(setting.world);
  await player.repeatNamed();
  return { history, prefix: setting.prefix, beganMs, endedMs: Date.now(), ...player.calls };
}

const funding: BatchOp = {
  kind: "batch",
  items: [...FUNDS].map(([to, amount]) => ({
    reference: `for ${to}`,
    from: "@world",
    to,
    amount,
  })),
  atomic: true,
  inflight: false,
  skipQueue: true,
  runAsync: false,
};

/** Where all money comes from. */
const FIRST: GroupHistory = {
  commands: [{ op: funding, named: false, sends: 1, waits: false }],
  deliveries: 0,
  queue: "swallowed",
  faults: [],
};

/**
 * Nothing fails any more, and what is late has arrived: whatever can come to its end does. Throws when something is
 * stuck.
 */
async function rest(world: World): Promise<void> {
  await deathsOver(world.instance);
  await until(
    async () => {
      await world.journal.barrier();
      const left = lateCalls(world.instance) + (await workLeft(world));
      if (left > 0) {
        await world.journal.recover(-60_000);
        await ringAll(world);
      }
      return left;
    },
    (left) => left === 0,
    (left) => `${world.instance} does not come to rest: ${left} left`,
    REST_MS,
  );
}

const ringAll = (world: World) =>
  Promise.allSettled(world.shards().map((shard) => runDurableObjectAlarm(shard)));
