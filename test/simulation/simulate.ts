import { draw } from "./draw";
import { breaks, type Violation } from "./facts";
import { violationsOf } from "./model";
import { isSend, type Plan } from "./plan";
import { type Call, type Course, play } from "./play";
import { shrink } from "./shrink";
import { storyOf } from "./story";

/** A plan takes about a second; one that takes this long, in milliseconds, comes to no end. */
const PATIENCE_MS = 60_000;

/** What a run came to: counts, and the story of the first seed that broke a law ("" when none did). */
export interface Report {
  /** How many seeds were played, and the last of them. */
  readonly seeds: number;
  readonly last: number;
  /** Requests that were sent, with repetitions. */
  readonly operations: number;
  /** What went wrong, by its kind, each as often as it struck, and where objects died. */
  readonly faults: Readonly<{ [kind: string]: number }>;
  readonly deaths: Readonly<{ [step: string]: number }>;
  readonly kinds: Readonly<{ [kind: string]: number }>;
  /** The laws that broke, and the operations that the shrunk plan needs; empty and 0 when none did. */
  readonly laws: readonly number[];
  readonly needed: number;
  readonly story: string;
}

export interface Run {
  readonly seed: number;
  readonly seeds: number;
  /** After so many seconds no other seed begins. */
  readonly seconds: number;
  /** How many smaller plans are tried when one has failed, and for how many seconds. */
  readonly shrinks: number;
  readonly shrinkSeconds: number;
}

/** Plays seed after seed until one breaks a law, which is then shrunk. */
export async function simulate({ seed, seeds, seconds, ...shrinking }: Run): Promise<Report> {
  const endMs = performance.now() + seconds * 1_000;
  const counts = { seeds: 0, last: seed, operations: 0 };
  const faults: { [kind: string]: number } = {};
  const deaths: { [step: string]: number } = {};
  const kinds: { [kind: string]: number } = {};
  while (counts.seeds < seeds && performance.now() < endMs) {
    const plan = draw(seed + counts.seeds);
    const played = await playWithin(plan);
    const { course, violations } = played;
    counts.seeds += 1;
    counts.last = plan.seed;
    counts.operations +=
      course === null ? plan.steps.filter(isSend).length : callsOf(course).length;
    const strikes = course?.strikes ?? [];
    count(
      faults,
      strikes.map(({ what }) => what),
    );
    count(
      deaths,
      strikes.flatMap(({ step }) => step ?? []),
    );
    count(
      kinds,
      callsOf(course).map(({ send }) => send.request.kind),
    );
    if (violations.length > 0) {
      return { ...counts, faults, deaths, kinds, ...(await failure(played, shrinking)) };
    }
  }
  return { ...counts, faults, deaths, kinds, laws: [], needed: 0, story: "" };
}

const callsOf = (course: Course | null): readonly Call[] =>
  course?.ledgers.flatMap(({ calls }) => calls) ?? [];

/** A plan and what came of it; without a course when it came to no end. */
interface Played {
  readonly plan: Plan;
  readonly course: Course | null;
  readonly violations: readonly Violation[];
}

async function playWithin(plan: Plan): Promise<Played> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), PATIENCE_MS);
  try {
    const course = await Promise.race([play(plan), late]);
    const violations = course === null ? [breaks(5, "it comes to no end")] : violationsOf(course);
    return { plan, course, violations };
  } catch (error) {
    // A ledger whose laws hold can be read.
    return { plan, course: null, violations: [breaks(5, `it cannot be read: ${error}`)] };
  } finally {
    clearTimeout(timer);
  }
}

function count(counts: { [kind: string]: number }, kinds: readonly string[]): void {
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
}

/** The smallest plan that breaks one of the same laws, and its story. */
async function failure(
  first: Played,
  { shrinks, shrinkSeconds }: Pick<Run, "shrinks" | "shrinkSeconds">,
): Promise<Pick<Report, "laws" | "needed" | "story">> {
  const laws = new Set(first.violations.map(({ law }) => law));
  const endMs = performance.now() + shrinkSeconds * 1_000;
  let smallest = first;
  const fails = async (plan: Plan): Promise<boolean> => {
    if (performance.now() > endMs) return false;
    const played = await playWithin(plan);
    const isSame = played.violations.some(({ law }) => laws.has(law));
    if (isSame) smallest = played;
    return isSame;
  };
  await shrink(first.plan, fails, shrinks);
  const { plan, course, violations } = smallest;
  return {
    laws: [...laws].sort(),
    needed: plan.steps.filter(isSend).length,
    story: storyOf(plan, callsOf(course), violations),
  };
}
