import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerError } from "../../../src/domain/error";
import { cursorOf, positionOf } from "../../../src/domain/filter/list-query";
import type { Operand } from "../../../src/domain/filter/operand";
import { OPERATORS } from "../../../src/domain/filter/operators";
import { type FilterRequest, parseFilterBody } from "../../../src/domain/filter/parse-body";
import { parseListQuery } from "../../../src/domain/filter/parse-query";
import {
  balanceList,
  identityList,
  type ListedResource,
  ledgerList,
  transactionList,
} from "../../../src/domain/filter/resources";
import type { Result } from "../../../src/domain/result";

const ask = (resource: ListedResource, query: string) =>
  parseListQuery(resource, new URLSearchParams(query));

const NO_FILTER: FilterRequest = {
  filters: [],
  logicalOperator: "",
  limit: 0,
  offset: 0,
  sortBy: "",
  sortOrder: "",
  includeCount: false,
  cursor: "",
  consistency: "",
};

const text = (value: string): Operand => ({ type: "text", text: value });

function filter(
  resource: ListedResource,
  field: string,
  operator: string,
  ...values: readonly Operand[]
) {
  const filters = [{ field, operator, value: values[0] ?? null, values }];
  return parseFilterBody(resource, { ...NO_FILTER, filters });
}

function valued<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}

function errorOf<T>(result: Result<T>): LedgerError {
  if (!result.ok) return result.error;
  throw new Error("this was not refused");
}

describe("how many rows a list answers (contract/core.md section 1.10)", () => {
  const ledgers = ledgerList;
  const balances = balanceList;
  const identities = identityList;
  const transactions = transactionList;
  it.each`
    resource        | query                           | limit   | offset
    ${ledgers}      | ${""}                           | ${10}   | ${0}
    ${ledgers}      | ${"limit=100"}                  | ${100}  | ${0}
    ${ledgers}      | ${"limit=101&offset=3"}         | ${20}   | ${3}
    ${ledgers}      | ${"limit=&offset="}             | ${10}   | ${0}
    ${balances}     | ${""}                           | ${10}   | ${0}
    ${balances}     | ${"limit=1001"}                 | ${1000} | ${0}
    ${balances}     | ${"currency_eq=USD&limit=2000"} | ${1000} | ${0}
    ${identities}   | ${""}                           | ${1000} | ${0}
    ${identities}   | ${"limit=500"}                  | ${500}  | ${0}
    ${identities}   | ${"city_eq=Oslo"}               | ${20}   | ${0}
    ${identities}   | ${"city_eq=Oslo&limit=101"}     | ${20}   | ${0}
    ${identities}   | ${"city_eq=Oslo&limit=lots"}    | ${20}   | ${0}
    ${identities}   | ${"city_eq=Oslo&offset=-4"}     | ${20}   | ${0}
    ${transactions} | ${""}                           | ${20}   | ${0}
    ${transactions} | ${"limit=-1"}                   | ${20}   | ${0}
    ${transactions} | ${"limit=5000"}                 | ${1000} | ${0}
  `("$resource.table?$query: $limit rows from $offset", ({ resource, query, limit, offset }) => {
    expect(valued(ask(resource, query))).toMatchObject({ limit, offset });
  });

  it.each(["limit=0", "limit=many", "limit=1.5", "limit=99999999999999999999", "offset=-1"])(
    "refuses %s for ledgers and balances",
    (query) => {
      expect(errorOf(ask(ledgerList, query)).code).toBe("GEN_VALIDATION_ERROR");
      expect(errorOf(ask(balanceList, query)).code).toBe("GEN_VALIDATION_ERROR");
    },
  );

  it.each([
    [0, 20],
    [-5, 20],
    [1, 1],
    [100, 100],
    [101, 20],
  ])("a body's limit of %s is %s", (limit, rows) => {
    expect(valued(parseFilterBody(ledgerList, { ...NO_FILTER, limit })).limit).toBe(rows);
  });
});

