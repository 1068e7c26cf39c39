import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instantOfMicros, millisOf, parseInstant, showInstant } from "../../src/domain/time";

describe("reading a time", () => {
  it.each`
    text                                     | instant
    ${"2024-04-22T15:28:03+00:00"}           | ${"2024-04-22T15:28:03.000000Z"}
    ${"2024-04-22T15:28:03Z"}                | ${"2024-04-22T15:28:03.000000Z"}
    ${"2024-04-22t15:28:03z"}                | ${"2024-04-22T15:28:03.000000Z"}
    ${"2024-04-22T15:28:03-03:30"}           | ${"2024-04-22T18:58:03.000000Z"}
    ${"2024-04-22T15:28:03.1Z"}              | ${"2024-04-22T15:28:03.100000Z"}
    ${"2024-04-22T15:28:03.123456789+01:00"} | ${"2024-04-22T14:28:03.123456Z"}
    ${"2024-02-29T00:00:00Z"}                | ${"2024-02-29T00:00:00.000000Z"}
    ${"2023-02-29T00:00:00Z"}                | ${null}
    ${"2024-04-31T00:00:00Z"}                | ${null}
    ${"2024-04-22T24:30:00Z"}                | ${null}
    ${"2024-04-22T24:00:00Z"}                | ${null}
    ${"2024-04-22T24:00:00.5+01:00"}         | ${null}
    ${"2024-04-22T15:28:03+24:00"}           | ${null}
    ${"2024-04-22T15:28:03"}                 | ${null}
    ${"2024-04-22T15:28:03+0000"}            | ${null}
    ${"2024-04-22"}                          | ${null}
    ${"0000-01-01T00:00:00+01:00"}           | ${null}
    ${"9999-12-31T23:59:59-01:00"}           | ${null}
    ${""}                                    | ${null}
  `("$text is $instant", ({ text, instant }) => {
    expect(parseInstant(text)).toBe(instant);
  });
});

describe("instants", () => {
  const micros = fc.integer({ min: 0, max: 4_102_444_800_000_000 });

  it("sort as text in the order of time", () => {
    fc.assert(
      fc.property(micros, micros, (a, b) => {
        expect(instantOfMicros(a) < instantOfMicros(b)).toBe(a < b);
      }),
    );
  });

  it("are what they are read from", () => {
    fc.assert(
      fc.property(micros, (at) => {
        const instant = instantOfMicros(at);
        expect(parseInstant(instant)).toBe(instant);
        expect(millisOf(instant)).toBe(Math.floor(at / 1000));
        expect(parseInstant(showInstant(instant))).toBe(instant);
      }),
    );
  });

  it.each`
    instant                          | shown
    ${"2024-04-22T15:28:03.000000Z"} | ${"2024-04-22T15:28:03Z"}
    ${"2024-04-22T15:28:03.100000Z"} | ${"2024-04-22T15:28:03.1Z"}
    ${"2024-04-22T15:28:03.000010Z"} | ${"2024-04-22T15:28:03.00001Z"}
  `("are shown without trailing zeros: $instant as $shown", ({ instant, shown }) => {
    expect(showInstant(instant)).toBe(shown);
  });
});
