import { describe, expect, it } from "vitest";
import { parseExact } from "../support/exact-json";
import { differences, type Rules } from "./compare";
import { valueAt } from "./path";
import { fill } from "./placeholder";

const between = (recorded: string, answered: string, rules: Rules = {}): string[] =>
  differences(parseExact(recorded), parseExact(answered), rules);

const LONG = "12345678901234567890123456789";

describe("an answer conforms to the recorded one", () => {
  it.each([
    ["10", "10.0"],
    ["1500", "1.5e3"],
    ["0", "-0.00"],
    [LONG, LONG],
    ['{"a":1}', '{"a":1,"more":2}'],
    ['"<time>"', '"2026-11-21T07:40:22.99Z"'],
    ['"<id:txn>_refund"', '"txn_0123456789abcdef_refund"'],
    ['"<hash>"', `"${"0a".repeat(32)}"`],
    ['"<long:3>"', '"abc"'],
    ["null", "null"],
  ])("%s by %s", (recorded, answered) => {
    expect(between(recorded, answered)).toEqual([]);
  });

  it.each([
    ["9007199254740993", "9007199254740992"],
    ["10", '"10"'],
    ["null", '""'],
    ["[]", "null"],
    ["{}", "[]"],
    ['{"a":null}', "{}"],
    ["[1,2]", "[1,3]"],
    ["[1]", "[1,1]"],
    ["true", "1"],
    ['"<time>"', '"0001-01-01T00:00:00Z"'],
    ['"<time>"', "1"],
    ['"<id:txn>"', '"bln_0123456789abcdef"'],
    ['"<text>"', '""'],
    ['"<hash>"', '"00"'],
    ['"<long:3>"', '"abcd"'],
  ])("%s, but not by %s", (recorded, answered) => {
    expect(between(recorded, answered)).toHaveLength(1);
  });

  it("leaves loose paths out, with what is in them", () => {
    const recorded = '{"data":[{"version":1,"meta":{"a":1},"b":1}]}';
    const answered = '{"data":[{"version":2,"meta":7,"b":2}]}';

    expect(between(recorded, answered, { loose: ["$..version", "$.data[*].meta"] })).toEqual([
      "$.data[0].b: expected 1 got 2",
    ]);
    expect(between(recorded, answered, { loose: ["$"] })).toEqual([]);
  });

  it("pairs the elements of a list whose order does not matter, each with one of its own", () => {
    const rules = { unordered: ["$.data"] };

    expect(
      between('{"data":[{"a":"<text>"},{"a":"x"}]}', '{"data":[{"a":"x"},{"a":"y"}]}', rules),
    ).toEqual([]);
    expect(between('{"data":[1,1]}', '{"data":[1,2]}', rules)).toHaveLength(1);
    expect(between('{"data":[1]}', '{"data":[1,2]}', rules)).toHaveLength(1);
    expect(between('{"data":[2]}', '{"data":[1,2]}', { contains: ["$.data"] })).toEqual([]);
  });
});

it("a path names a value", () => {
  const body = parseExact('{"data":[{"id":"a","n":1},{"id":"b","n":2}]}');

  expect(valueAt(body, "$.data[id=b].n")).toEqual(parseExact("2"));
  expect(valueAt(body, "$.data[0].id")).toBe("a");
  expect(valueAt(body, "$.data.length()")).toEqual(parseExact("2"));
  expect(valueAt(body, "$.none[0].id")).toBeUndefined();
});

it("placeholders are filled in wherever they stand", () => {
  const values = new Map([
    ["name", "bob"],
    ["n", parseExact(LONG)],
  ]);
  const recorded = parseExact(
    '{"{{name}}":"{{repeat:ab:2}}-{{n}}","n":"{{n}}","list":{"$repeat":2,"item":"r{{index}}"}}',
  );

  expect(fill(recorded, values)).toEqual({
    bob: `abab-${LONG}`,
    n: parseExact(LONG),
    list: ["r0", "r1"],
  });
  expect(() => fill("{{nobody}}", values)).toThrow("no step captured {{nobody}}");
});
