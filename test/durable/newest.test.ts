import { expect, it } from "vitest";
import { Newest } from "../../src/durable/journal/newest";

it("what is known is what came last, and never more than there may be", () => {
  const known = new Newest<string, number>(3);
  for (const [value, key] of ["a", "b", "c", "a", "d"].entries()) known.set(key, value);
  expect(["a", "b", "c", "d"].map((key) => known.get(key))).toEqual([undefined, 1, 2, 4]);
  for (let value = 0; value < 1_000; value += 1) known.set("d", value);
  expect(["b", "c", "d"].map((key) => known.get(key))).toEqual([1, 2, 999]);
});
