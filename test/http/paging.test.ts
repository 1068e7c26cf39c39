import { expect, it } from "vitest";
import { type Answer, get, listOf, post, textOf, type Value } from "../support/api";
import { moveNow, newBalances } from "../support/ledger";

const ROWS = 1_040;
const AT_ONCE = 80;

const add = async (to: string): Promise<string> =>
  textOf(
    await moveNow({ from: "@World", to, amount: 1n, options: { allow_overdraft: true } }),
    "transaction_id",
  );

const idsIn = (answer: Answer): string[] =>
  listOf(answer).map((row: Value) => textOf({ ...answer, body: row }, "transaction_id"));

/** Every page of a list, by its cursors; while each is read, one row more is added. */
async function walk(
  to: string,
  page: (cursor: string) => Promise<Answer>,
): Promise<{ readonly seen: string[]; readonly added: string[] }> {
  const seen: string[] = [];
  const added: string[] = [];
  for (let cursor = ""; ; ) {
    const [answer, id] = await Promise.all([page(cursor), add(to)]);
    expect(answer.status).toBe(200);
    added.push(id);
    seen.push(...idsIn(answer));
    const next = answer.headers.get("X-Next-Cursor");
    if (next === null) return { seen, added };
    expect(next).not.toBe(cursor);
    cursor = next;
  }
}

const FILTER_LIMIT = 90;

it("cursors walk a thousand rows without a gap or a repeat, while rows are added", async () => {
  const [to = ""] = await newBalances(1);
  const rows: string[] = [];
  while (rows.length < ROWS) {
    rows.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => add(to)))));
  }
  const byList = (query: string) => (cursor: string) =>
    get(`/transactions?${query}${cursor === "" ? "" : `&cursor=${cursor}`}`);
  const byFilter = (sortOrder: string) => (cursor: string) =>
    post("/transactions/filter", {
      filters: [{ field: "destination", operator: "eq", value: to }],
      sort_order: sortOrder,
      limit: FILTER_LIMIT,
      cursor,
    });
  const walks = {
    all: byList("limit=300"),
    "of a balance": byList(`balance_id_eq=${to}&limit=120`),
    "of a balance, oldest first": byList(`balance_id_eq=${to}&limit=120&sort_order=asc`),
    "of a filter": byFilter("desc"),
    "of a filter, oldest first": byFilter("asc"),
  };
  for (const [name, page] of Object.entries(walks)) {
    const { seen, added } = await walk(to, page);
    expect(new Set(seen).size, `${name}: repeats`).toBe(seen.length);
    expect(
      rows.filter((id) => !seen.includes(id)),
      `${name}: gaps`,
    ).toEqual([]);
    // What was added before the last page was asked for is at its end.
    if (name.endsWith("oldest first")) {
      expect(seen).toEqual(expect.arrayContaining(added.slice(0, -1)));
    }
    rows.push(...added);
  }
});
