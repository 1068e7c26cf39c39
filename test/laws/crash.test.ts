import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { workLeft } from "../support/audit";
import {
  calledMethods,
  clearFaults,
  type Fate,
  fateOf,
  killAt,
  passedSteps,
  setFaults,
} from "../support/faults";
import { rest, type State, sentEvents, stateOf } from "../support/rest";
import { SAGAS, type Saga } from "../support/sagas";
import { World } from "../support/world";

// The clock stands still unless a test moves it; timers are real.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** Of each step and call this many passages are broken in turn: mostly the source's and the destination's. */
const PASSAGES = 2;
/**
 * Steps right after something was written: only there writes can be lost. Before a call leaves an object, what it wrote is on
 * disk; so where it has just been answered, to lose its last writes is to lose nothing.
 */
const WRITES =
  /^(record|settle|refund):inserted$|:(refused|committed|noted|decided|taken)$|^flush:settled$|^alarm:/;
/** Calls by which requests arrive: those about what was decided for a group are made by shards, until they are heard. */
const REQUEST = /^journal\.(?!settleReferences|resolveGroup)/;
/** Worlds that run side by side: the waits of one are the work of another. */
const WIDTH = 12;

/** What can become of a call of each kind. A late call arrives when nearly everything else is at rest. */
const FATES: readonly (readonly [method: RegExp, kinds: readonly Fate["kind"][]])[] = [
  [/^balance\./, ["lost", "reply-lost", "late"]],
  [/^d1\./, ["lost", "reply-lost", "late"]],
  [/^journal\./, ["reply-lost", "twice"]],
  [/^(apply|webhooks)\./, ["lost", "reply-lost"]],
];
const LATE_MS = 60;

/** One way to break a saga. */
interface Break {
  readonly name: string;
  readonly faults: () => Parameters<typeof setFaults>[1];
}

type Act = (saga: Saga, world: World) => Promise<void>;

/** Sends a saga's requests; one that fails is sent again, as a client would. */
const actPatiently: Act = async ({ steps }, world) => {
  for (const step of steps) {
    await step(world)
      .catch(() => step(world))
      .catch(() => step(world));
  }
};

/** Sends each request once, and none any more after one that failed. */
const actOnce: Act = async ({ steps }, world) => {
  try {
    for (const step of steps) await step(world);
  } catch {
    // The client is gone.
  }
};

async function worldWith(saga: Saga): Promise<World> {
  const world = new World("crash");
  await saga.prepare(world);
  await settled(saga, world);
  return world;
}

/** All is told in D1; shadows follow in their own time. */
async function settled(saga: Saga, world: World): Promise<void> {
  await world.journal.barrier();
  if (saga.own === undefined) return;
  await expect.poll(() => workLeft(world), { timeout: 20_000, interval: 10 }).toBe(0);
}

/** Each name with the passages that are to be broken. */
function passages(names: readonly string[]): (readonly [name: string, nth: number])[] {
  return [...Map.groupBy(names, (name) => name)].flatMap(([name, all]) =>
    Array.from(
      { length: Math.min(PASSAGES, all.length) },
      (_none, index) => [name, index + 1] as const,
    ),
  );
}

/** The end of a run in which nothing fails, after the first so many of a saga's requests. */
async function endAfter(saga: Saga, requests: number): Promise<State> {
  const world = await worldWith(saga);
  for (const step of saga.steps.slice(0, requests)) await step(world);
  await rest(world);
  return stateOf(world);
}

