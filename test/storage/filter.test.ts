import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BalanceSnapshot } from "../../src/domain/balance-record";
import type { ListQuery, Page } from "../../src/domain/filter/list-query";
import { parseListQuery } from "../../src/domain/filter/parse-query";
import { balanceList, type ListedResource, ledgerList } from "../../src/domain/filter/resources";
import { BalancesTable } from "../../src/storage/balances";
import { LedgersTable } from "../../src/storage/ledgers";
import { projectBatch } from "../../src/storage/projection";
import { instanceOfATest, snapshotFor } from "../support/records";

const AT = "2030-02-03T04:05:06.000000Z";

function queryOf(
  resource: ListedResource,
  parameters: Iterable<readonly [string, string]>,
): ListQuery {
  const query = parseListQuery(resource, parameters);
  if (query.ok) return query.value;
  throw new Error(query.error.message);
}

const parametersOf = (given: Readonly<Record<string, string>>) => Object.entries(given);

/** Ledgers of an instance of their own, by name. */
async function ledgersNamed(
  given: readonly { readonly name: string; readonly metaData?: unknown }[],
): Promise<(parameters: Readonly<Record<string, string>>) => Promise<string[]>> {
  const table = new LedgersTable(env.DB, instanceOfATest());
  for (const { name, metaData } of given) {
    const text = metaData === undefined ? null : JSON.stringify(metaData);
    await table.insert(
      { ledgerId: `ldg_${crypto.randomUUID()}`, name, createdAt: AT, metaData: text },
      null,
    );
  }
  return async (parameters) => {
    const all = { limit: "100", sort_by: "name", sort_order: "asc", ...parameters };
    const { rows } = await table.list(queryOf(ledgerList, parametersOf(all)));
    return rows.map((ledger) => ledger.name);
  };
}

describe("a text with a NUL in it", () => {
  it("is compared with a pattern up to there, and as a whole by eq", async () => {
    const find = await ledgersNamed([{ name: "before\0after" }, { name: "before" }]);
    expect(await find({ name_like: "before" })).toEqual(["before", "before\0after"]);
    expect(await find({ name_ilike: "BEFORE%" })).toEqual(["before", "before\0after"]);
    expect(await find({ name_like: "%after" })).toEqual([]);
    expect(await find({ name_eq: "before\0after" })).toEqual(["before\0after"]);
    expect(await find({ name_eq: "before" })).toEqual(["before"]);
  });
});

describe("amounts of any size", () => {
  const amounts = fc.oneof(
    fc.bigInt({ min: -20n, max: 20n }),
    fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
  );

  it("are filtered and sorted by what they are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(amounts, { minLength: 1, maxLength: 12 }),
        amounts,
        async (held, asked) => {
          const instance = instanceOfATest();
          const balances = held.map(balanceWith);
          await projectBatch(env.DB, instance, { transactions: [], balances });
          const table = new BalancesTable(env.DB, instance);
          const list = async (operator: string): Promise<bigint[]> => {
            const parameters = {
              [`balance_${operator}`]: asked.toString(),
              sort_by: "balance",
              sort_order: "asc",
              limit: "100",
            };
            const { rows } = await table.list(queryOf(balanceList, parametersOf(parameters)));
            return rows.map(({ credit, debit }) => credit - debit);
          };
          const sorted = [...held].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
          expect(await list("gt")).toEqual(sorted.filter((amount) => amount > asked));
          expect(await list("lte")).toEqual(sorted.filter((amount) => amount <= asked));
          expect(await list("ne")).toEqual(sorted.filter((amount) => amount !== asked));
          expect(await list("eq")).toEqual(sorted.filter((amount) => amount === asked));
        },
      ),
      { numRuns: 30 },
    );
  });

  const balanceWith = (amount: bigint): BalanceSnapshot =>
    snapshotFor({
      credit: amount > 0n ? amount : 0n,
      debit: amount < 0n ? -amount : 0n,
    });
});

