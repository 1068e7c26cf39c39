import {
  type Call,
  type CallFault,
  die,
  type Fate,
  type Fault,
  fateOf,
  type Shape,
  type StepFault,
  setFaults,
  type Victim,
  WELL,
} from "../support/faults";
import { Moment } from "../support/moment";
import type { Clock } from "./clock";
import type { Plan } from "./plan";
import { Random } from "./random";
import { AFTER_OTHERS, NEVER } from "./trouble";

/** How long a slow call takes, in milliseconds. */
const SLOW_MS = 40;
/** Longer than groups, lists and writes to D1 wait for others, in milliseconds. */
const STUCK_MS = 3_500;
/** Between the deaths of two objects that are to die together, in milliseconds. */
const TURN_MS = 3;

const QUEUES: ReadonlySet<string> = new Set(["webhooks.sendBatch", "apply.sendBatch", "jobs.send"]);

/** Nothing fails. Messages stay where the simulation takes them from: it is the queue. */
export const QUIET = {
  call: ({ method }: Call): Fate => (QUEUES.has(method) ? { kind: "swallowed" } : WELL),
};

/** Something that went wrong: its kind, and between which moments somebody may have noticed. */
export interface Strike {
  readonly what: string;
  /** Where an object died; null for anything else. */
  readonly step: string | null;
  /** Whether anybody may have been kept from an answer by it. */
  readonly isFault: boolean;
  readonly from: number;
  readonly until: number;
}

/** The faults of a plan, in force. */
export interface Weather {
  /** Nothing fails any more, and what was late arrives. */
  clear(): void;
  /** After so many more steps every object dies at the next one that it passes, once. */
  doom(after: number, durable: boolean): void;
  /** Objects that are to die together do so from now on. False when none is to die. */
  hasten(): boolean;
  /** From now on versions meet, and every object dies after some steps of its own, up to so many. */
  roll(after: number, seed: number): void;
  /** How a message is shaped that comes out of a queue now. */
  shape(): Shape;
  /** Notes something that went wrong by other hands. */
  note(what: string): void;
  /** What struck so far: a plan may name passages that never come. */
  readonly strikes: readonly Strike[];
}

const CALLED: Readonly<{ [method: string]: string }> = {
  "d1.read": "read of D1",
  "d1.batch": "write to D1",
};