/** All steps that the objects pass and all calls that reach them when nothing fails, from the first request to rest. */
async function breaksOf(
  saga: Saga,
): Promise<{ kills: readonly Break[]; losses: readonly Break[] }> {
  const world = await worldWith(saga);
  setFaults(world.instance, {});
  for (const step of saga.steps) await step(world);
  await world.journal.barrier();
  await world.ring();
  await settled(saga, world);
  const isOwn = (name: string): boolean => saga.own?.test(name) ?? true;
  const steps = passages(passedSteps(world.instance).filter(isOwn));
  const kills = steps.map(([step, nth]) => ({
    name: `killed at ${step} ${nth}`,
    faults: () => ({ step: killAt(step, { nth, durable: true }) }),
  }));
  const written = steps.filter(([step]) => WRITES.test(step));
  const forgetting = written.map(([step, nth]) => ({
    name: `killed at ${step} ${nth}, its last writes lost`,
    faults: () => ({ step: killAt(step, { nth, durable: false }) }),
  }));
  const losses = passages(calledMethods(world.instance).filter(isOwn)).flatMap(([method, nth]) => {
    const [, kinds = []] = FATES.find(([pattern]) => pattern.test(method)) ?? [];
    return kinds.map((kind) => ({
      name: `${method} ${nth} ${kind}`,
      faults: () => ({ call: fateOf(method, fate(kind), nth) }),
    }));
  });
  clearFaults(world.instance);
  return { kills, losses: [...forgetting, ...losses] };
}

const fate = (kind: Fate["kind"]): Fate =>
  kind === "late" || kind === "slow"
    ? { kind, until: () => new Promise((resolve) => setTimeout(resolve, LATE_MS)) }
    : { kind };

async function endWith(saga: Saga, { faults }: Break, act: Act): Promise<State> {
  const world = await worldWith(saga);
  setFaults(world.instance, faults());
  await act(saga, world);
  await world.journal.barrier();
  await rest(world);
  expectEventsBelong(world);
  return stateOf(world);
}

/** Law 7: an event's id is made of what it tells of, so all that leaves under one id says the same. */
function expectEventsBelong(world: World): void {
  const bodies = new Map<string, unknown>();
  for (const { id, content } of sentEvents(world)) {
    const { data, ...rest } = JSON.parse(content.body ?? "{}");
    // Metadata is what it is when the event is made: a client may have merged into it in between.
    const said = { ...rest, data: { ...data, meta_data: null } };
    expect(said).toEqual(bodies.get(id) ?? said);
    bodies.set(id, said);
  }
}

/** Breaks the saga in every way, a few at a time; answers those that came to none of these ends. */
async function strays(
  breaks: readonly Break[],
  ends: readonly State[],
  run: (each: Break) => Promise<State>,
): Promise<string[]> {
  const waiting = [...breaks];
  const wrong: string[] = [];
  const texts = ends.map((end) => JSON.stringify(end));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name } = next;
      const end = await run(next)
        .then((state) => JSON.stringify(state))
        .catch((error: Error) => error.message);
      if (!texts.includes(end)) wrong.push(`${name}: ${end}`);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  return wrong;
}

const table = SAGAS.map((saga) => [saga.name, saga] as const);

describe("whatever breaks in the middle of", () => {
  it.each(table)(
    "%s, it ends as if nothing had",
    async (_name, saga) => {
      const end = await endAfter(saga, saga.steps.length);
      const { kills, losses } = await breaksOf(saga);
      expect(kills.length + losses.length).toBeGreaterThan(5);
      const wrong = await strays([...kills, ...losses], [end], (each) =>
        endWith(saga, each, actPatiently),
      );
      expect(wrong).toEqual([]);
    },
    300_000,
  );
});

describe("when the client is gone as well", () => {
  it.each(table)(
    "%s ends by itself, each request in full or not at all",
    async (_name, saga) => {
      const ends: State[] = [];
      for (let count = 0; count <= saga.steps.length; count += 1) {
        ends.push(await endAfter(saga, count));
      }
      const { kills } = await breaksOf(saga);
      const wrong = await strays(kills, ends, (each) =>
        endWith(saga, withoutClient(each), actOnce),
      );
      expect(wrong).toEqual([]);
    },
    300_000,
  );

  /** After the kill no request arrives any more. */
  function withoutClient({ name, faults }: Break): Break {
    return {
      name,
      faults: () => {
        const { step } = faults();
        let gone = false;
        return {
          step: (at, victim) => {
            const died = step?.(at, victim);
            if (died !== undefined) gone = true;
            return died;
          },
          call: ({ method }) => ({ kind: gone && REQUEST.test(method) ? "lost" : "well" }),
        };
      },
    };
  }
});
