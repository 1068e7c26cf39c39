import { createMessageBatch, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { composeConsumers } from "../../src/compose";
import { consume } from "../../src/consumers/queue";
import { indicatorBalanceId } from "../../src/domain/ids";
import { textOf, type Value } from "../support/api";
import { type App, appOf } from "../support/app";
import { deathsOver, lateCalls, setFaults } from "../support/faults";
import { faultyReads } from "../support/faulty-reads";
import { outgoing } from "../support/outgoing";
import { shaped } from "../support/shapes";
import { World } from "../support/world";
import { Clock } from "./clock";
import { type Ending, endingOf } from "./ending";
import { ACCOUNTS, type Account, type Currency, type Plan, type Send, type Step } from "./plan";
import { Random } from "./random";
import { ask, batchIdIn, isNamed, type Names, type Told } from "./requests";
import { letFail, QUIET, type Strike, type Weather } from "./weather";

/** One sending of a request and its answer, between two moments of the simulation's clock. */
export interface Call {
  readonly send: Send;
  /** What the clock said when the request was sent first. */
  readonly sentMs: number;
  readonly began: number;
  readonly ended: number;
  readonly told: Told;
}

/** One of the two ledgers of a simulation, as it went and as it ended. */
export interface Ledger {
  readonly calls: readonly Call[];
  /** The id of an account's balance. */
  balanceId(account: Account, currency?: Currency): string;
  /** The id that a reference leads to. */
  transactionId(reference: string): string;
  /** For when the shard of a transaction had set its alarm when only time went by; null when it had none. */
  alarmOf(id: string): number | null;
  readonly ending: Ending;
  readonly clock: Clock;
  /** In the end, every batch whose id a client was told, as it is answered for; without those that nobody knows. */
  readonly batches: ReadonlyMap<string, Value>;
  /** What went wrong in it. */
  readonly strikes: readonly Strike[];
  /** What other requests were told that were sent under the keys of these. */
  readonly mismatches: readonly { readonly send: Send; readonly told: Told }[];
}

export interface Course {
  readonly plan: Plan;
  readonly ledgers: readonly Ledger[];
  /** What went wrong, and what else happened. */
  readonly strikes: readonly Strike[];
}

/** Carries out a plan in two ledgers of their own, lets them come to rest, and reads all that they left. */
export async function play(plan: Plan): Promise<Course> {
  const clock = new Clock();
  const main = await Site.make("simulated", plan.shards, clock);
  const neighbour = await Site.make("neighbour", 1, clock);
  main.knows(neighbour);
  neighbour.knows(main);
  const weather = letFail(main.world.instance, plan, clock);
  let sent: Promise<void>[] = [];
  const answered = async () => {
    await Promise.all(sent);
    sent = [];
    // Those that nobody has asked for anything since are still to die.
    if (weather.hasten()) await main.wakeAll();
  };
  for (const step of plan.steps) {
    if (step.do === "send") {
      if (step.isLost) weather.note("client's reply lost");
      const site = step.neighbour ? neighbour : main;
      for (let time = 0; time < step.times; time += 1) sent.push(site.send(step));
    } else {
      // What is evicted is idle: the runtime waits for what is under way.
      if (step.do === "wait" || step.do === "evict") await answered();
      if (step.do !== "wait") await happen(step, main, weather);
    }
  }
  await answered();
  weather.clear();
  await Promise.all([main, neighbour].map((site) => site.isAnsweredAgain()));
  const ledgers = [await main.ends(weather.strikes), await neighbour.ends([])];
  return { plan, ledgers, strikes: weather.strikes };
}

/** What happens to a ledger without a client. */
async function happen(
  step: Exclude<Step, { do: "send" | "wait" }>,
  site: Site,
  weather: Weather,
): Promise<void> {
  switch (step.do) {
    case "advance":
      weather.note(step.ms < 0 ? "clock is set back" : "clock jumps");
      site.clock.tick(step.ms);
      return;
    case "ring":
      weather.note(step.twice ? "alarms ring twice" : "alarms ring");
      await site.world.ring();
      if (step.twice) await ringAgain(site.world);
      return;
    case "touch":
      await Promise.allSettled(site.world.shards().map((shard) => shard.touch()));
      return;
    case "deliver":
      return site.deliver(step, weather);
    case "abort":
      return weather.doom(step.after, step.durable);
    case "evict":
      // The runtime would wait long for what is late, and for what died.
      if (weather.strikes.some(({ isFault }) => isFault)) return;
      weather.note("all balances evicted");
      return site.evictBalances();
    case "deploy":
      weather.note("a deploy rolls out");
      return weather.roll(step.after, step.seed);
  }
}

/** Rings alarms that have rung already, as the platform may. */
async function ringAgain(world: World): Promise<void> {
  await Promise.allSettled(
    world.shards().map((stub) => runInDurableObject(stub, (shard) => shard.alarm?.())),
  );
}

const NO_BATCH = "bulk_00000000-0000-8000-8000-000000000000";

/** So often a client sends a request again at once. */
const RETRIES = 5;
/** So many keys of a ledger are used again for other requests. */
const OTHERS = 6;

/** Another request under the same key; null for one without a key. */
function otherThan(send: Send): Send | null {
  const { request } = send;
  if (!isNamed(send) || !("skipQueue" in request)) return null;
  const other =
    request.kind === "post"
      ? { ...request, amount: request.amount + 1n }
      : { ...request, skipQueue: !request.skipQueue };
  return { ...send, request: other };
}

/** A list when all is at rest: it must show everything. */
const lastly = (what: "transactions" | "balances"): Send => ({
  do: "send",
  name: `${what} in the end`,
  neighbour: false,
  request: { kind: "list", what },
  keyed: false,
  times: 1,
  isLost: false,
});

/** The queues that the simulation delivers itself, by the calls that fill them. */
const QUEUES = [
  ["apply.sendBatch", "purser-apply"],
  ["jobs.send", "purser-jobs"],
] as const;

/** A ledger with its clients and its queues. */
class Site {
  readonly world: World;
  readonly clock: Clock;
  readonly #app: App;
  readonly #owned: string;
  readonly #calls: Call[] = [];
  readonly #mismatches: { send: Send; told: Told }[] = [];
  readonly #sentMs = new Map<string, number>();
  #foreign = "";
  /** Messages that were delivered or lost, by their queue. */
  readonly #delivered = new Map<string, number>();

  private constructor(world: World, clock: Clock, app: App, owned: string) {
    this.world = world;
    this.clock = clock;
    this.#app = app;
    this.#owned = owned;
  }

  static async make(name: string, shards: number, clock: Clock): Promise<Site> {
    const world = new World(name, shards);
    setFaults(world.instance, QUIET);
    const app = appOf(world, faultyReads(env.DB, world.instance));
    const ledger = await app("POST", "/ledgers", { body: { name: "a ledger" } });
    const body = { ledger_id: textOf(ledger, "ledger_id"), currency: "USD" };
    const balance = await app("POST", "/balances", { body });
    return new Site(world, clock, app, textOf(balance, "balance_id"));
  }

  knows(neighbour: Site): void {
    this.#foreign = neighbour.#owned;
  }

  /** Gives every shard something to do. Balances are met soon enough by somebody who has something to do there. */
  async wakeAll(): Promise<void> {
    await Promise.allSettled([this.world.ring()]);
  }

  async evictBalances(): Promise<void> {
    await Promise.allSettled(this.#balances().map((stub) => evictDurableObject(stub)));
  }

  #balances() {
    return ACCOUNTS.map((each) =>
      env.BALANCES.getByName(`${this.world.instance}/${this.#names.balance(each)}`),
    );
  }

  /** Sends a request, and again while it is not known what came of it. */
  async send(send: Send): Promise<void> {
    let told = await this.#sendOnce(send, send.isLost);
    for (let left = RETRIES; told.kind === "unknown" && left > 0; left -= 1) {
      told = await this.#sendOnce(send, false);
    }
  }

  /** When nothing fails any more, every request with a key is sent again, and so is what has no answer yet. */
  async isAnsweredAgain(): Promise<void> {
    const { instance } = this.world;
    await deathsOver(instance);
    await expect.poll(() => lateCalls(instance), { timeout: 20_000, interval: 5 }).toBe(0);
    const byName = Map.groupBy(this.#calls, ({ send }) => send.name);
    const again = [...byName.values()].flatMap((calls) => {
      const isKnown = calls.some(({ told }) => told.kind === "answer");
      return calls.slice(0, 1).filter(({ send }) => !isKnown || isNamed(send));
    });
    await Promise.all(again.map(({ send }) => this.#sendOnce(send, false)));
    const others = again.flatMap(({ send }) => otherThan(send) ?? []).slice(-OTHERS);
    await Promise.all(
      others.map(async (send) => {
        const told = await ask(this.#app, this.#names, { ...send, sentMs: Date.now() });
        this.#mismatches.push({ send, told });
      }),
    );
  }

  async #sendOnce(send: Send, isLost: boolean): Promise<Told> {
    const began = this.clock.tick();
    // A client that sends a request again sends the same.
    const sentMs = this.#sentMs.get(send.name) ?? Date.now();
    this.#sentMs.set(send.name, sentMs);
    const answer = await ask(this.#app, this.#names, { ...send, sentMs });
    const told: Told = isLost ? { kind: "unknown", why: "the reply was lost", code: null } : answer;
    this.#calls.push({ send, sentMs, began, ended: this.clock.tick(), told });
    return told;
  }

  /** Hands messages that the shards have sent, and that were not handed over yet, to their consumers. */
  async deliver(step: Extract<Step, { do: "deliver" }>, weather: Weather): Promise<void> {
    const random = new Random(step.seed);
    for (const [method, queue] of QUEUES) {
      const all = outgoing(this.world.instance, method);
      const waiting = random.shuffled(all.slice(this.#delivered.get(method) ?? 0));
      this.#delivered.set(method, all.length);
      if (waiting.length === 0) continue;
      weather.note(`queue delivers ${step.how}, reordered`);
      if (step.how === "lost") continue;
      const messages = (step.how === "twice" ? [...waiting, ...waiting] : waiting).map(
        (body, index) => ({
          id: `message-${index}`,
          timestamp: new Date(),
          attempts: 1,
          body: shaped(weather.shape(), body),
        }),
      );
      await consume(createMessageBatch(queue, messages), composeConsumers(env));
    }
  }

  async ends(strikes: readonly Strike[]): Promise<Ledger> {
    const { world, clock } = this;
    const { balance, transaction } = this.#names;
    const ending = await endingOf(world, clock);
    for (const what of ["transactions", "balances"] as const)
      await this.#sendOnce(lastly(what), false);
    const batches = await this.#batches();
    return {
      calls: this.#calls,
      balanceId: balance,
      transactionId: transaction,
      alarmOf: (id) =>
        ending.alarms[Number.parseInt(id.slice(4, 6), 16) % ending.alarms.length] ?? null,
      ending,
      clock,
      batches,
      strikes,
      mismatches: this.#mismatches,
    };
  }

  async #batches(): Promise<Map<string, Value>> {
    const ids = this.#calls.flatMap(({ told }) => batchIdIn(told) ?? []);
    const shown = new Map<string, Value>();
    for (const id of new Set(ids)) {
      const { status, body } = await this.#app("GET", `/transactions/bulk/${id}`);
      if (status === 200) shown.set(id, body);
    }
    return shown;
  }

  readonly #names: Names = {
    account: (account) =>
      account === "owned" ? this.#owned : account === "foreign" ? this.#foreign : account,
    transaction: (reference) => this.world.idOf(reference),
    balance: (account, currency = "USD") =>
      account.startsWith("@")
        ? indicatorBalanceId(this.world.instance, account, currency)
        : this.#names.account(account),
    batch: (name) => {
      const ids = this.#calls.flatMap(({ send, told }) =>
        send.name === name ? (batchIdIn(told) ?? []) : [],
      );
      return ids[0] ?? NO_BATCH;
    },
  };
}
