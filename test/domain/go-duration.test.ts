import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGoDuration, showGoDuration } from "../../src/domain/go-duration";

describe("a duration as Go writes it", () => {
  it.each`
    text                       | shown
    ${"2m"}                    | ${"2m0s"}
    ${"1h"}                    | ${"1h0m0s"}
    ${"1h30m"}                 | ${"1h30m0s"}
    ${"90s"}                   | ${"1m30s"}
    ${"1s"}                    | ${"1s"}
    ${"1.5s"}                  | ${"1.5s"}
    ${"2.5m"}                  | ${"2m30s"}
    ${".5h"}                   | ${"30m0s"}
    ${"1.h"}                   | ${"1h0m0s"}
    ${"250ms"}                 | ${"250ms"}
    ${"1500us"}                | ${"1.5ms"}
    ${"3\u00b5s"}              | ${"3\u00b5s"}
    ${"3\u03bcs"}              | ${"3\u00b5s"}
    ${"7ns"}                   | ${"7ns"}
    ${"0"}                     | ${"0s"}
    ${"-0"}                    | ${"0s"}
    ${"+3m"}                   | ${"3m0s"}
    ${"-5m"}                   | ${"-5m0s"}
    ${"100h0.000000001s"}      | ${"100h0m0.000000001s"}
    ${"9223372036854775807ns"} | ${"2562047h47m16.854775807s"}
  `("$text is shown as $shown", ({ text, shown }) => {
    const nanoseconds = parseGoDuration(text);
    expect(nanoseconds === null ? null : showGoDuration(nanoseconds)).toBe(shown);
  });

  it.each([
    "",
    "5",
    "m",
    "1d",
    "2 m",
    "2m ",
    "1h-3m",
    ".",
    ".s",
    "--2m",
    "2M",
    "1e3s",
    "9223372036854775808ns",
    `${"1".repeat(200)}s`,
    "2m,",
  ])("%j is none", (text) => {
    expect(parseGoDuration(text)).toBeNull();
  });

  it("is read back as it was shown, whatever it is", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), (nanoseconds) => {
        expect(parseGoDuration(showGoDuration(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });
});
