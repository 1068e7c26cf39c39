import { createMessageBatch, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { composeConsumers } from "../../src/compose";
import { consume } from "../../src/consumers/queue";
import { indicatorBalanceId } from "../../src/domain/ids";
import { textOf, type Value } from "../support/api";
import { type App, appOf } from "../support/app";
import { type Shape, setFaults } from "../support/faults";
import { faultyReads } from "../support/faulty-reads";
import { outgoing } from "../support/outgoing";
import { shaped } from "../support/shapes";
import { World } from "../support/world";
import { Clock } from "./clock";
import { type Ending, endingOf } from "./ending";
import type { Account, Plan, Send, Step } from "./plan";
import { Random } from "./random";
import { ask, batchIdIn, type Names, type Told } from "./requests";
import { letFail, QUIET, type Weather } from "./weather";

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
  balanceId(account: Account): string;
  /** The id that a reference leads to. */
  transactionId(reference: string): string;
  readonly ending: Ending;
  readonly clock: Clock;
  /** In the end, every batch whose id a client was told, as it is answered for; without those that nobody knows. */
  readonly batches: ReadonlyMap<string, Value>;
}

export interface Course {
  readonly plan: Plan;
  readonly ledgers: readonly Ledger[];
  /** Faults that struck. */
  readonly struck: Weather["struck"];
}

/** Carries out a plan in two ledgers of their own, lets them come to rest, and reads all that they left. */
export async function play(plan: Plan): Promise<Course> {
  const clock = new Clock();
  const main = await Site.make("simulated", plan.shards, clock);
  const neighbour = await Site.make("neighbour", 1, clock);
  main.knows(neighbour);
  neighbour.knows(main);
  const weather = letFail(main.world.instance, plan);
  let sent: Promise<void>[] = [];
  for (const step of plan.steps) {
    if (step.do === "send") {
      const site = step.neighbour ? neighbour : main;
      for (let time = 0; time < step.times; time += 1) sent.push(site.send(step));
    } else if (step.do === "wait") {
      await Promise.all(sent);
      sent = [];
    } else await happen(step, main, weather);
  }
  await Promise.all(sent);
  weather.clear();
  const ledgers = [await main.ends(), await neighbour.ends()];
  return { plan, ledgers, struck: weather.struck };
}

/** What happens to a ledger without a client. */
async function happen(
  step: Exclude<Step, { do: "send" | "wait" }>,
  site: Site,
  weather: Weather,
): Promise<void> {
  switch (step.do) {
    case "advance":
      site.clock.tick(step.ms);
      return;
    case "ring":
      await site.world.ring();
      if (step.twice) await ringAgain(site.world);
      return;
    case "touch":
      await Promise.allSettled(site.world.shards().map((shard) => shard.touch()));
      return;
    case "deliver":
      return site.deliver(step, weather.shape());
    case "abort":
      weather.doom(step.durable);
      return site.wakeAll();
    case "deploy":
      weather.roll(step.seed);
      weather.doom(true);
      await site.wakeAll();
  }
}

/** Rings alarms that have rung already, as the platform may. */
async function ringAgain(world: World): Promise<void> {
  await Promise.allSettled(
    world.shards().map((stub) => runInDurableObject(stub, (shard) => shard.alarm?.())),
  );
}

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

  /** Gives every object something to do that changes nothing. */
  async wakeAll(): Promise<void> {
    const accounts = ["@world", "@a", "@b", "@c", "owned"] as const;
    const balances = accounts.map((each) =>
      env.BALANCES.getByName(`${this.world.instance}/${this.#names.balance(each)}`),
    );
    await Promise.allSettled([
      this.world.ring(),
      ...balances.map((stub) => stub.execute({ operations: [] })),
    ]);
  }

  /** Sends a request, and once more when it was lost on the way. */
  async send(send: Send): Promise<void> {
    if (send.lost === "request") this.clock.tick();
    if (send.lost === "reply") await this.#sendOnce(send, true);
    await this.#sendOnce(send, false);
  }

  async #sendOnce(send: Send, isLost: boolean): Promise<void> {
    const began = this.clock.tick();
    // A client that sends a request again sends the same.
    const sentMs = this.#sentMs.get(send.name) ?? Date.now();
    this.#sentMs.set(send.name, sentMs);
    const answer = await ask(this.#app, this.#names, { ...send, sentMs });
    const told: Told = isLost ? { kind: "unknown", why: "the reply was lost", code: null } : answer;
    this.#calls.push({ send, sentMs, began, ended: this.clock.tick(), told });
  }

  /** Hands messages that the shards have sent, and that were not handed over yet, to their consumers. */
  async deliver(step: Extract<Step, { do: "deliver" }>, shape: Shape): Promise<void> {
    const random = new Random(step.seed);
    for (const [method, queue] of QUEUES) {
      const all = outgoing(this.world.instance, method);
      const waiting = random.shuffled(all.slice(this.#delivered.get(method) ?? 0));
      this.#delivered.set(method, all.length);
      if (step.how === "lost" || waiting.length === 0) continue;
      const messages = (step.how === "twice" ? [...waiting, ...waiting] : waiting).map(
        (body, index) => ({
          id: `message-${index}`,
          timestamp: new Date(),
          attempts: 1,
          body: shaped(shape, body),
        }),
      );
      await consume(createMessageBatch(queue, messages), composeConsumers(env));
    }
  }

  async ends(): Promise<Ledger> {
    const { world, clock } = this;
    const { balance, transaction } = this.#names;
    const ending = await endingOf(world);
    const batches = await this.#batches();
    const calls = this.#calls;
    return { calls, balanceId: balance, transactionId: transaction, ending, clock, batches };
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
    balance: (account) =>
      account.startsWith("@")
        ? indicatorBalanceId(this.world.instance, account, "USD")
        : this.#names.account(account),
  };
}
