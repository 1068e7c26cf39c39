import {
  type Call,
  type CallFault,
  die,
  type Fate,
  type Fault,
  fateOf,
  killAt,
  type Shape,
  type StepFault,
  setFaults,
  WELL,
} from "../support/faults";
import { Moment } from "../support/moment";
import type { Plan } from "./plan";
import { Random } from "./random";

/** How long a slow call takes, in milliseconds. */
const SLOW_MS = 40;
/** Between the deaths of two objects that are to die together, in milliseconds. */
const TURN_MS = 3;

const QUEUES: ReadonlySet<string> = new Set(["webhooks.sendBatch", "apply.sendBatch", "jobs.send"]);

/** Nothing fails. Messages stay where the simulation takes them from: it is the queue. */
export const QUIET = {
  call: ({ method }: Call): Fate => (QUEUES.has(method) ? { kind: "swallowed" } : WELL),
};

/** The faults of a plan, in force. */
export interface Weather {
  /** What was late arrives. */
  clear(): void;
  /** Every object dies as soon as it does anything, once. */
  doom(durable: boolean): void;
  /** From now on versions meet. */
  roll(seed: number): void;
  /** How a message is shaped that comes out of a queue now. */
  shape(): Shape;
  /** Faults that struck so far: a plan may name passages that never come. */
  readonly struck: ReadonlySet<Fault>;
}

/** Puts the faults of a plan in force for an instance. */
export function letFail(instance: string, { faults }: Plan): Weather {
  const later = new Moment();
  const struck = new Set<Fault>();
  const steps: StepFault[] = [];
  const calls: CallFault[] = [];
  for (const fault of faults) {
    if (fault.kind === "death") steps.push(deathOf(fault, struck));
    else calls.push(callFaultOf(fault, later, struck));
  }
  let versions: Random | null = null;
  const shape = (): Shape => versions?.weighted({ same: 2, older: 1, newer: 2 }) ?? "same";
  const doomed = { rounds: 0, durable: false, dead: new Set<string>() };
  setFaults(instance, {
    step: async (step, victim) => {
      if (doomed.rounds > 0 && !doomed.dead.has(victim.name)) {
        doomed.dead.add(victim.name);
        // One after another: the runtime itself does not bear it when a caller and its callee end in one turn.
        const turn = doomed.dead.size * TURN_MS;
        await new Promise((resolve) => setTimeout(resolve, turn));
        await die(victim, step, doomed.durable);
      }
      for (const strike of steps) await strike(step, victim);
    },
    call: (call) => {
      const fates = calls.map((each) => each(call));
      return fates.find(({ kind }) => kind !== "well") ?? QUIET.call(call);
    },
    shape,
  });
  return {
    clear: () => later.comes(),
    doom: (durable) => {
      Object.assign(doomed, { rounds: doomed.rounds + 1, durable, dead: new Set<string>() });
    },
    roll: (seed) => {
      versions = new Random(seed);
    },
    shape,
    struck,
  };
}

function deathOf(fault: Extract<Fault, { kind: "death" }>, struck: Set<Fault>): StepFault {
  const strike = killAt(fault.step, { nth: fault.nth, durable: fault.durable });
  return (step, victim) => {
    const died = strike(step, victim);
    if (died !== undefined) struck.add(fault);
    return died;
  };
}

function callFaultOf(
  fault: Extract<Fault, { kind: "call" }>,
  later: Moment,
  struck: Set<Fault>,
): CallFault {
  const strike = fateOf(fault.method, fateFor(fault, later), fault.nth);
  return (call) => {
    const fate = strike(call);
    if (fate.kind !== "well") struck.add(fault);
    return fate;
  };
}

function fateFor({ fate }: Extract<Fault, { kind: "call" }>, later: Moment): Fate {
  switch (fate) {
    case "late":
      return { kind: fate, until: () => later.came() };
    case "slow":
      return { kind: fate, until: () => new Promise((done) => setTimeout(done, SLOW_MS)) };
    default:
      return { kind: fate };
  }
}
