import { describe, expect, it } from "vitest";
import { CANARY, MUTANTS } from "../scripts/mutant-list";

const files = new Map(
  Object.entries({
    ...import.meta.glob<string>("../src/**/*.ts", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
    ...import.meta.glob<string>("./**/*.test.ts", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  }).map(([path, text]) => [path.replace(/^\.\.\//, "").replace(/^\.\//, "test/"), text]),
);

const LAWS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe("mutants", () => {
  it.each(MUTANTS)("$name: fits the source, and there is a test that is to notice", (mutant) => {
    for (const { file, find } of mutant.edits) {
      expect(files.get(file)?.split(find), `${file}: ${find}`).toHaveLength(2);
    }
    expect(files.get(mutant.test), mutant.test).toBeDefined();
  });

  it("have names of their own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it("are there for every law, also among those that the simulation must notice", () => {
    const laws = new Set(CANARY.map(({ law }) => Number(law[0])));
    expect([...laws].sort()).toEqual(LAWS);
    expect(CANARY.length).toBeGreaterThanOrEqual(15);
  });
});
