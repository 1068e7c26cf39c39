import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bodyOf, wireBigint, wireDecimalText, wireMetaData } from "../../src/schemas/common";
import { canonicalJson, MALFORMED, parseBody, wireDecimal } from "../../src/schemas/json";
import { TransactionRequest } from "../../src/schemas/transaction";

const again = (text: string): string => JSON.stringify(parseBody(text));

describe("reading a body", () => {
  it.each([
    '{"a":9007199254740993}',
    '{"a":1234567890123456789012345678901234567890}',
    '{"a":[-12345678901234567890.50,{"b":0.12345678901234567890}]}',
    '{"a":5.0,"b":1e400,"c":10e-3}',
    '{"a":1,"b":1.5,"c":"12345678901234567890","d":true,"e":null}',
  ])("keeps every number of %s as it was written", (text) => {
    expect(again(text)).toBe(text);
  });

  it("ignores what follows the first value", () => {
    expect(again('{"a":"}"} {"b":2}')).toBe('{"a":"}"}');
    expect(again('  {"a":"\\"]"}trailing')).toBe('{"a":"\\"]"}');
    expect(again("[1]2")).toBe("[1]");
  });

  it.each(['{"name": "x", ', "{a:1}", '{"a":01}', "nothing", "}", '{"a":1]'])(
    "knows that %s is no JSON",
    (text) => {
      expect(parseBody(text)).toBe(MALFORMED);
    },
  );

  it("takes a blank body for none", () => {
    expect(parseBody("")).toBeUndefined();
    expect(parseBody(" \r\n")).toBeUndefined();
  });

  it("refuses nesting that nobody needs", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(again(nested(128))).toBe(nested(128));
    expect(parseBody(nested(129))).toBe(MALFORMED);
    expect(parseBody("[".repeat(1_000_000))).toBe(MALFORMED);
  });

  it("makes half a surrogate pair what UTF-8 makes of it", () => {
    expect(parseBody('{"a":"x\\ud800"}')).toEqual({ a: "x\ufffd" });
    expect(parseBody('{"a":"\\ud83d\\ude00"}')).toEqual({ a: "😀" });
  });
});

describe("bodies", () => {
  const body = bodyOf({ name: z.string().optional(), meta_data: wireMetaData.optional() });

  it("matches keys whatever their case, the last one winning, and null like absent", () => {
    expect(body.parse({ NAME: "a", Name: "b", other: 1 })).toEqual({ name: "b" });
    expect(body.parse({ name: "a", NAME: null })).toEqual({ name: "a" });
    expect(body.parse({ name: null })).toEqual({});
  });

  it("counts a spelling that is repeated where it stood first", () => {
    expect(body.parse(parseBody('{"name":"a","NAME":"b","name":"c"}'))).toEqual({ name: "b" });
  });

  it("leaves the keys of metadata alone", () => {
    const parsed = body.parse(parseBody('{"META_DATA":{"Key":1,"n":12345678901234567890}}'));
    expect(parsed).toEqual({ meta_data: '{"Key":1,"n":12345678901234567890}' });
  });

  it.each([[[]], ["text"], [5], [undefined], [MALFORMED], [parseBody("12345678901234567890")]])(
    "is an object, and nothing like %j",
    (value) => {
      expect(body.safeParse(value).success).toBe(false);
    },
  );
});

describe("numbers of a body", () => {
  it.each`
    text                                          | value
    ${"5"}                                        | ${5n}
    ${"-5"}                                       | ${-5n}
    ${"1234567890123456789012345678901234567890"} | ${1234567890123456789012345678901234567890n}
    ${"5.0"}                                      | ${null}
    ${"1e3"}                                      | ${null}
    ${'"5"'}                                      | ${null}
    ${`1${"0".repeat(400)}`}                      | ${null}
  `("takes $text for a whole number: $value", ({ text, value }) => {
    const result = wireBigint.safeParse(first(text));
    expect(result.success ? result.data : null).toBe(value);
  });

  it.each`
    text                 | value
    ${"10.50"}           | ${"10.50"}
    ${"1e3"}             | ${"1e3"}
    ${"0.1"}             | ${"0.1"}
    ${"1e400"}           | ${"1e400"}
    ${"1e-999999999999"} | ${null}
    ${'"5"'}             | ${null}
  `("takes $text for a decimal: $value", ({ text, value }) => {
    const result = wireDecimalText.safeParse(first(text));
    expect(result.success ? result.data : null).toBe(value);
  });

  it("takes minor units as text only where a double could not hold them", () => {
    const amount = (value: unknown) =>
      TransactionRequest.safeParse({ precise_amount: value }).data?.precise_amount;
    expect(amount("9007199254740993")).toBe(9007199254740993n);
    expect(amount("12345678901234567890123")).toBe(12345678901234567890123n);
    expect(amount("9007199254740992")).toBeUndefined();
    expect(amount("100")).toBeUndefined();
    expect(amount("-9007199254740993")).toBeUndefined();
  });
});

/** The value as it stands in a body. */
function first(text: string): unknown {
  const list = parseBody(`[${text}]`);
  return Array.isArray(list) ? list[0] : undefined;
}

describe("writing", () => {
  it.each`
    text                       | written
    ${"90071992547409.93"}     | ${"90071992547409.94"}
    ${"184467440737095516.17"} | ${"184467440737095520"}
    ${"0.1"}                   | ${"0.1"}
    ${"5.50"}                  | ${"5.5"}
    ${`1${"0".repeat(400)}.5`} | ${`1${"0".repeat(400)}.5`}
  `("shows $text as $written", ({ text, written }) => {
    expect(JSON.stringify(wireDecimal(text))).toBe(written);
  });

  it("gives two bodies with the same content one text", () => {
    const one = canonicalJson(parseBody('{"b":1,"a":{"d":12345678901234567890,"c":[2,1]}}'));
    const other = canonicalJson(parseBody('{ "a": {"c":[2,1], "d":12345678901234567890}, "b":1 }'));
    expect(one).toBe(other);
    expect(one).toBe('{"a":{"c":[2,1],"d":12345678901234567890},"b":1}');
  });
});
