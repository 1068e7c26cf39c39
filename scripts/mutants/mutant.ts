/** One replacement in one file: `find` must occur there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A way to break a law in the source, and the test that must notice. */
export interface Mutant {
  readonly name: string;
  /** By its number in docs/testing.md, and a word for it. */
  readonly law: string;
  /** Whether the simulation must notice it too, within the seeds that `npm run simulate -- --canary` plays. */
  readonly canary?: true;
  readonly edits: readonly Edit[];
  /** A test file, and the part of its tests' names that is run. */
  readonly test: string;
  readonly filter: string;
}

export const JOURNAL = "src/durable/journal";
export const BALANCE = "src/durable/balance";
export const REFUSALS = "test/durable/mutants-refusals.test.ts";
export const EVENTS = "test/durable/mutants-events.test.ts";
export const GROUPS = "test/durable/mutants-groups.test.ts";

/** A replacement in a file. */
export const edit = (file: string, find: string, replace: string): Edit => ({
  file,
  find,
  replace,
});
