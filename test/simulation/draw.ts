import { burst } from "./bursts";
import {
  ACCOUNTS,
  type Account,
  type Bulk,
  type Due,
  type Movement,
  type Plan,
  type Post,
  type Request,
  type Send,
  type Step,
} from "./plan";
import { Random } from "./random";
import { tale } from "./tales";
import { trouble } from "./trouble";

/** Minor units that the balances of a simulation start with. */
const FUNDS = 60n;
const SECOND_MS = 1_000;

/** Transfers, holds, splits and items of batches: few, so that requests meet. */
const REFERENCES = ["t1", "t2", "t3", "h1", "h2", "h3", "s1", "b1", "b2", "b3"] as const;

/** Steps that pass before all objects die: none, or as many as the requests of a moment take. */
const STEPS_MAX = 40;

/** The plan of a seed: the same seed, the same plan. */
export function draw(seed: number): Plan {
  const random = new Random(seed);
  const steps = new StepsOf(random).draw();
  const calm = random.chance(10);
  const faults = calm ? [] : Array.from({ length: random.between(1, 5) }, () => trouble(random));
  return { seed, shards: random.pick([1, 2, 2, 4]), steps: scaled(steps, random), faults };
}

/** Minor units of one unit of a plan: a pass through a number with less digits is noticed. */
const FACTORS = [1n, 1n, 1n, 10n ** 9n + 7n, 10n ** 30n + 7n] as const;

/** The same steps with all amounts as many times larger. */
function scaled(steps: readonly Step[], random: Random): Step[] {
  const factor = random.pick(FACTORS);
  const isStep = (value: unknown): value is Step => typeof value === "object" && value !== null;
  const larger = new Map<object, unknown>();
  const times = (part: unknown): unknown => {
    if (typeof part === "bigint") return part * factor;
    if (typeof part !== "object" || part === null) return part;
    // What is one thing stays one.
    const known = larger.get(part);
    if (known !== undefined) return known;
    const made = Array.isArray(part)
      ? part.map(times)
      : Object.fromEntries(Object.entries(part).map(([name, each]) => [name, times(each)]));
    larger.set(part, made);
    return made;
  };
  return steps.map(times).filter(isStep);
}

class StepsOf {
  readonly #random: Random;
  readonly #steps: Step[] = [];
  #requests = 0;
  #newest: string = "t1";

  constructor(random: Random) {
    this.#random = random;
  }

  draw(): Step[] {
    const random = this.#random;
    for (const to of ["@a", "owned"] as const) this.#send(funding(`fund ${to}`, to), {});
    this.#send(funding("fund @a", "@a"), { neighbour: true });
    this.#steps.push({ do: "wait" });
    for (let left = random.between(6, 14); left > 0; left -= 1) {
      if (random.chance(40)) this.#steps.push({ do: "wait" });
      if (random.chance(28)) this.#steps.push(this.#event());
      if (random.chance(15)) this.#tale();
      else if (random.chance(35)) this.#burst();
      else this.#send(this.#request(), this.#how());
    }
    // Money comes to all in the end: what was refused for good must stay so, and what is late meets it.
    this.#steps.push({ do: "wait" });
    for (const to of ["@a", "@b", "@c"] as const) this.#send(funding(`more ${to}`, to), {});
    return this.#steps;
  }

