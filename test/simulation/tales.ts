import { certain, spending } from "./bursts";
import type { Bulk, FollowUp, Order, Post, Request, Step } from "./plan";
import type { Random } from "./random";

const ring: Step = { do: "ring", twice: false };
const later: Step = { do: "advance", ms: 600_000 };

/** Steps one after another, each answered before the next; `name` is that of the first request. */
export function tale(random: Random, name: string): (Request | Step)[] {
  const reference = `y${name}`;
  const post = certain(random, spending(random, reference));
  const deliver: Step = { do: "deliver", seed: random.below(2 ** 31), how: "once" };
  switch (random.weighted({ ask: 4, cancel: 2, wait: 2, doubt: 2, batch: 3, expire: 2 })) {
    case "ask": {
      const held: Post = { ...spending(random, reference), inflight: true, skipQueue: true };
      const orders: Order[] = [held, settling(random, held), settling(random, held)];
      return orders.flatMap((of): Request[] => [{ kind: "preview", of }, of]);
    }
    case "cancel": {
      const due = { what: "start", afterMs: 120_000 } as const;
      const waiting: Post = { ...post, skipQueue: false, due: random.chance(60) ? due : null };
      const look: Request = { kind: "look up", reference };
      return [waiting, { kind: "cancel", reference }, ring, deliver, look];
    }
    case "wait":
      // Not long enough for the weather to change: the queue just forgets it.
      return [{ ...post, skipQueue: false }, later, { kind: "recover" }];
    case "doubt": {
      const poor: Post = {
        ...post,
        from: "@c",
        to: "@b",
        inflight: true,
        skipQueue: false,
        amount: 900n,
      };
      const commit = { ...settling(random, poor), skipQueue: false };
      return [poor, commit, deliver, ring, { kind: "look", reference }];
    }
    case "expire": {
      const what = random.pick(["expire", "commit"] as const);
      const held: Post = { ...post, inflight: true, due: { what, afterMs: 20_000 } };
      return random.chance(50) ? [held] : [held, later, ring, { kind: "look", reference }];
    }
    case "batch":
      return settledBatch(random, post, name);
  }
}

function settledBatch(random: Random, post: Post, name: string): (Request | Step)[] {
  const items = [0, 1, 2].map((place) => ({ ...post, reference: `${post.reference}.${place}` }));
  const batch: Bulk = {
    kind: "bulk",
    items: items.map(({ reference, from, to, amount, limit, currency }) => ({
      reference,
      from,
      to,
      amount,
      limit,
      currency,
    })),
    atomic: random.chance(50),
    runAsync: false,
    inflight: true,
    skipQueue: true,
  };
  const references = items.map(({ reference }) => reference);
  const half = post.amount / 2n;
  const settle: Request = random.chance(50)
    ? {
        kind: random.pick(["commit-batch", "void-batch"] as const),
        batch: name,
        skipQueue: random.chance(70),
      }
    : { kind: "commit-many", references, amounts: [half, null, half], skipQueue: true };
  return [batch, settle];
}

const settling = (random: Random, { reference, amount }: Post): FollowUp => ({
  kind: random.pick(["commit", "commit", "void"] as const),
  reference,
  amount: random.chance(30) ? null : amount / 2n + 1n,
  skipQueue: true,
});
