import type { Fault } from "../support/faults";
import type { Movement, Plan, Post, Request, Step } from "./plan";
import { Random } from "./random";

const WAVES = 5;
const CLIENTS = 6;

/** A plan in which many clients at once move and read the money of one balance, whose object dies now and then. */
export function contend(seed: number): Plan {
  const random = new Random(seed);
  const steps: Step[] = [];
  const holds: string[] = [];
  const send = (request: Request) =>
    steps.push({
      do: "send",
      name: `q${steps.length}`,
      neighbour: false,
      request,
      keyed: true,
      times: 1,
      isLost: random.chance(10),
    });
  send(posting("funds", { from: "@world", to: "owned", amount: 60n }));
  for (let wave = 0; wave < WAVES; wave += 1) {
    steps.push({ do: "wait" });
    for (let client = 0; client < CLIENTS; client += 1) {
      const reference = `w${wave}c${client}`;
      const request = asked(random, reference, holds);
      send(request);
      if (request.kind === "post" && request.inflight) holds.push(reference);
    }
  }
  const faults = Array.from({ length: random.between(1, 4) }, () => faultOf(random));
  return { seed, shards: 2, steps, faults };
}

function asked(random: Random, reference: string, holds: readonly string[]): Request {
  const amount = BigInt(random.between(5, 30));
  switch (
    random.weighted({ read: 8, credit: 3, debit: 4, hold: 3, settle: holds.length === 0 ? 0 : 3 })
  ) {
    case "read":
      return { kind: "weigh", account: "owned" };
    case "credit":
      return posting(reference, { from: "@world", to: "owned", amount });
    case "debit":
      return posting(reference, { from: "owned", to: "@b", amount });
    case "hold":
      return { ...posting(reference, { from: "owned", to: "@c", amount }), inflight: true };
    case "settle": {
      const kind = random.pick(["commit", "void"] as const);
      return { kind, reference: random.pick(holds), amount: null, skipQueue: true };
    }
  }
}

const posting = (reference: string, movement: Pick<Movement, "from" | "to" | "amount">): Post => ({
  kind: "post",
  reference,
  ...movement,
  limit: 0n,
  currency: "USD",
  inflight: false,
  skipQueue: true,
  due: null,
});

function faultOf(random: Random): Fault {
  const nth = random.between(2, 14);
  if (random.chance(50)) {
    const step = random.pick(["execute:received", "execute:committed", "drive:debited"]);
    return { kind: "death", step, nth, durable: random.chance(50) };
  }
  const fate = random.pick(["lost", "reply-lost", "twice", "late", "slow"] as const);
  return { kind: "call", method: "balance.execute", nth, fate };
}
