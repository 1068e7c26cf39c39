import { createMessageBatch, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { composeConsumers } from "../../src/compose";
import { consume } from "../../src/consumers/queue";
import { indicatorBalanceId } from "../../src/domain/ids";
import { textOf } from "../support/api";
import { type App, appOf } from "../support/app";
import { setFaults } from "../support/faults";
import { outgoing } from "../support/outgoing";
import { World } from "../support/world";
import { type Ending, endingOf } from "./ending";
import type { Account, Plan, Send, Step } from "./plan";
import { Random } from "./random";
import { ask, type Names, type Told } from "./requests";
import { letFail, QUIET, type Weather } from "./weather";

/** One sending of a request and its answer. Moments are milliseconds of a clock that moves with each of them. */
export interface Call {
  readonly send: Send;
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
}

export interface Course {
  readonly plan: Plan;
  readonly ledgers: readonly Ledger[];
  /** Faults that struck. */
  readonly struck: Weather["struck"];
}

/** The clock moves here alone, so that of two moments it is certain which was first. */
function tick(ms = 1): number {
  vi.setSystemTime(Date.now() + ms);
  return Date.now();
}

/** Carries out a plan in two ledgers of their own, lets them come to rest, and reads all that they left. */
export async function play(plan: Plan): Promise<Course> {
  const main = await Site.make("simulated", plan.shards);
  const neighbour = await Site.make("neighbour", 1);
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
      tick(step.ms);
      return;
    case "ring":
      await site.world.ring();
      if (step.twice) await ringAgain(site.world);
      return;
    case "touch":
      await Promise.allSettled(site.world.shards().map((shard) => shard.touch()));
      return;
    case "deliver":
      return site.deliver(step);
    case "abort":
      weather.doom(step.durable);
      await site.wakeAll();
  }
}

/** Rings alarms that have rung already, as the platform may. */
async function ringAgain(world: World): Promise<void> {
  await Promise.allSettled(
    world.shards().map((stub) => runInDurableObject(stub, (shard) => shard.alarm?.())),
  );
}

/** A ledger with its clients and its queue. */
class Site {
  readonly world: World;
  readonly #app: App;
  readonly #owned: string;
  readonly #calls: Call[] = [];
  readonly #sentMs = new Map<string, number>();
  #foreign = "";
  #delivered = 0;

  private constructor(world: World, app: App, owned: string) {
    this.world = world;
    this.#app = app;
    this.#owned = owned;
  }

  static async make(name: string, shards: number): Promise<Site> {
    const world = new World(name, shards);
    setFaults(world.instance, QUIET);
    const app = appOf(world);
    const ledger = await app("POST", "/ledgers", { body: { name: "a ledger" } });
    const body = { ledger_id: textOf(ledger, "ledger_id"), currency: "USD" };
    const balance = await app("POST", "/balances", { body });
    return new Site(world, app, textOf(balance, "balance_id"));
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
    if (send.lost === "request") tick();
    if (send.lost === "reply") await this.#sendOnce(send, true);
    await this.#sendOnce(send, false);
  }

  async #sendOnce(send: Send, isLost: boolean): Promise<void> {
    const began = tick();
    // A client that sends a request again sends the same.
    const sentMs = this.#sentMs.get(send.name) ?? began;
    this.#sentMs.set(send.name, sentMs);
    const answer = await ask(this.#app, this.#names, { ...send, sentMs });
    const told: Told = isLost ? { kind: "unknown", why: "the reply was lost" } : answer;
    this.#calls.push({ send, began, ended: tick(), told });
  }

  /** Hands messages of the queue `apply` that were not handed over yet to their consumer. */
  async deliver({ seed, how }: Extract<Step, { do: "deliver" }>): Promise<void> {
    const all = outgoing(this.world.instance, "apply.sendBatch");
    const waiting = new Random(seed).shuffled(all.slice(this.#delivered));
    this.#delivered = all.length;
    if (how === "lost" || waiting.length === 0) return;
    const messages = (how === "twice" ? [...waiting, ...waiting] : waiting).map((body, index) => ({
      id: `message-${index}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }));
    await consume(createMessageBatch("purser-apply", messages), composeConsumers(env));
  }

  async ends(): Promise<Ledger> {
    const { world } = this;
    const { balance, transaction } = this.#names;
    const ending = await endingOf(world);
    return { calls: this.#calls, balanceId: balance, transactionId: transaction, ending };
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
