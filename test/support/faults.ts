/**
 * What is to go wrong, by step: the objects of the test Worker ask here at every checkpoint. Tests and objects
 * share one isolate, so this module is one for both.
 */

/** The object that a fault strikes. */
export interface Victim {
  /** Its name: `<instance>/journal/<shard>` or `<instance>/<balance id>`. */
  readonly name: string;
  /** Ends this life of the object; calls under way fail, and what is not written yet may be lost. */
  abort(reason: string): void;
  /** Resolves when everything written so far is durable. */
  sync(): Promise<void>;
}

/** Decides at a checkpoint whether and how an object fails: it may throw, abort the victim, or wait. */
export type Fault = (step: string, victim: Victim) => void | Promise<void>;

let current: Fault | null = null;
const passed: string[] = [];

/** Puts a fault in force until `clearFaults`. */
export function setFault(fault: Fault): void {
  current = fault;
}

/** From now on nothing fails. */
export function clearFaults(): void {
  current = null;
  passed.length = 0;
}

/** The steps that were passed since faults were cleared, with repetitions. */
export const passedSteps = (): readonly string[] => passed;

/** What the objects call. */
export function atCheckpoint(step: string, victim: Victim): void | Promise<void> {
  if (current === null) return;
  passed.push(step);
  return current(step, victim);
}

/** Kills the object at the `nth` passage of a step (1 is the first), after its writes are durable, or before. */
export function killAt(step: string, options: { nth?: number; durable: boolean }): Fault {
  let left = options.nth ?? 1;
  return (at, victim) => {
    if (at !== step || left === 0) return;
    left -= 1;
    if (left > 0) return;
    return die(victim, step, options.durable);
  };
}

async function die(victim: Victim, step: string, durable: boolean): Promise<void> {
  if (durable) await victim.sync();
  victim.abort(`killed at ${step}`);
  // The rest of this life runs no further.
  await new Promise(() => {});
}

/** Loses the reply of the `nth` call that passes a step: the work is done, the caller sees an error. */
export function loseReplyAt(step: string, nth = 1): Fault {
  let left = nth;
  return (at) => {
    if (at !== step || left === 0) return;
    left -= 1;
    if (left === 0) throw new Error(`reply lost at ${step}`);
  };
}