  #how(): Partial<Send> {
    const random = this.#random;
    return {
      neighbour: random.chance(8),
      keyed: random.chance(60),
      times: random.chance(20) ? 2 : 1,
      isLost: random.chance(12),
    };
  }

  /** Requests that belong together, at once or one after another: what one of them does the others must know. */
  #burst(): void {
    const random = this.#random;
    const requests = burst(random, this.#requests);
    for (const request of requests) {
      if (request === requests[0] || random.chance(60)) this.#steps.push({ do: "wait" });
      this.#send(request, { keyed: random.chance(50) });
      if (random.chance(50)) this.#send({ kind: "weigh", account: random.pick(ACCOUNTS) }, {});
    }
  }

  /** Steps one after another that lead where chance seldom does. */
  #tale(): void {
    const steps = tale(this.#random, `q${this.#requests + 1}`);
    for (const step of steps) {
      this.#steps.push({ do: "wait" });
      if ("do" in step) this.#steps.push(step);
      else this.#send(step, { keyed: true });
    }
    this.#steps.push({ do: "wait" });
  }

  #send(request: Request, how: Partial<Send>): void {
    this.#requests += 1;
    const name = `q${this.#requests}`;
    const plain = { neighbour: false, keyed: true, times: 1, isLost: false } as const;
    this.#steps.push({ do: "send", name, request, ...plain, ...how });
    if ("reference" in request) this.#newest = request.reference;
  }

  #event(): Step {
    const random = this.#random;
    switch (
      random.weighted({
        advance: 3,
        back: 1,
        ring: 4,
        touch: 1,
        deliver: 6,
        abort: 3,
        evict: 2,
        deploy: 2,
      })
    ) {
      case "advance":
        return { do: "advance", ms: SECOND_MS * random.pick([1, 5, 31, 61, 600, 86_400]) };
      case "back":
        return { do: "advance", ms: -SECOND_MS * random.pick([1, 31, 600, 86_400]) };
      case "ring":
        return { do: "ring", twice: random.chance(30) };
      case "touch":
        return { do: "touch" };
      case "deliver": {
        const how = random.weighted({ once: 5, twice: 2, lost: 1 });
        return { do: "deliver", seed: random.below(2 ** 31), how };
      }
      case "abort":
        return { do: "abort", after: this.#after(), durable: random.chance(50) };
      case "evict":
        return { do: "evict" };
      case "deploy":
        return { do: "deploy", after: this.#after(), seed: random.below(2 ** 31) };
    }
  }

  #after(): number {
    return this.#random.below(this.#random.pick([1, 5, STEPS_MAX]));
  }

  #request(): Request {
    const random = this.#random;
    const skipQueue = random.chance(65);
    switch (
      random.weighted({
        post: 10,
        split: 2,
        bulk: 3,
        follow: 9,
        many: 1,
        cancel: 1,
        look: 2,
        weigh: 4,
        list: 3,
        recover: 1,
      })
    ) {
      case "post":
        return this.#post(skipQueue);
      case "split": {
        const side = random.pick(["sources", "destinations"] as const);
        const [one = "@a", ...many] = random.shuffled(["@a", "@b", "@c", "owned"] as const);
        const shared = many.slice(0, random.between(2, 3));
        const amount = BigInt(random.between(6, 40));
        const inflight = random.chance(40);
        return {
          kind: "split",
          reference: "s1",
          side,
          one,
          many: shared,
          percent: random.chance(50),
          amount,
          inflight,
          skipQueue,
        };
      }
      case "bulk":
        return this.#bulk(skipQueue);
      case "follow": {
        const kind = random.pick(["commit", "commit", "void", "refund"] as const);
        const amount = random.chance(40) ? null : BigInt(random.between(1, 40));
        return { kind, reference: this.#known(), amount, skipQueue };
      }
      case "many": {
        const kind = random.pick(["commit-many", "void-many"] as const);
        const references = random.shuffled(REFERENCES).slice(0, random.between(1, 3));
        const amounts = references.map(() =>
          random.chance(50) ? null : BigInt(random.between(1, 30)),
        );
        return { kind, references, amounts, skipQueue };
      }
      case "cancel":
        return { kind: "cancel", reference: this.#known() };
      case "look":
        return { kind: random.pick(["look", "look up"] as const), reference: this.#known() };
      case "weigh":
        return { kind: "weigh", account: random.pick(["@a", "@a", "@b", "@c", "owned"]) };
      case "list":
        return { kind: "list", what: random.pick(["transactions", "balances"] as const) };
      case "recover":
        return { kind: "recover" };
    }
  }

  /** Mostly what was posted or asked about just before. */
  #known(): string {
    return this.#random.chance(60) ? this.#newest : this.#random.pick(REFERENCES);
  }

  #post(skipQueue: boolean): Post {
    const random = this.#random;
    const inflight = random.chance(50);
    const reference = random.pick(inflight ? ["h1", "h2", "h3", "t1"] : ["t1", "t2", "t3", "h1"]);
    const due = random.chance(20) ? this.#due(inflight) : null;
    const isScheduled = due?.what === "start";
    const movement = this.#movement(reference);
    return { kind: "post", ...movement, inflight, skipQueue: skipQueue && !isScheduled, due };
  }

  #due(inflight: boolean): Due {
    const afterMs = SECOND_MS * this.#random.pick([2, 20, 120, 3_600]);
    const what = inflight ? this.#random.pick(["expire", "commit"] as const) : "start";
    return { what, afterMs };
  }

  #bulk(skipQueue: boolean): Bulk {
    const random = this.#random;
    const some = random.shuffled(["b1", "b2", "b3", "t1", "h1"] as const);
    const items = some.slice(0, random.between(2, 4)).map((reference) => this.#movement(reference));
    return {
      kind: "bulk",
      items,
      atomic: random.chance(60),
      runAsync: random.chance(30),
      inflight: random.chance(30),
      skipQueue,
    };
  }

  #movement(reference: string): Movement {
    const random = this.#random;
    // One of them spends the most, so that its money runs out.
    const from = random.chance(45)
      ? "@a"
      : random.pick(["@a", "@b", "@c", "owned", "@world"] as const);
    const others = ["@a", "@b", "@c", "owned", "@world"] as const;
    const to = random.chance(5) ? "foreign" : random.pick(others.filter((each) => each !== from));
    const limit = random.chance(20) ? 20n : 0n;
    const movement = { reference, amount: BigInt(random.between(10, 65)), limit };
    if (random.chance(90)) return { ...movement, from, to, currency: "USD" };
    const there = random.pick(["@a", "@b", "owned", "owned"] as const);
    return { ...movement, from: "@world", to: there, currency: "EUR" };
  }
}

const funding = (reference: string, to: Account): Post => ({
  kind: "post",
  reference,
  from: "@world",
  to,
  amount: FUNDS,
  limit: 0n,
  currency: "USD",
  inflight: false,
  skipQueue: true,
  due: null,
});
