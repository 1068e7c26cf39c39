import { expect, it } from "vitest";
import { type Answer, codeOf, get, post } from "../support/api";

const list = (query: string) => (): Promise<Answer> => get(`/transactions?${query}`);

const filter = (changes: object) => (): Promise<Answer> =>
  post("/transactions/filter", { filters: [], ...changes });

const of = (field: string, operator: string, value: unknown) => ({ field, operator, value });

const INVALID = "GEN_VALIDATION_ERROR";
const BAD = "GEN_BAD_REQUEST";
const long = "x".repeat(60);
const twentyOne = Array.from({ length: 21 }, (_none, n) => `meta_data.k${n}_eq=1`).join("&");

/** contract/transactions.md section 11.4. */
it.each([
  ["a range with one end in a list", list("amount_between=1"), INVALID],
  ["an unknown combination in a list", list("logical_operator=xor"), INVALID],
  ["an unknown consistency in a list", list("consistency=foo"), INVALID],
  ["an unknown include_count in a list", list("include_count=yes"), INVALID],
  ["twenty-one conditions in a list", list(twentyOne), INVALID],
  ["an endless value in a list", list(`currency_eq=${"x".repeat(1_001)}`), INVALID],
  ["a text for a number in a list", list("amount_eq=abc"), INVALID],
  ["an unknown field in a list", list("colour_eq=red"), BAD],
  ["an unknown field in a filter", filter({ filters: [of("colour", "eq", "red")] }), BAD],
  ["an unknown operator in a filter", filter({ filters: [of("amount", "near", 1)] }), BAD],
  ["in without values in a filter", filter({ filters: [of("status", "in", "APPLIED")] }), BAD],
  ["what cannot be filtered by", filter({ filters: [of("hash", "eq", "x")] }), BAD],
  ["a text for a number in a filter", filter({ filters: [of("amount", "eq", "abc")] }), INVALID],
  ["no date in a filter", filter({ filters: [of("created_at", "gt", "soon")] }), INVALID],
  ["a NUL alone in a pattern", filter({ filters: [of("reference", "like", "\0")] }), INVALID],
  ["a NUL in a pattern in a list", list("description_ilike=a%00b%25"), INVALID],
  ["a NUL in a long pattern", filter({ filters: [of("source", "like", `${long}\0%`)] }), INVALID],
  ["a NUL in one for metadata", filter({ filters: [of("meta_data.k", "ilike", "\0")] }), INVALID],
  ["an unknown combination in a filter", filter({ logical_operator: "xor" }), INVALID],
  ["an unknown consistency in a filter", filter({ consistency: "foo" }), INVALID],
  ["a filter that is no list", filter({ filters: "all" }), INVALID],
] as const)("%s is 400", async (_what, ask, code) => {
  const answer = await ask();
  expect([answer.status, codeOf(answer)]).toEqual([400, code]);
});

it.each(["balance_id", "indicator", "colour"])(
  "a filter sorted by %s is 400, never another order",
  async (field) => {
    const answer = await filter({ sort_by: field })();
    expect([answer.status, codeOf(answer)]).toEqual([400, BAD]);
  },
);

it("a filter of two indicators is no trouble of the server's", async () => {
  const answer = await filter({
    filters: [of("indicator", "eq", "@a"), of("indicator", "eq", "@b")],
  })();
  expect(answer.status).toBeLessThan(500);
});