describe("text", () => {
  it("is compared as text: 0077 is not 77, and a plus stays", async () => {
    const list = await ledgersNamed([
      { name: "0077" },
      { name: "77" },
      { name: "+15550100" },
      { name: "nan" },
    ]);
    expect(await list({ name_eq: "0077" })).toEqual(["0077"]);
    expect(await list({ name_eq: "77" })).toEqual(["77"]);
    expect(await list({ name_eq: "+15550100" })).toEqual(["+15550100"]);
    expect(await list({ name_eq: "nan" })).toEqual(["nan"]);
    expect(await list({ name_in: "nan, 77" })).toEqual(["77", "nan"]);
    expect(await list({ name_between: "0|5" })).toEqual(["0077"]);
    expect(await list({ name_isnull: "true" })).toEqual([]);
    expect(await list({ name_isnotnull: "false" })).toHaveLength(4);
  });

  const long = "n".repeat(60);
  it.each([
    ["like", "pay%", ["pay", "pay%outs", "payouts"]],
    ["like", "PAY%", []],
    ["ilike", "PAY%", ["pay", "pay%outs", "payouts"]],
    ["like", "pay\\%%", ["pay%outs"]],
    ["like", "p_y", ["pay"]],
    ["like", "%out_", ["pay%outs", "payouts"]],
    ["like", "pay", ["pay"]],
    ["like", "%", undefined],
    ["like", "*", ["*"]],
    ["like", "[a-z]%", ["[a-z]"]],
    ["like", `${long}%`, [long, `${long}-end`]],
    ["like", `%${long}%end`, [`${long}-end`]],
    ["like", `${long}${long}%`, []],
    ["like", long, [long]],
    ["ilike", `${long.toUpperCase()}-E%`, [`${long}-end`]],
    ["like", `${long.toUpperCase()}%`, []],
  ] as const)("fits %s %s", async (operator, pattern, expected) => {
    const names = ["pay", "payouts", "pay%outs", "*", "[a-z]", long, `${long}-end`];
    const list = await ledgersNamed(names.map((name) => ({ name })));
    const found = await list({ [`name_${operator}`]: pattern });
    expect(found).toEqual(expected === undefined ? [...names].sort() : [...expected].sort());
  });

  it("fits patterns as their definition says", async () => {
    const letters = fc.constantFrom(
      "a",
      "b",
      "A",
      "é",
      "%",
      "_",
      "\\",
      "*",
      "?",
      "[",
      "]",
      "^",
      "-",
    );
    const texts = fc.array(letters, { maxLength: 6 }).map((each) => each.join(""));
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: 1, maxLength: 8 }),
        texts,
        async (names, pattern) => {
          const distinct = [...new Set(names.filter((name) => name !== ""))];
          const list = await ledgersNamed(distinct.map((name) => ({ name })));
          for (const operator of ["like", "ilike"]) {
            const shape = new RegExp(`^${regexOf(pattern)}$`, operator === "ilike" ? "isu" : "su");
            const fitting = distinct.filter((name) => shape.test(name));
            expect((await list({ [`name_${operator}`]: pattern })).sort()).toEqual(fitting.sort());
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  function regexOf(pattern: string): string {
    const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    return [...pattern.matchAll(/\\(.)|(%)|(_)|(.)/gsu)]
      .map(([, escaped, many, one, plain = ""]) => {
        if (many !== undefined) return ".*";
        if (one !== undefined) return ".";
        return literal(escaped ?? plain);
      })
      .join("");
  }
});

describe("keys of the metadata", () => {
  const given = [
    { name: "none" },
    { name: "empty", metaData: {} },
    { name: "null", metaData: { key: null } },
    { name: "one", metaData: { key: 1 } },
    { name: "text one", metaData: { key: "1" } },
    { name: "half", metaData: { key: 1.5 } },
    { name: "list", metaData: { key: ["1", 1, true, "blue"] } },
    { name: "object", metaData: { key: { a: "blue" } } },
    { name: "blue", metaData: { key: "blue" } },
    { name: "true", metaData: { key: true } },
    { name: "padded", metaData: { key: "0077" } },
    { name: "day", metaData: { key: "2030-02-03" } },
    { name: "moment", metaData: { key: "2030-02-03T04:05:06+01:00" } },
    { name: "big", metaData: { key: JSON.rawJSON("12345678901234567890") } },
    { name: "bigger", metaData: { key: JSON.rawJSON("12345678901234567891") } },
  ];

  it.each([
    ["eq", "1", ["list", "one"]],
    ["eq", "1.5", ["half"]],
    ["eq", "blue", ["blue", "list"]],
    ["eq", "true", ["list", "true"]],
    ["eq", "0077", ["padded"]],
    ["eq", "77", []],
    ["eq", "2030-02-03", ["day", "moment"]],
    ["eq", "2030-02-03T03:05", ["moment"]],
    ["eq", "12345678901234567890", ["big"]],
    ["in", "blue,1", ["blue", "one", "text one"]],
    [
      "ne",
      "blue",
      [
        "big",
        "bigger",
        "day",
        "half",
        "list",
        "moment",
        "object",
        "one",
        "padded",
        "text one",
        "true",
      ],
    ],
    ["like", "bl%", ["blue"]],
    ["ilike", "BL%", ["blue"]],
    ["like", "1%", ["big", "bigger", "half", "one", "text one"]],
    ["gt", "1", ["big", "bigger", "half", "padded"]],
    ["between", "1|2", ["half", "one", "text one"]],
    ["lte", "1", ["one", "text one"]],
    ["isnull", "x", ["empty", "none", "null"]],
  ] as const)("%s %s", async (operator, value, expected) => {
    const list = await ledgersNamed(given);
    expect(await list({ [`meta_data.key_${operator}`]: value })).toEqual(expected);
  });

  it("and whether there is any", async () => {
    const list = await ledgersNamed([{ name: "none" }, { name: "some", metaData: { a: 1 } }]);
    expect(await list({ meta_data_isnull: "1" })).toEqual(["none"]);
    expect(await list({ meta_data_isnotnull: "1" })).toEqual(["some"]);
    expect(await list({ "meta_data.a_isnotnull": "1" })).toEqual(["some"]);
  });
});

describe("pages", () => {
  it("follow each other by cursor without a gap or a repeat, whatever the moment of the rows", async () => {
    const instance = instanceOfATest();
    const table = new LedgersTable(env.DB, instance);
    const moments = [AT, AT, AT, AT, "2030-02-03T04:05:06.000001Z", "2029-01-01T00:00:00.000000Z"];
    const ids = moments.map(() => `ldg_${crypto.randomUUID()}` as const);
    for (const [index, createdAt] of moments.entries()) {
      const ledgerId = ids[index] ?? "general_ledger_id";
      await table.insert({ ledgerId, name: `${index}`, createdAt, metaData: null }, null);
    }
    for (const order of ["asc", "desc"]) {
      const whole = await table.list(queryOf(ledgerList, parametersOf({ sort_order: order })));
      const seen: string[] = [];
      let page: Page<{ ledgerId: string }> | null = null;
      do {
        const cursor: string = page?.nextCursor ?? "";
        const parameters = { limit: "2", sort_order: order, include_count: "true", cursor };
        page = await table.list(queryOf(ledgerList, parametersOf(parameters)));
        expect(page.total).toBe(6);
        seen.push(...page.rows.map(({ ledgerId }) => ledgerId));
      } while (page.nextCursor !== null);
      expect(seen).toEqual(whole.rows.map(({ ledgerId }) => ledgerId));
      expect([...seen].sort()).toEqual([...ids].sort());
    }
  });

  it("hold nothing of another instance", async () => {
    const parameters = parametersOf({ name_eq: "General Ledger" });
    const others = new LedgersTable(env.DB, instanceOfATest());
    expect((await others.list(queryOf(ledgerList, parameters))).rows).toEqual([]);
    const own = new LedgersTable(env.DB, "default");
    expect((await own.list(queryOf(ledgerList, parameters))).rows).toHaveLength(1);
    expect(await others.byId("general_ledger_id")).toBeNull();
  });
});