/** Keeps what struck, in moments of the simulation's clock. */
class Strikes {
  readonly list: (Omit<Strike, "until"> & { until: number })[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins one; the function that it answers ends it. */
  begin(what: string, step: string | null = null): () => void {
    const from = this.#clock.moment;
    const strike = { what, step, isFault: true, from, until: Number.POSITIVE_INFINITY };
    this.list.push(strike);
    return () => {
      strike.until = Math.min(strike.until, this.#clock.moment);
    };
  }

  /** Notes what keeps nobody from an answer. */
  note(what: string): void {
    const { moment } = this.#clock;
    this.list.push({ what, step: null, isFault: false, from: moment, until: moment });
  }

  endAll(): void {
    for (const strike of this.list) strike.until = Math.min(strike.until, this.#clock.moment);
  }

  /** It is written down first: nothing runs on after an object's end. */
  kill(victim: Victim, step: string, { who, durable }: Death): Promise<void> {
    const isKept = durable || AFTER_OTHERS.has(step);
    const end = this.begin(`${who}, last writes ${isKept ? "kept" : "lost"}`, step);
    const abort = (reason: string): void => {
      end();
      victim.abort(reason);
    };
    return die({ ...victim, abort }, step, isKept);
  }
}

interface Death {
  readonly who: string;
  readonly durable: boolean;
}

/** The end of all objects that is to come. */
interface Doom extends Death {
  /** Steps that pass before the first dies; in a deploy, the most that an object passes. */
  after: number;
  /** In a deploy, the steps that each object has left, drawn when it is met. */
  readonly left: Map<string, number> | null;
  readonly random: Random;
  readonly dead: Set<string>;
}

/** Puts the faults of a plan in force for an instance. */
export function letFail(instance: string, { faults }: Plan, clock: Clock): Weather {
  const later = new Moment();
  const strikes = new Strikes(clock);
  const steps: StepFault[] = [];
  const calls: CallFault[] = [];
  for (const fault of faults) {
    if (fault.kind === "death") steps.push(deathOf(fault, strikes));
    else calls.push(callFaultOf(fault, later, strikes));
  }
  let versions: Random | null = null;
  const shape = (): Shape => versions?.weighted({ same: 2, older: 1, newer: 2 }) ?? "same";
  let doom: Doom | null = null;
  setFaults(instance, {
    step: async (step, victim) => {
      if (NEVER.has(step)) return;
      if (doom !== null && !doom.dead.has(victim.name)) await meetDoom(doom, step, victim, strikes);
      for (const strike of steps) await strike(step, victim);
    },
    call: (call) => {
      const fates = calls.map((each) => each(call));
      return fates.find(({ kind }) => kind !== "well") ?? QUIET.call(call);
    },
    shape,
  });
  return {
    clear: () => {
      setFaults(instance, QUIET);
      later.comes();
      strikes.endAll();
    },
    doom: (after, durable) => {
      const who = "object dies with all others";
      doom = { who, after, durable, dead: new Set(), left: null, random: new Random(after) };
    },
    hasten: () => {
      if (doom === null || doom.left !== null) return false;
      doom.after = 0;
      return true;
    },
    roll: (after, seed) => {
      versions = new Random(seed);
      const random = new Random(seed);
      const who = "object dies in a deploy";
      doom = { who, after, durable: true, dead: new Set(), left: new Map(), random };
    },
    shape,
    note: (what) => strikes.note(what),
    strikes: strikes.list,
  };
}

async function meetDoom(doom: Doom, step: string, victim: Victim, strikes: Strikes): Promise<void> {
  if (isSpared(doom, victim)) return;
  doom.dead.add(victim.name);
  // One after another: the runtime itself does not bear it when a caller and its callee end in one turn.
  const turn = doom.dead.size * TURN_MS;
  await new Promise((resolve) => setTimeout(resolve, turn));
  await strikes.kill(victim, step, doom);
}

/** Whether an object passes this step once more; then it has one less. */
function isSpared(doom: Doom, { name }: Victim): boolean {
  if (doom.left === null) {
    doom.after -= 1;
    return doom.after >= 0;
  }
  const left = doom.left.get(name) ?? doom.random.below(doom.after + 1);
  doom.left.set(name, left - 1);
  return left > 0;
}

function deathOf(fault: Extract<Fault, { kind: "death" }>, strikes: Strikes): StepFault {
  let left = fault.nth;
  return (step, victim) => {
    if (step !== fault.step || left === 0) return undefined;
    left -= 1;
    const death = { who: "object dies", durable: fault.durable };
    return left === 0 ? strikes.kill(victim, step, death) : undefined;
  };
}

function callFaultOf(
  fault: Extract<Fault, { kind: "call" }>,
  later: Moment,
  strikes: Strikes,
): CallFault {
  const { method, nth } = fault;
  const what = `${CALLED[method] ?? `${method.split(".")[0]} call`} ${fault.fate}`;
  let end = () => {};
  const strike = fateOf(
    method,
    fateFor(fault, later, () => end()),
    nth,
  );
  return (call) => {
    const fate = strike(call);
    if (fate.kind !== "well") end = strikes.begin(what);
    // Who is under way notices; a late call and a slow one are noticed until they arrive.
    if (fate.kind !== "late" && fate.kind !== "slow") end();
    return fate;
  };
}

function fateFor({ fate }: Extract<Fault, { kind: "call" }>, later: Moment, end: () => void): Fate {
  switch (fate) {
    case "late":
      return { kind: fate, until: () => later.came().then(end) };
    case "slow":
      return {
        kind: fate,
        until: () => new Promise<void>((done) => setTimeout(done, SLOW_MS)).then(end),
      };
    case "stuck":
      // Until the weather clears, or who waits has given up.
      return {
        kind: "slow",
        until: () =>
          Promise.race([
            later.came(),
            new Promise<void>((done) => setTimeout(done, STUCK_MS)),
          ]).then(end),
      };
    default:
      return { kind: fate };
  }
}
