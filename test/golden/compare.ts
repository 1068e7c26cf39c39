import {
  decimalValue,
  ExactNumber,
  isJsonObject,
  type Json,
  writeExact,
} from "../support/exact-json";
import { covers, names } from "./path";
import { fitsText } from "./placeholder";

/** Paths that are not compared as they stand. */
export interface Rules {
  /** Not compared at all. */
  readonly loose?: readonly string[] | undefined;
  /** Lists whose order does not matter. */
  readonly unordered?: readonly string[] | undefined;
  /** Lists that may hold more than what was recorded. */
  readonly contains?: readonly string[] | undefined;
}

/**
 * Where an answer differs from the recorded one, in words; empty when it conforms. Every recorded key must be there with an
 * equal value of the same JSON type; keys beyond them are allowed. Numbers are equal when their decimal values are.
 */
export function differences(
  recorded: Json,
  answered: Json | undefined,
  rules: Rules = {},
  place = "$",
): string[] {
  if (rules.loose?.some((pattern) => covers(pattern, place)) === true) return [];
  if (Array.isArray(recorded) && Array.isArray(answered)) {
    return listDifferences(recorded, answered, rules, place);
  }
  if (isJsonObject(recorded) && isJsonObject(answered)) {
    return Object.entries(recorded).flatMap(([key, value]) =>
      differences(value, answered[key], rules, `${place}.${key}`),
    );
  }
  if (isSame(recorded, answered)) return [];
  return [`${place}: expected ${shown(recorded)} got ${shown(answered)}`];
}

function isSame(recorded: Json, answered: Json | undefined): boolean {
  if (typeof recorded === "string") return fitsText(recorded, answered);
  if (recorded instanceof ExactNumber && answered instanceof ExactNumber) {
    return decimalValue(recorded) === decimalValue(answered);
  }
  return recorded === answered;
}

function listDifferences(recorded: Json[], answered: Json[], rules: Rules, place: string) {
  const named = (patterns: readonly string[] | undefined) =>
    patterns?.some((pattern) => names(pattern, place)) === true;
  const mayHoldMore = named(rules.contains);
  if (!mayHoldMore && recorded.length !== answered.length) {
    return [`${place}: expected ${recorded.length} elements got ${answered.length}`];
  }
  if (mayHoldMore || named(rules.unordered)) return unpaired(recorded, answered, rules, place);
  return recorded.flatMap((element, index) =>
    differences(element, answered[index], rules, `${place}[${index}]`),
  );
}

/** Gives each recorded element an answered one of its own, if there is a way to. */
function unpaired(recorded: Json[], answered: Json[], rules: Rules, place: string): string[] {
  const takenBy = new Map<number, number>();
  const pairUp = (index: number, tried: Set<number>): boolean =>
    answered.some((candidate, other) => {
      const element = recorded[index] ?? null;
      if (tried.has(other)) return false;
      if (differences(element, candidate, rules, `${place}[${index}]`).length > 0) return false;
      tried.add(other);
      const holder = takenBy.get(other);
      if (holder !== undefined && !pairUp(holder, tried)) return false;
      takenBy.set(other, index);
      return true;
    });
  return recorded
    .map((element, index) =>
      pairUp(index, new Set()) ? "" : `${place}[${index}]: nothing like ${shown(element)}`,
    )
    .filter((difference) => difference !== "");
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  const text = writeExact(value);
  return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