describe("a question that is not understood is refused by its name", () => {
  it.each([
    ["colour_eq=red", "colour"],
    ["status=APPLIED", "status"],
    ["name=Savings", "name"],
    ["name_equals=x", "name_equals"],
    ["_eq=x", "_eq"],
    ["Name_eq=x", "Name"],
    ["sort_by=colour", "colour"],
    ["meta_data.a-b_eq=x", "a-b"],
    ["created_at_gte=soon", "created_at"],
    ["meta_data_eq=x", "meta_data"],
    ["meta_data.rank_gt=high", "meta_data.rank"],
    ["created_at_like=2030%25", "created_at"],
  ])("%s", (query, name) => {
    const error = errorOf(ask(ledgerList, query));
    expect(["GEN_BAD_REQUEST", "GEN_VALIDATION_ERROR"]).toContain(error.code);
    expect(error.message).toContain(name);
  });

  it("names every parameter that cannot be read, in the shape of a list", () => {
    const error = errorOf(
      ask(
        ledgerList,
        "created_at_between=2030-01-01&logical_operator=xor&include_count=1&consistency=weak",
      ),
    );
    expect(error).toMatchObject({
      code: "GEN_VALIDATION_ERROR",
      shownAs: "errors",
      details: [
        { Param: "created_at_between" },
        { Param: "logical_operator" },
        { Param: "include_count" },
        { Param: "consistency" },
      ],
    });
  });

  it.each([
    [
      "more than twenty filters",
      Array.from({ length: 21 }, (_, n) => `meta_data.k${n}_eq=1`).join("&"),
    ],
    ["more than a hundred values", `name_in=${Array.from({ length: 101 }, String).join(",")}`],
    ["a value of more than a thousand bytes", `name_eq=${"é".repeat(501)}`],
  ])("%s", (_case, query) => {
    expect(errorOf(ask(ledgerList, query)).shownAs).toBe("errors");
  });

  it("takes what asks for the usual in other words", () => {
    expect(valued(ask(ledgerList, "include_count=&consistency="))).toMatchObject({
      count: false,
      eventual: null,
    });
    expect(valued(ask(ledgerList, "include_count=false")).count).toBe(false);
  });

  it("takes names that never are filters, and names that clients send for nothing", () => {
    const reserved =
      "page=1&pagesize=2&per_page=3&sort=x&order=y&order_by=z&order_dir=a&instance_id=b&org_id=c";
    expect(valued(ask(ledgerList, reserved)).conditions).toEqual([]);
    expect(valued(ask(balanceList, "include=ledger&with_queued=true")).conditions).toEqual([]);
  });

  it("counts only the first of repeated parameters", () => {
    expect(valued(ask(ledgerList, "limit=3&limit=0&name_eq=a&name_eq=b"))).toMatchObject({
      limit: 3,
      conditions: [{ on: "field", field: "name", test: { operator: "eq", value: "a" } }],
    });
  });

  it.each([
    ["unknown field", "GEN_BAD_REQUEST", filter(ledgerList, "colour", "eq", text("red"))],
    ["unknown operator", "GEN_BAD_REQUEST", filter(ledgerList, "name", "EQ", text("x"))],
    ["an alias in a body", "GEN_BAD_REQUEST", filter(ledgerList, "name", "neq", text("x"))],
    ["in without values", "GEN_BAD_REQUEST", filter(ledgerList, "name", "in")],
    ["between one value", "GEN_BAD_REQUEST", filter(ledgerList, "name", "between", text("a"))],
    [
      "like on two sides",
      "GEN_BAD_REQUEST",
      filter(transactionList, "balance_id", "like", text("b%")),
    ],
    ["an inherited name", "GEN_BAD_REQUEST", filter(ledgerList, "constructor", "eq", text("x"))],
    ["no value", "GEN_VALIDATION_ERROR", filter(ledgerList, "name", "eq")],
    [
      "a number for a text",
      "GEN_VALIDATION_ERROR",
      filter(ledgerList, "name", "eq", { type: "number", text: "5" }),
    ],
    [
      "a text for an amount",
      "GEN_VALIDATION_ERROR",
      filter(balanceList, "balance", "gt", text("abc")),
    ],
    [
      "an endless number",
      "GEN_VALIDATION_ERROR",
      filter(balanceList, "balance", "gt", text("1e9999")),
    ],
    ["an object", "GEN_VALIDATION_ERROR", filter(balanceList, "balance", "gt", { type: "other" })],
    [
      "a boolean for an amount",
      "GEN_VALIDATION_ERROR",
      filter(balanceList, "balance", "eq", { type: "boolean", text: "true" }),
    ],
    ["no date", "GEN_VALIDATION_ERROR", filter(balanceList, "created_at", "gt", text("soon"))],
  ])("in a body: %s is %s", (_case, code, refused) => {
    expect(errorOf(refused).code).toBe(code);
  });
});

