import { describe, expect, it } from "vitest";
import { indicatorBalanceId, sha256Hex, transactionIdOf } from "../../src/domain/ids";
import { type PostingRequest, postingOf } from "../../src/domain/posting";
import type { Posting } from "../../src/domain/transaction";
import { PLAIN_REQUEST } from "../support/postings";

const ALICE = "bln_11111111-1111-4111-8111-111111111111";
const BOB = "bln_22222222-2222-4222-8222-222222222222";

const request: PostingRequest = {
  ...PLAIN_REQUEST,
  amount: "10",
  reference: "r",
  description: "d",
  source: ALICE,
  destination: BOB,
  skipQueue: false,
};

/** Five hundred shares of names that end alike. */
const manyShares = (name: string) =>
  Array.from({ length: 500 }, (_none, n) => ({
    identifier: `@${n}${name}`,
    distribution: "0.2%",
    preciseDistribution: "",
  }));

const TOO_LONG = "meta_data: all texts together are longer than 1900000 bytes.";

const share = { identifier: BOB, distribution: "left", preciseDistribution: "" };

function accepted(changes: Partial<PostingRequest>): Posting {
  const result = postingOf("default", { ...request, ...changes });
  if (!result.ok) throw new Error(`refused: ${result.error.message}`);
  return result.value.posting;
}

function sentence(changes: Partial<PostingRequest>): string {
  const result = postingOf("default", { ...request, ...changes });
  if (result.ok) return "accepted";
  expect(result.error.code).toBe("TXN_VALIDATION_ERROR");
  return result.error.message;
}

describe("amounts", () => {
  it.each`
    amount        | precision                | minor
    ${"1.005"}    | ${"100"}                 | ${101n}
    ${"0.005"}    | ${"100"}                 | ${1n}
    ${"0.015"}    | ${"100"}                 | ${2n}
    ${"2.5"}      | ${"1"}                   | ${3n}
    ${"3.5"}      | ${"0"}                   | ${4n}
    ${"0.004"}    | ${"100"}                 | ${0n}
    ${"19.99"}    | ${"100.0"}               | ${1999n}
    ${"1e3"}      | ${"1e2"}                 | ${100000n}
    ${"1.000001"} | ${"1000000000000000000"} | ${1000001000000000000n}
    ${"10"}       | ${"3"}                   | ${30n}
  `("$amount at precision $precision is $minor minor units", ({ amount, precision, minor }) => {
    const posting = accepted({ amount, precision });
    expect(posting.preciseAmount).toBe(minor);
    expect(posting.amount).toBe(amount);
    expect(posting.amountString).toBe("");
  });

  it.each`
    precise                                      | precision | text
    ${10n}                                       | ${"3"}    | ${"3.3333333333333333"}
    ${9007199254740993n}                         | ${"100"}  | ${"90071992547409.93"}
    ${1234567890123456789012345678901234567890n} | ${"100"}  | ${"12345678901234567890123456789012345678.9"}
    ${0n}                                        | ${"100"}  | ${"0"}
  `("$precise minor units at precision $precision are $text", ({ precise, precision, text }) => {
    const posting = accepted({ amount: null, preciseAmount: precise, precision });
    expect(posting.preciseAmount).toBe(precise);
    expect(posting.amount).toBe(text);
    expect(posting.amountString).toBe(text);
  });

  it("counts an amount of zero as none", () => {
    expect(accepted({ amount: "0", preciseAmount: 5n }).preciseAmount).toBe(5n);
    expect(sentence({ amount: "-0.0" })).toBe("amount: send amount or precise_amount.");
  });

  it("takes fifteen significant digits and no more", () => {
    expect(accepted({ amount: "999999999999999" }).preciseAmount).toBe(99999999999999900n);
    expect(accepted({ amount: "0.00000000000000000123" }).preciseAmount).toBe(0n);
    expect(sentence({ amount: "1000000000000000" })).toContain("15 significant digits");
    expect(sentence({ amount: "1.234567890123456" })).toContain("15 significant digits");
  });
});

