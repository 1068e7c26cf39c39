import type { Random } from "../../simulation/random.ts";

/** What every wallet but the poor one is funded with, in minor units: no story takes more. */
export const FUNDED = 1_000_000_000n;
/** What the poor wallet is funded with: some of what is asked of it is refused. */
export const FUNDED_POORLY = 200n;
const LARGEST = 97;
const BULK_LARGEST = 12;

/** The balances of one currency that stories move money between. */
export interface Purse {
  readonly currency: string;
  readonly wallets: readonly string[];
  readonly poor: string;
}

/** Money that somebody wants moved. Minor units. */
export interface Movement {
  readonly reference: string;
  readonly currency: string;
  readonly source: string;
  readonly destination: string;
  readonly minor: bigint;
}

/** Whether the source has the money: certainly, never, or nobody can say beforehand. */
export type Chance = "surely" | "never" | "perhaps";

/** One request that changes something, as it is sent and sent again. `key` is its Idempotency-Key, where it has one. */
export type Step =
  | {
      readonly kind: "post";
      readonly movement: Movement;
      readonly inflight: boolean;
      readonly skipQueue: boolean;
      readonly key: string | null;
      readonly chance: Chance;
    }
  | {
      readonly kind: "bulk";
      readonly movements: readonly Movement[];
      readonly how: { readonly skip_queue: boolean; readonly atomic: boolean; run_async: boolean };
      readonly key: string;
    }
  | {
      readonly kind: "commit" | "void" | "refund";
      /** What it is about: the reference of a post. */
      readonly of: string;
      /** Minor units; null is all that is left. */
      readonly minor: bigint | null;
      readonly skipQueue: boolean;
      readonly key: string;
    };

/** Requests of which each is sent when the one before has its answer. */
export type Story = readonly Step[];

/** Draws what one client wants; every reference and key starts with `name`. */
export class Stories {
  readonly #random: Random;
  readonly #purses: readonly Purse[];
  readonly #name: string;
  #told = 0;

  constructor(random: Random, purses: readonly Purse[], name: string) {
    this.#random = random;
    this.#purses = purses;
    this.#name = name;
  }

  /** The next story. */
  next(): Story {
    this.#told += 1;
    const name = `${this.#name}-${this.#told}`;
    const kinds = { transfer: 50, poor: 14, beyond: 6, hold: 18, refund: 8, bulk: 4 };
    switch (this.#random.weighted(kinds)) {
      case "transfer":
        return [this.#post(this.#movement(name), "surely")];
      case "poor":
        return [this.#poor(name)];
      case "beyond":
        return [this.#post({ ...this.#movement(name), minor: FUNDED * 1_000n }, "never")];
      case "hold":
        return this.#hold(name);
      case "refund":
        return [
          this.#post(this.#movement(name), "surely"),
          { kind: "refund", of: name, minor: null, skipQueue: this.#skips(), key: `${name}-back` },
        ];
      case "bulk":
        return [this.#bulk(name)];
    }
  }

  /** Into the poor wallet or out of it. */
  #poor(name: string): Step {
    const movement = this.#movement(name);
    const { poor } = this.#purseOf(movement.currency);
    return this.#random.chance(50)
      ? this.#post({ ...movement, destination: poor }, "surely")
      : this.#post({ ...movement, source: poor }, "perhaps");
  }

  /** A hold, and what settles it: in one go, in parts, not at all. */
  #hold(name: string): Story {
    const movement = this.#movement(name);
    const hold = { ...this.#post(movement, "surely"), inflight: true };
    const settle = (kind: "commit" | "void", minor: bigint | null, skipQueue: boolean): Step => {
      return { kind, of: name, minor, skipQueue, key: `${name}-${kind}-${minor ?? "all"}` };
    };
    // A part by the queue would have what follows refused while it waits.
    const part = settle("commit", (movement.minor + 1n) / 2n, true);
    const isWhole = movement.minor < 2n;
    switch (this.#random.weighted({ commit: 30, void: 25, parts: 20, partVoid: 20, open: 5 })) {
      case "commit":
        return [hold, settle("commit", null, this.#skips())];
      case "void":
        return [hold, settle("void", null, this.#skips())];
      case "parts":
        return isWhole ? [hold, part] : [hold, part, settle("commit", null, this.#skips())];
      case "partVoid":
        return isWhole ? [hold, part] : [hold, part, settle("void", null, this.#skips())];
      case "open":
        return [hold];
    }
  }

  #bulk(name: string): Step {
    const { currency } = this.#random.pick(this.#purses);
    const items = this.#random.between(2, BULK_LARGEST);
    const movements = Array.from({ length: items }, (_none, index) => ({
      ...this.#movement(`${name}-item${index}`, currency),
    }));
    const [skip_queue, atomic, run_async] = [this.#skips(), this.#chance(40), this.#chance(25)];
    return { kind: "bulk", movements, how: { skip_queue, atomic, run_async }, key: name };
  }

  #post(movement: Movement, chance: Chance): Extract<Step, { kind: "post" }> {
    const key = this.#chance(50) ? `${movement.reference}-key` : null;
    return { kind: "post", movement, inflight: false, skipQueue: this.#skips(), key, chance };
  }

  #movement(reference: string, currency = this.#random.pick(this.#purses).currency): Movement {
    const [source = "", destination = ""] = this.#random.shuffled(this.#purseOf(currency).wallets);
    const minor = BigInt(this.#random.between(1, LARGEST));
    return { reference, currency, source, destination, minor };
  }

  #purseOf(currency: string): Purse {
    const purse = this.#purses.find((each) => each.currency === currency);
    if (purse === undefined) throw new Error(`there is no purse in ${currency}`);
    return purse;
  }

  #skips = (): boolean => this.#random.chance(50);
  #chance = (percent: number): boolean => this.#random.chance(percent);
}