describe("values keep what they say", () => {
  it("reads text as text, never as a number", () => {
    for (const value of ["0077", "nan", "+15550100", "1e3", "true", "2030-01-01"]) {
      const query = new URLSearchParams([["name_eq", value]]);
      expect(valued(parseListQuery(ledgerList, query)).conditions).toEqual([
        { on: "field", field: "name", test: { operator: "eq", value } },
      ]);
    }
  });

  it("matches a whole day in a query string, and its midnight in a body", () => {
    const [inQuery] = valued(ask(ledgerList, "created_at_eq=2030-02-03")).conditions;
    const [inBody] = valued(filter(ledgerList, "created_at", "eq", text("2030-02-03"))).conditions;
    expect(inQuery).toMatchObject({
      test: {
        operator: "between",
        low: "2030-02-03T00:00:00.000000Z",
        high: "2030-02-03T23:59:59.999999Z",
      },
    });
    expect(inBody).toMatchObject({
      test: { operator: "eq", value: "2030-02-03T00:00:00.000000Z" },
    });
  });

  it.each([
    ["1", "number"],
    ["-2.50", "number"],
    ["0077", "text"],
    ["+1", "text"],
    ["nan", "text"],
    ["true", "boolean"],
    ["one", "text"],
  ])("of a metadata key, %s in a query string is a %s", (value, type) => {
    const query = new URLSearchParams([["meta_data.key_eq", value]]);
    expect(valued(parseListQuery(ledgerList, query)).conditions).toMatchObject([
      { on: "meta_data", key: "key", test: { operator: "is", type, value } },
    ]);
  });

  it("knows aliases and any case of operators in query strings", () => {
    expect(valued(ask(balanceList, "balance_GTEQ=1&currency_neq=USD")).conditions).toMatchObject([
      { test: { operator: "gte" } },
      { test: { operator: "ne" } },
    ]);
  });
});

describe("cursors", () => {
  const places = fc.record({
    createdAt: fc.constantFrom("2030-02-03T04:05:06.000001Z", "0001-01-01T00:00:00.000000Z"),
    id: fc.uuid().map((uuid) => `txn_${uuid}`),
  });

  it("come back as the place that they name", () => {
    fc.assert(
      fc.property(places, (place) => {
        expect(positionOf(cursorOf(place))).toEqual(place);
        expect(cursorOf(place)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it("are refused when they are none, with an offset, and with an order that they do not know", () => {
    const cursor = cursorOf({ createdAt: "2030-02-03T04:05:06.000001Z", id: "ldg_1" });
    expect(valued(ask(ledgerList, `cursor=${cursor}`)).after).not.toBeNull();
    for (const query of [
      "cursor=x",
      "cursor=!!",
      `cursor=${cursor}&offset=2`,
      `cursor=${cursor}&sort_by=name`,
    ]) {
      expect(errorOf(ask(ledgerList, query)).code).toBe("GEN_VALIDATION_ERROR");
    }
  });
});

it("never throws, whatever the parameters are", () => {
  const resources = fc.constantFrom(ledgerList, balanceList, identityList, transactionList);
  const names = fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.oneof(
          fc.constantFrom(...Object.keys(transactionList.fields), "meta_data.k"),
          fc.string(),
        ),
        fc.constantFrom(...OPERATORS, "neq", "x"),
      )
      .map(([field, operator]) => `${field}_${operator}`),
    fc.constantFrom("limit", "offset", "cursor", "sort_by", "logical_operator"),
  );
  const values = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("1e999", "-0", ".5", "5.", "2030-02-30", "a|b", "a,b", "%_\\", "\\", "NaN"),
  );
  fc.assert(
    fc.property(
      resources,
      fc.array(fc.tuple(names, values), { maxLength: 5 }),
      (resource, given) => {
        expect(typeof parseListQuery(resource, given).ok).toBe("boolean");
      },
    ),
    { numRuns: 2000 },
  );
});
