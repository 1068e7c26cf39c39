/**
 * What is to go wrong, where and when: the objects of the test Worker ask here at every checkpoint, for every call that
 * reaches them, and before every batch that leaves for D1 and the queues. Tests and objects share one isolate, so this
 * module is one for both. Faults belong to an instance: histories on several instances run side by side.
 */

import { Turn } from "../../src/durable/turn";

/** The object that a fault strikes. */
export interface Victim {
  /** Its name: `<instance>/journal/<shard>` or `<instance>/<balance id>`. */
  readonly name: string;
  /** Ends this life of the object; calls under way fail, and what is not written yet is lost. */
  abort(reason: string): void;
  /** Resolves when everything written so far is durable. */
  sync(): Promise<void>;
}

/** Decides at a checkpoint whether and how an object fails: it may throw, end the victim's life, or wait. */
export type StepFault = (step: string, victim: Victim) => void | Promise<void>;

/** A call on its way: `balance.execute`, `journal.settle`, `d1.batch`, `apply.sendBatch`, `webhooks.sendBatch`, `jobs.send`. */
export interface Call {
  readonly method: string;
  /** The object that is called, or for D1 and the queues the one that calls. */
  readonly name: string;
}

/**
 * What becomes of a call. `lost`: it never arrives. `reply-lost`: it is carried out, the caller sees an error. `late`: the
 * caller sees an error at once, and it is carried out when `until` resolves. `slow`: it is carried out and answered when
 * `until` resolves. `twice`: it arrives twice.
 * `swallowed` (queues only): the queue takes it, and nothing comes out.
 */
export type Fate =
  | { readonly kind: "well" | "lost" | "reply-lost" | "twice" | "swallowed" }
  | { readonly kind: "late" | "slow"; readonly until: () => Promise<void> };

export const WELL: Fate = { kind: "well" };

/** Something that goes wrong once, at the `nth` passage of a step or call of a method (1 is the first). */
export type Fault =
  | {
      readonly kind: "death";
      readonly step: string;
      readonly nth: number;
      /** Whether its last writes reach the disk. */
      readonly durable: boolean;
    }
  | {
      readonly kind: "call";
      readonly method: string;
      readonly nth: number;
      /** `stuck` is so slow that who waits for it gives up. */
      readonly fate: "lost" | "reply-lost" | "twice" | "late" | "slow" | "stuck";
    };

/** Decides what becomes of a call. */
export type CallFault = (call: Call) => Fate;

/**
 * How the two ends of a call differ while a deploy rolls out. `older`: what the caller sends, or what is answered, is
 * without the fields that only newer versions know. `newer`: it has fields that this version does not know.
 */
export type Shape = "same" | "older" | "newer";

interface Scene {
  readonly step: StepFault;
  readonly call: CallFault;
  readonly shape: (call: Call) => Shape;
}

const scenes = new Map<string, Scene>();
const passed = new Map<string, string[]>();
const called = new Map<string, string[]>();

/** Puts faults in force for an instance until `clearFaults`, and counts its steps anew. */
export function setFaults(instance: string, faults: Partial<Scene>): void {
  scenes.set(instance, { step: () => {}, call: () => WELL, shape: () => "same", ...faults });
  passed.set(instance, []);
  called.set(instance, []);
}

/** From now on nothing fails in this instance. */
export function clearFaults(instance: string): void {
  scenes.delete(instance);
}

/** The steps that the instance's objects passed since its faults were set, with repetitions. */
export const passedSteps = (instance: string): readonly string[] => passed.get(instance) ?? [];

/** The methods of the calls that were made since its faults were set, with repetitions. */
export const calledMethods = (instance: string): readonly string[] => called.get(instance) ?? [];

/** Late calls that are still on their way, by the object that carries them out. */
const late = new Map<string, number>();

/** How many late calls of an instance have not arrived yet. */
export const lateCalls = (instance: string): number =>
  [...late].reduce((sum, [name, count]) => (instanceOf(name) === instance ? sum + count : sum), 0);

/** Objects whose end has been decided and has not come yet. */
const dying = new Set<string>();

/** Resolves when no object of an instance is about to die: what is asked from then on is not cut off by what was decided before. */
export async function deathsOver(instance: string): Promise<void> {
  const turn = new Turn();
  while ([...dying].some((name) => instanceOf(name) === instance)) await turn.next();
}

const instanceOf = (name: string): string => name.slice(0, name.indexOf("/"));

/** What the objects call at a checkpoint. */
export function atCheckpoint(step: string, victim: Victim): void | Promise<void> {
  const instance = instanceOf(victim.name);
  const scene = scenes.get(instance);
  if (scene === undefined) return;
  passed.get(instance)?.push(step);
  return scene.step(step, victim);
}

/** The shape in which a call between objects travels. */
export const shapeOf = (call: Call): Shape =>
  scenes.get(instanceOf(call.name))?.shape(call) ?? "same";

/** The error that a caller sees whose call or whose reply was lost. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/**
 * Carries out a call as its fate wants it. `later` keeps the object at work after the caller has been told of an error.
 */
export async function underFate<T>(
  call: Call,
  work: () => Promise<T>,
  later: (work: Promise<unknown>) => void,
  swallow: () => T | Promise<T> = work,
): Promise<T> {
  const instance = instanceOf(call.name);
  const scene = scenes.get(instance);
  called.get(instance)?.push(call.method);
  const fate = scene?.call(call) ?? WELL;
  switch (fate.kind) {
    case "well":
      return work();
    case "lost":
      throw new Lost(`${call.method} was lost`);
    case "reply-lost":
      await work();
      throw new Lost(`the reply of ${call.method} was lost`);
    case "late":
      late.set(call.name, (late.get(call.name) ?? 0) + 1);
      later(
        fate
          .until()
          .then(work)
          .catch(() => null)
          .then(() => late.set(call.name, (late.get(call.name) ?? 1) - 1)),
      );
      throw new Lost(`${call.method} was given up`);
    case "slow":
      await fate.until();
      return work();
    case "twice":
      await work();
      return work();
    case "swallowed":
      return swallow();
  }
}

/** Ends the life of the object that passes a step for the `nth` time (1 is the first), its writes durable or not. */
export function killAt(
  step: string,
  { nth = 1, durable }: { readonly nth?: number; readonly durable: boolean },
): StepFault {
  let left = nth;
  return (at, victim) => {
    if (at !== step || left === 0) return undefined;
    left -= 1;
    return left === 0 ? die(victim, step, durable) : undefined;
  };
}

/** Ends an object's life. What runs in it runs no further. */
export async function die(victim: Victim, step: string, durable: boolean): Promise<void> {
  if (durable) {
    dying.add(victim.name);
    await victim.sync();
    // In a turn of its own: the runtime does not always survive an object that dies while it is being answered.
    await new Turn().next();
  }
  // What it still had to carry out dies with it.
  late.delete(victim.name);
  dying.delete(victim.name);
  victim.abort(`killed at ${step}`);
  await new Promise(() => {});
}

/** Lets the `nth` call of a method have a fate; all others go well. */
export function fateOf(method: string, fate: Fate, nth = 1): CallFault {
  let left = nth;
  return (call) => {
    if (call.method !== method || left === 0) return WELL;
    left -= 1;
    return left === 0 ? fate : WELL;
  };
}
