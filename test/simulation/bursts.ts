import type { Account, FollowUp, Movement, Post, Request } from "./plan";
import type { Random } from "./random";

/** A few requests about one matter; `number` makes their references new. */
export function burst(random: Random, number: number): Request[] {
  const reference = `x${number}`;
  switch (random.weighted({ settle: 3, refund: 2, spend: 3, reserve: 2, repeat: 1 })) {
    case "settle": {
      const held = { ...certain(random, spending(random, reference)), inflight: true };
      return [held, ...some(random, () => followUp(random, held, ["commit", "commit", "void"]))];
    }
    case "refund": {
      const moved = certain(random, spending(random, reference));
      return [moved, ...some(random, () => followUp(random, moved, ["refund"]))];
    }
    case "spend":
      // Together more than there is.
      return some(random, (index) => ({
        ...spending(random, `${reference}.${index}`),
        inflight: random.chance(40),
        skipQueue: random.chance(80),
      }));
    case "reserve":
      return some(random, (index) => group(random, `${reference}.${index}`));
    case "repeat": {
      const first = spending(random, reference);
      return some(random, () => ({ ...first, amount: BigInt(random.between(5, 60)) }));
    }
  }
}

const some = (random: Random, make: (index: number) => Request): Request[] =>
  Array.from({ length: random.between(2, 4) }, (_none, index) => make(index));

/** Mostly the one of whom all know that it has money. */
const spender = (random: Random): Account => (random.chance(75) ? "@a" : "owned");

export const spending = (random: Random, reference: string): Post => ({
  kind: "post",
  ...movement(random, reference),
  inflight: false,
  skipQueue: random.chance(80),
  due: null,
});

const movement = (random: Random, reference: string): Movement => ({
  reference,
  from: spender(random),
  to: random.pick(["@b", "@c", "@world"]),
  amount: BigInt(random.between(15, 55)),
  limit: 0n,
  currency: "USD",
});

/** Mostly from where money never runs out: what follows is the matter. */
export const certain = (random: Random, post: Post): Post =>
  random.chance(60) ? { ...post, from: "@world", to: "@b" } : post;

/** Some of it, or all: two or three of them are mostly more than there is. */
const followUp = (
  random: Random,
  { reference, amount }: Post,
  kinds: readonly FollowUp["kind"][],
): FollowUp => ({
  kind: random.pick(kinds),
  reference,
  amount: random.chance(20)
    ? null
    : BigInt(random.between(Math.ceil(Number(amount) / 3), Number(amount))),
  skipQueue: random.chance(80),
});

/** Movements that go together, beside others that want the same money. */
function group(random: Random, reference: string): Request {
  const skipQueue = random.chance(70);
  const inflight = random.chance(25);
  if (random.chance(25)) return { ...spending(random, reference), skipQueue };
  if (random.chance(35)) {
    const amount = BigInt(random.between(20, 60));
    const many = ["@b", "@c"] as const;
    const one = spender(random);
    return {
      kind: "split",
      reference,
      side: "destinations",
      one,
      many,
      percent: random.chance(50),
      amount,
      inflight,
      skipQueue,
    };
  }
  const places = [1, 2].map((place) => movement(random, `${reference}.${place}`));
  // Money that comes in the same group may be spent in it, unless it is only held.
  const comes: Movement = { ...movement(random, `${reference}.0`), from: "@world", to: "@a" };
  const items = random.chance(40) ? [comes, ...places] : places;
  const runAsync = random.chance(25);
  return { kind: "bulk", items, atomic: random.chance(80), runAsync, inflight, skipQueue };
}