describe("field rules", () => {
  it.each`
    what                               | changes                                                                                                                 | text
    ${"both amounts"}                  | ${{ preciseAmount: 1n }}                                                                                                | ${"amount: send amount or precise_amount, not both."}
    ${"neither amount"}                | ${{ amount: null }}                                                                                                     | ${"amount: send amount or precise_amount."}
    ${"a negative amount"}             | ${{ amount: "-5" }}                                                                                                     | ${"amount: cannot be negative."}
    ${"a negative precise amount"}     | ${{ amount: null, preciseAmount: -1n }}                                                                                 | ${"amount: precise_amount cannot be negative."}
    ${"a fraction of a precision"}     | ${{ precision: "10.5" }}                                                                                                | ${"precision: must be a whole number."}
    ${"a negative precision"}          | ${{ precision: "-100" }}                                                                                                | ${"precision: cannot be negative."}
    ${"no currency"}                   | ${{ currency: "" }}                                                                                                     | ${"currency: cannot be blank."}
    ${"no reference"}                  | ${{ reference: "" }}                                                                                                    | ${"reference: cannot be blank."}
    ${"no description"}                | ${{ description: "" }}                                                                                                  | ${"description: cannot be blank."}
    ${"a description of a space"}      | ${{ description: " " }}                                                                                                 | ${"accepted"}
    ${"no source"}                     | ${{ source: "" }}                                                                                                       | ${"source: send either source or sources."}
    ${"both kinds of source"}          | ${{ sources: [{ ...share, identifier: "bln_x" }] }}                                                                     | ${"source: send either source or sources."}
    ${"no destination"}                | ${{ destination: "" }}                                                                                                  | ${"destination: send either destination or destinations."}
    ${"one balance on both sides"}     | ${{ destination: ALICE }}                                                                                               | ${"destination: source and destination cannot be the same balance."}
    ${"one balance in the other's"}    | ${{ source: "", sources: [share] }}                                                                                     | ${"destination: source and destination cannot be the same balance."}
    ${"a date without a zone"}         | ${{ scheduledFor: "2031-04-05T00:00:00" }}                                                                              | ${"scheduled_for: must be a time with its offset, as in 2031-04-05T00:00:00+00:00."}
    ${"a day that is none"}            | ${{ inflightExpiryDate: "2031-02-30T00:00:00Z" }}                                                                       | ${"inflight_expiry_date: must be a time with its offset, as in 2031-04-05T00:00:00+00:00."}
    ${"a bare day"}                    | ${{ inflightCommitDate: "2031-04-05" }}                                                                                 | ${"inflight_commit_date: must be a time with its offset, as in 2031-04-05T00:00:00+00:00."}
    ${"an endless reference"}          | ${{ reference: "r".repeat(2001) }}                                                                                      | ${"reference: is longer than 2000 characters."}
    ${"shares without measure"}        | ${{ destination: "", destinations: Array(501).fill({ ...share, identifier: "bln_x" }) }}                                | ${"destination: destinations has more than 500 entries."}
    ${"too much in every share"}       | ${{ destination: "", destinations: Array(500).fill({ ...share, identifier: "bln_x" }), description: "d".repeat(9000) }} | ${"meta_data: is too long for 500 shares."}
    ${"a share of an endless name"}    | ${{ destination: "", destinations: [{ ...share, identifier: "@".repeat(1001) }] }}                                      | ${"destination: an identifier is longer than 1000 characters."}
    ${"a source of an endless name"}   | ${{ source: "", sources: [{ ...share, identifier: "@".repeat(1001) }] }}                                                | ${"source: an identifier is longer than 1000 characters."}
    ${"an endless share"}              | ${{ destination: "", destinations: [{ ...share, identifier: "@x", distribution: "9".repeat(401) }] }}                   | ${"destination: a distribution is longer than 400 characters."}
    ${"an endless precise share"}      | ${{ destination: "", destinations: [{ ...share, identifier: "@x", preciseDistribution: "9".repeat(401) }] }}            | ${"destination: a distribution is longer than 400 characters."}
    ${"names longer than a row"}       | ${{ destination: "", destinations: manyShares("\u20ac".repeat(900)) }}                                                  | ${TOO_LONG}
    ${"long names"}                    | ${{ destination: "", destinations: manyShares("\u20ac".repeat(200)) }}                                                  | ${"accepted"}
    ${"a description for many"}        | ${{ destination: "", destinations: manyShares(""), description: "d".repeat(4_000) }}                                    | ${TOO_LONG}
    ${"a reference for many"}          | ${{ destination: "", destinations: manyShares(""), reference: "\u20ac".repeat(1_300) }}                                 | ${TOO_LONG}
    ${"the longest metadata"}          | ${{ metaData: `{"a":"${"\u20ac".repeat(262_136)}"}`, description: "\u20ac".repeat(65_536) }}                            | ${"accepted"}
    ${"and what is escaped beside it"} | ${{ metaData: `{"a":"${"\u20ac".repeat(262_136)}"}`, description: "\u0001".repeat(65_536) }}                            | ${TOO_LONG}
    ${"metadata without measure"}      | ${{ metaData: JSON.stringify({ a: "x".repeat(262144) }) }}                                                              | ${"meta_data: is longer than 262144 characters."}
  `("$what: $text", ({ changes, text }) => {
    expect(sentence(changes)).toBe(text);
  });

  it("names every broken field once, sorted, under `errors`", () => {
    const result = postingOf("default", { ...request, amount: null, currency: "", reference: "" });
    expect(result).toEqual({
      ok: false,
      error: {
        code: "TXN_VALIDATION_ERROR",
        message:
          "amount: send amount or precise_amount; currency: cannot be blank; reference: cannot be blank.",
        shownAs: "errors",
      },
    });
  });

  it("finds the same balance behind an indicator and the id that it leads to", () => {
    const world = indicatorBalanceId("default", "@world", "USD");
    expect(sentence({ source: "@world", destination: world })).toContain("same balance");
    expect(accepted({ source: "@world", destination: "@World" }).destination.indicator).toBe(
      "@World",
    );
  });
});

