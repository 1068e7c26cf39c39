import { describe, expect, it } from "vitest";
import { codeOf, get, listOf, post } from "../support/api";

const RESOURCES = ["ledgers", "identities", "balances", "transactions"] as const;
const FIELDS = {
  ledgers: "name",
  identities: "first_name",
  balances: "currency",
  transactions: "reference",
} as const;

/** More than a parameter of a statement may have, and less than a body may have. */
const LONG = "x".repeat(2_500_000);
const KEYS_MAX = 1_000;

const filters = (field: string, operator: string, values: readonly unknown[]) => ({
  filters: [{ field, operator, value: values[0], values }],
});

async function expectRefused(path: string, body: unknown): Promise<void> {
  const answer = await post(path, body);
  expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
}

describe.each(RESOURCES)("a filter of %s", (resource) => {
  const path = `/${resource}/filter`;

  it.each(["eq", "ne", "like", "in"])("with an endless value for %s is 400", async (operator) => {
    await expectRefused(path, filters(FIELDS[resource], operator, [LONG]));
    await expectRefused(path, filters("meta_data.k", operator, [LONG]));
  });

  it("with endless keys of metadata is 400, as many as a statement takes are answered", async () => {
    const key = "k".repeat(KEYS_MAX / 25);
    const conditions = Array.from({ length: 25 }, () => ({
      field: `meta_data.${key}`,
      operator: "ilike",
      value: `${"a".repeat(60)}%${"b".repeat(60)}%c`,
    }));
    expect((await post(path, { filters: conditions })).status).toBe(200);

    await expectRefused(path, {
      filters: [...conditions, { ...conditions[0], operator: "isnull" }],
    });
    const query = await get(`/${resource}?meta_data.${"k".repeat(KEYS_MAX + 1)}_gt=5`);
    expect([query.status, codeOf(query)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
  });
});

describe("many values in a filter", () => {
  const ids = (count: number) => Array.from({ length: count }, () => `txn_${crypto.randomUUID()}`);

  it("are answered up to 262,144 bytes of JSON", async () => {
    const answer = await post("/transactions/filter", filters("transaction_id", "in", ids(6_000)));
    expect(listOf(answer)).toEqual([]);
    await expectRefused("/transactions/filter", filters("transaction_id", "in", ids(60_000)));
  });

  it("that are empty count as well", () =>
    expectRefused("/ledgers/filter", filters("name", "in", new Array(1_000_000).fill(""))));

  it("that are short and have a thousand digits each are 400", () =>
    expectRefused("/balances/filter", filters("balance", "in", new Array(3_000).fill("1e999"))));
});
