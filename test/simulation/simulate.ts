import { draw } from "./draw";
import type { Violation } from "./facts";
import { violationsOf } from "./model";
import { faultKinds, isSend, type Plan } from "./plan";
import { type Course, play } from "./play";
import { shrink } from "./shrink";
import { storyOf } from "./story";

/** What a run came to: counts, and the story of the first seed that broke a law ("" when none did). */
export interface Report {
  /** How many seeds were played, and the last of them. */
  readonly seeds: number;
  readonly last: number;
  /** Requests that were sent, with repetitions. */
  readonly operations: number;
  /** Planned faults of objects and calls that came to strike. */
  readonly struck: number;
  /** Faults of all kinds in the plans that were played. */
  readonly faults: Readonly<{ [kind: string]: number }>;
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
  /** How many smaller plans are tried when one has failed. */
  readonly shrinks: number;
}

/** Plays seed after seed until one breaks a law, which is then shrunk. */
export async function simulate({ seed, seeds, seconds, shrinks }: Run): Promise<Report> {
  const endMs = performance.now() + seconds * 1_000;
  const counts = { seeds: 0, last: seed, operations: 0, struck: 0 };
  const faults: { [kind: string]: number } = {};
  const kinds: { [kind: string]: number } = {};
  while (counts.seeds < seeds && performance.now() < endMs) {
    const plan = draw(seed + counts.seeds);
    const course = await play(plan);
    counts.seeds += 1;
    counts.last = plan.seed;
    counts.operations += operationsOf(course);
    counts.struck += course.struck.size;
    count(faults, faultKinds(plan));
    count(
      kinds,
      course.ledgers.flatMap(({ calls }) => calls.map(({ send }) => send.request.kind)),
    );
    const violations = violationsOf(course);
    if (violations.length > 0) {
      const told = await failure({ course, violations }, shrinks);
      return { ...counts, faults, kinds, ...told };
    }
  }
  return { ...counts, faults, kinds, laws: [], needed: 0, story: "" };
}

const operationsOf = ({ ledgers }: Course): number =>
  ledgers.reduce((sum, { calls }) => sum + calls.length, 0);

function count(counts: { [kind: string]: number }, kinds: readonly string[]): void {
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
}

interface Failure {
  readonly course: Course;
  readonly violations: readonly Violation[];
}

/** The smallest plan that breaks one of the same laws, and its story. */
async function failure(
  first: Failure,
  tries: number,
): Promise<Pick<Report, "laws" | "needed" | "story">> {
  const laws = new Set(first.violations.map(({ law }) => law));
  let smallest = first;
  const fails = async (plan: Plan): Promise<boolean> => {
    const course = await play(plan);
    const violations = violationsOf(course);
    const isSame = violations.some(({ law }) => laws.has(law));
    if (isSame) smallest = { course, violations };
    return isSame;
  };
  await shrink(first.course.plan, fails, tries);
  const { course, violations } = smallest;
  return {
    laws: [...laws].sort(),
    needed: course.plan.steps.filter(isSend).length,
    story: storyOf(course, violations),
  };
}
