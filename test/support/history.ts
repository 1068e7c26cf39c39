import { runDurableObjectAlarm } from "cloudflare:test";
import type { Transaction } from "../../src/domain/transaction";
import type { OperationKey } from "../../src/durable/journal/protocol";
import type { Account, Command, History, Op } from "./arbitraries";
import { type Audit, audit, workLeft } from "./audit";
import {
  type CallFault,
  clearFaults,
  deathsOver,
  type Fate,
  type Fault,
  fateOf,
  killAt,
  type StepFault,
  setFaults,
  WELL,
} from "./faults";
import { outgoing } from "./outgoing";
import { anonymous } from "./postings";
import { MADE_AT, newBalanceId } from "./records";
import { until } from "./until";
import { named, World } from "./world";

/** What a caller was told. `unknown`: an error that says neither yes nor no. */
export type Told =
  | { readonly kind: "yes"; readonly transaction: Transaction; readonly queued: boolean }
  | { readonly kind: "no"; readonly code: string; readonly details: unknown }
  | { readonly kind: "seen"; readonly transaction: Transaction | null }
  | { readonly kind: "unknown" };

/** One request and its answer. Ticks order the beginnings and ends of a history's calls. */
export interface Call {
  readonly op: Op;
  readonly operation: OperationKey;
  readonly began: number;
  readonly ended: number;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly told: Told;
}

/** A history as it went, and what it left behind. */
export interface Course {
  readonly history: History;
  readonly world: World;
  readonly names: ReadonlyMap<Account, string>;
  readonly calls: readonly Call[];
  readonly endedMs: number;
  readonly seen: Audit;
}

/** Money that the balances of a history start with, in minor units. */
const FUNDS = 60n;
/** How long a history may take to come to rest, in milliseconds. */
const REST_MS = 30_000;

/** Carries out a history in a ledger of its own, lets it come to rest, and reads everything. */
export async function play(history: History): Promise<Course> {
  const world = new World("history", history.shards);
  const owned = newBalanceId();
  const names = new Map<Account, string>([
    ["@world", "@world"],
    ["@a", "@a"],
    ["@b", "@b"],
    ["owned", owned],
    ["nobody", newBalanceId()],
  ]);
  setFaults(world.instance, QUIET);
  await world.journal.createBalance({ ...PROFILE, balanceId: owned });
  const player = new Player(world, names);
  const funding = (["@a", "owned"] as const).map((to) => player.send(fundingOf(to)));
  await Promise.all(funding);
  const over = letFail(world.instance, history);
  let wave: Promise<unknown>[] = [];
  for (const command of history.commands) {
    if (command.waits) {
      await Promise.all(wave);
      wave = [];
    }
    for (let sent = 0; sent < command.sends; sent += 1) wave.push(player.send(command));
  }
  await Promise.all(wave);
  setFaults(world.instance, QUIET);
  over();
  await rest(world);
  const seen = await audit(world);
  clearFaults(world.instance);
  return { history, world, names, calls: player.calls, endedMs: Date.now(), seen };
}

/** Queues that lead nowhere: events are another law's, and who plays a history does its jobs himself. */
const SWALLOWED: readonly string[] = ["webhooks.sendBatch", "jobs.send"];

/** Nothing fails. */
export const QUIET = {
  call: ({ method }: { readonly method: string }): Fate =>
    SWALLOWED.includes(method) ? { kind: "swallowed" } : WELL,
};

/** A balance that is made by its owner; its id is to be added. */
export const PROFILE = {
  ledgerId: "ldg_of_a_test",
  identityId: "",
  currency: "USD",
  indicator: "",
  createdAt: MADE_AT,
  metaData: null,
  trackFundLineage: false,
  allocationStrategy: "FIFO",
} as const;

const fundingOf = (to: Account): Command => ({
  op: {
    kind: "post",
    reference: `funds of ${to}`,
    from: "@world",
    to,
    amount: FUNDS,
    currency: "USD",
    inflight: false,
    skipQueue: true,
    overdraft: { kind: "unlimited" },
  },
  key: null,
  sends: 1,
  waits: false,
});

class Player {
  readonly calls: Call[] = [];
  readonly #world: World;
  readonly #names: ReadonlyMap<Account, string>;
  #ticks = 0;

  constructor(world: World, names: ReadonlyMap<Account, string>) {
    this.#world = world;
    this.#names = names;
  }