describe("what is recorded", () => {
  it("derives the id from the reference, and an indicator's balance from its name and currency", () => {
    const posting = accepted({ source: "@world" });
    expect(posting.transactionId).toBe(transactionIdOf("default", "r"));
    expect(posting.source).toEqual({
      balanceId: indicatorBalanceId("default", "@world", "USD"),
      indicator: "@world",
    });
    expect(posting.destination).toEqual({ balanceId: BOB, indicator: null });
  });

  it("lets any text stand for a balance, which the journal will not find", () => {
    expect(accepted({ source: "nobody" }).source).toEqual({ balanceId: "nobody", indicator: null });
  });

  it("hashes the posted values, joined without a separator", () => {
    expect(accepted({ amount: "1e2", source: "@world" }).hash).toBe(
      sha256Hex(`100rUSD@world${BOB}`),
    );
    expect(accepted({ amount: null, preciseAmount: 100n }).hash).toBe(
      sha256Hex(`0rUSD${ALICE}${BOB}`),
    );
  });

  it.each`
    allow    | limit      | overdraft
    ${false} | ${"0"}     | ${{ kind: "none" }}
    ${true}  | ${"0"}     | ${{ kind: "unlimited" }}
    ${true}  | ${"10.29"} | ${{ kind: "limited", limit: 1029n }}
    ${false} | ${"10.29"} | ${{ kind: "limited", limit: 1029n }}
    ${true}  | ${"-1"}    | ${{ kind: "none" }}
    ${false} | ${"-1"}    | ${{ kind: "none" }}
    ${true}  | ${"0.001"} | ${{ kind: "limited", limit: 0n }}
  `(
    "allow_overdraft $allow with a limit of $limit: $overdraft.kind",
    ({ allow, limit, overdraft }) => {
      expect(accepted({ allowOverdraft: allow, overdraftLimit: limit }).overdraft).toEqual(
        overdraft,
      );
    },
  );

  it("multiplies the overdraft limit exactly, at any precision", () => {
    const { overdraft } = accepted({
      precision: "1000000000000000000",
      overdraftLimit: "100",
      allowOverdraft: true,
    });
    expect(overdraft).toEqual({ kind: "limited", limit: 100000000000000000000n });
  });

  it("keeps a client's metadata, but for the keys that are the ledger's own", () => {
    const metaData =
      '{"allow_overdraft":true,"n":12345678901234567890,"BLNK_LINEAGE_PROVIDER":"x"}';
    expect(accepted({ metaData }).metaData).toBe(
      '{"n":12345678901234567890,"BLNK_LINEAGE_PROVIDER":"x"}',
    );
    expect(accepted({ metaData: '{"inflight":true}' }).metaData).toBeNull();
  });
});
