import { describe, expect, it } from "vitest";
import { sha256, sha256Hex } from "../../src/domain/digest";

/** What WebCrypto says of the same text. */
async function expected(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

describe("SHA-256", () => {
  it("is WebCrypto's, whatever was hashed before", async () => {
    const short = Array.from({ length: 260 }, (_none, length) =>
      "purser ledger ".repeat(20).slice(0, length),
    );
    const long = [16_383, 16_384, 16_385, 40_000].flatMap((length) => [
      "a".repeat(length),
      `${"a".repeat(length - 1)}€`,
      "€".repeat(length / 3),
    ]);
    const texts = [...short, ...long, "žluťoučký kůň", "💶 and \ud800 alone"];
    for (const text of [...texts, ...texts.toReversed()]) {
      const bytes = await expected(text);
      expect(sha256(text), text.slice(0, 80)).toEqual(bytes);
      expect(sha256Hex(text)).toBe(hexOf(bytes));
    }
  });

  it("hands out bytes that stay", async () => {
    const first = sha256("first");
    sha256("second");
    expect(first).toEqual(await expected("first"));
  });
});