  async send({ op, key }: Command): Promise<void> {
    const operation = key === null ? anonymous() : named(key, fingerprintOf(op));
    this.#ticks += 1;
    const began = this.#ticks;
    const beganMs = Date.now();
    const told = await this.#ask(op, operation).catch((): Told => ({ kind: "unknown" }));
    this.#ticks += 1;
    const ended = this.#ticks;
    this.calls.push({ op, operation, began, ended, beganMs, endedMs: Date.now(), told });
  }

  async #ask(op: Op, operation: OperationKey): Promise<Told> {
    const world = this.#world;
    switch (op.kind) {
      case "post": {
        const { from, to, ...rest } = op;
        const transfer = { ...rest, from: this.#nameOf(from), to: this.#nameOf(to) };
        return toldOf(await world.post(transfer, operation), (value) => [value, !op.skipQueue]);
      }
      case "commit":
      case "void": {
        const { reference, amount, skipQueue } = op;
        const how = { skipQueue, operation };
        const answer =
          op.kind === "commit"
            ? await world.commit(reference, amount, how)
            : await world.void(reference, how);
        return toldOf(answer, ({ transaction, queued }) => [transaction, queued]);
      }
      case "refund": {
        const { reference, amount, skipQueue } = op;
        const how = { skipQueue, operation, ...(amount === null ? {} : { amount }) };
        const answer = await world.refund(world.idOf(reference), how);
        return toldOf(answer, (value) => [value, !skipQueue]);
      }
      case "deliver": {
        const ids = [world.idOf(op.reference)];
        await world.shardOf(op.reference).applyMany({ ids });
        return { kind: "unknown" };
      }
      case "read":
        return { kind: "seen", transaction: await world.read(op.reference) };
    }
  }

  #nameOf(account: Account): string {
    return this.#names.get(account) ?? account;
  }
}

/** The text that stands for a request's body. */
export const fingerprintOf = (op: Op): string =>
  JSON.stringify(op, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );

function toldOf<T>(
  answer:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: { readonly code: string; readonly details?: unknown } },
  shownBy: (value: T) => readonly [Transaction, boolean],
): Told {
  if (answer.ok) {
    const [transaction, queued] = shownBy(answer.value);
    return { kind: "yes", transaction, queued };
  }
  const { code, details } = answer.error;
  if (code === "GEN_OUTCOME_UNKNOWN") return { kind: "unknown" };
  return { kind: "no", code, details };
}

/** Puts a history's faults in force. What is late arrives when the answer is called. */
export function letFail(
  instance: string,
  { faults, queue }: Pick<History, "faults" | "queue">,
): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const steps: StepFault[] = [];
  const calls: CallFault[] = [];
  for (const fault of faults) {
    if (fault.kind === "death") steps.push(killAt(fault.step, fault));
    else
      calls.push(
        fateOf(
          fault.method,
          fateFor(fault, () => promise),
          fault.nth,
        ),
      );
  }
  setFaults(instance, {
    step: async (step, victim) => {
      for (const strike of steps) await strike(step, victim);
    },
    call: (call) => {
      if (call.method === "apply.sendBatch") return { kind: queue };
      const fates = calls.map((each) => each(call));
      return fates.find(({ kind }) => kind !== "well") ?? QUIET.call(call);
    },
  });
  return resolve;
}

const fateFor = ({ fate }: Extract<Fault, { kind: "call" }>, until: () => Promise<void>): Fate =>
  fate === "late"
    ? { kind: fate, until }
    : fate === "slow" || fate === "stuck"
      ? { kind: "slow", until }
      : { kind: fate };

/** Nothing fails any more: whatever can come to its end does. Throws when something is stuck. */
export async function rest(world: World): Promise<void> {
  await deathsOver(world.instance);
  await until(
    async () => {
      // A minute ahead: those count that were made just now.
      await world.journal.recover(-60_000);
      const isTold = await world.journal.barrier();
      const left = await workLeft(world);
      if (isTold && left === 0) return true;
      await Promise.all(world.shards().map((shard) => runDurableObjectAlarm(shard)));
      return false;
    },
    (isAtRest) => isAtRest,
    () => {
      const left = outgoing(world.instance, "apply.sendBatch").length;
      return `${world.instance} does not come to rest; ${left} messages were sent`;
    },
    REST_MS,
  );
}
