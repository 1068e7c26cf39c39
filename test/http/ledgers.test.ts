import { describe, expect, it } from "vitest";
import { call, codeOf, field, get, listOf, post, put, textOf } from "../support/api";

const unique = (): string => crypto.randomUUID();

describe("ledgers", () => {
  it("are made with a name and metadata, and read again", async () => {
    const made = await post("/ledgers", {
      name: "Riders",
      meta_data: { zone: "north", n: 12345678901234567890n },
    });
    expect(made.status).toBe(201);
    const id = textOf(made, "ledger_id");
    expect(id).toMatch(/^ldg_[0-9a-f-]{36}$/);
    const read = await get(`/ledgers/${id}`);
    expect(read.body).toEqual(made.body);
    expect(Object.keys(Object(read.body))).toEqual([
      "ledger_id",
      "name",
      "created_at",
      "meta_data",
    ]);
    expect(field(read, "meta_data")).toEqual({ zone: "north", n: 12345678901234567890n });
  });

  it("keep every digit and letter of their metadata", async () => {
    const metaData = {
      emoji: "💳 ₦ é",
      list: [null, true, 1.5],
      big: 10n ** 40n,
      nested: { a: {} },
    };
    const made = await post("/ledgers", { name: "x", meta_data: metaData });
    expect(field(made, "meta_data")).toEqual(metaData);
  });

  it.each([
    ["no name", {}, "GEN_VALIDATION_ERROR"],
    ["an empty name", { name: "" }, "GEN_VALIDATION_ERROR"],
    ["a null name", { name: null }, "GEN_VALIDATION_ERROR"],
    ["a number as name", { name: 5 }, "GEN_MALFORMED_REQUEST"],
    ["metadata that is text", { name: "x", meta_data: "x" }, "GEN_MALFORMED_REQUEST"],
    ["metadata that is a list", { name: "x", meta_data: [] }, "GEN_MALFORMED_REQUEST"],
    ["no object", [], "GEN_MALFORMED_REQUEST"],
    ["a name longer than a row should hold", { name: "n".repeat(20_000) }, "GEN_VALIDATION_ERROR"],
    [
      "metadata longer than a row should hold",
      { name: "x", meta_data: { a: "x".repeat(300_000) } },
      "GEN_VALIDATION_ERROR",
    ],
  ])("are refused with %s, the sentence under errors", async (_case, body, code) => {
    const refused = await post("/ledgers", body);
    expect([refused.status, codeOf(refused)]).toEqual([400, code]);
    expect(typeof field(refused, "errors")).toBe("string");
  });

  it.each([
    ["broken JSON", '{"name": "x", '],
    ["an empty body", ""],
    ["no JSON", "name=x"],
  ])("are refused with %s", async (_case, raw) => {
    const made = await call("POST", "/ledgers", { raw });
    expect([made.status, codeOf(made)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
    expect(typeof field(made, "errors")).toBe("string");
    const id = textOf(await post("/ledgers", { name: "x" }), "ledger_id");
    const renamed = await call("PUT", `/ledgers/${id}`, { raw });
    expect([renamed.status, codeOf(renamed)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
  });

  it("take keys in any case and ignore unknown ones, as well as what follows the body", async () => {
    const made = await call("POST", "/ledgers", {
      raw: '{"NAME":"x","ledger_id":"ldg_mine","Meta_Data":{"A":1}} trailing',
    });
    expect(made.status).toBe(201);
    expect(textOf(made, "ledger_id")).not.toBe("ldg_mine");
    expect(field(made, "meta_data")).toEqual({ A: 1n });
  });

  it("have names of 16,384 characters at most", async () => {
    expect((await post("/ledgers", { name: "x".repeat(16_384) })).status).toBe(201);
    const refused = await post("/ledgers", { name: "x".repeat(16_385) });
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
  });

  it("are renamed, their metadata untouched", async () => {
    const made = await post("/ledgers", { name: "before", meta_data: { a: 1 } });
    const path = `/ledgers/${textOf(made, "ledger_id")}`;
    const renamed = await put(path, { name: "after", meta_data: { b: 2 } });
    expect(renamed.status).toBe(200);
    expect(renamed.body).toMatchObject({ name: "after", meta_data: { a: 1n } });
    expect((await get(path)).body).toEqual(renamed.body);
    expect(codeOf(await put(path, { name: "" }))).toBe("GEN_VALIDATION_ERROR");
    expect(codeOf(await put("/ledgers/ldg_none", { name: "x" }))).toBe("LGR_NOT_FOUND");
  });

  it("that are unknown are 404, and the General Ledger is always there", async () => {
    const unknown = await get(`/ledgers/ldg_${unique()}`);
    expect([unknown.status, codeOf(unknown)]).toEqual([404, "LGR_NOT_FOUND"]);
    expect(field(unknown, "error_detail")).toMatchObject({ details: {} });
    expect((await get("/ledgers/general_ledger_id")).body).toMatchObject({
      name: "General Ledger",
      meta_data: {},
    });
  });

  it("are filtered by both forms, counted, and empty lists are []", async () => {
    const batch = unique();
    for (const rank of [1, 2, 3]) {
      await post("/ledgers", { name: `${rank} of ${batch}`, meta_data: { batch, rank } });
    }
    const byQuery = await get(`/ledgers?meta_data.batch_eq=${batch}&meta_data.rank_gte=2`);
    expect(listOf(byQuery)).toHaveLength(2);
    const byBody = await post("/ledgers/filter", {
      filters: [{ field: "meta_data.batch", operator: "eq", value: batch }],
      sort_by: "name",
      sort_order: "asc",
      limit: 2,
      include_count: true,
    });
    expect(byBody.body).toMatchObject({
      data: [{ name: `1 of ${batch}` }, { name: `2 of ${batch}` }],
      total_count: 3n,
    });
    expect((await get(`/ledgers?name_eq=${unique()}`)).body).toEqual([]);
    const none = {
      filters: [{ field: "name", operator: "eq", value: unique() }],
      include_count: true,
    };
    expect((await post("/ledgers/filter", none)).body).toEqual({ data: [], total_count: 0n });
  });

  it("are paged by cursor, which a header carries", async () => {
    const batch = unique();
    for (let n = 0; n < 3; n += 1) await post("/ledgers", { name: "paged", meta_data: { batch } });
    const query = `/ledgers?meta_data.batch_eq=${batch}&limit=2&include_count=true`;
    const first = await get(query);
    const cursor = first.headers.get("X-Next-Cursor");
    expect(first.headers.get("X-Total-Count")).toBe("3");
    const second = await get(`${query}&cursor=${cursor}`);
    expect(second.headers.get("X-Next-Cursor")).toBeNull();
    const names = [...listOf(first), ...listOf(second)].map((row) => Object(row).ledger_id);
    expect(new Set(names).size).toBe(3);
  });

  it.each([
    "limit=0",
    "limit=x",
    "offset=-1",
    "colour_eq=red",
    "colour=red",
    "sort_by=colour",
    "name_like_x=1",
  ])("are not listed for %s", async (query) => {
    const refused = await get(`/ledgers?${query}`);
    expect(refused.status).toBe(400);
    expect(typeof field(refused, "error")).toBe("string");
  });

  it("say which parameters cannot be read, in a list under errors", async () => {
    const refused = await get("/ledgers?created_at_between=2020-01-01");
    const list = [{ Param: "created_at_between", Message: expect.any(String) }];
    expect(refused.body).toMatchObject({ errors: list, error_detail: { details: list } });
    expect(Object.keys(Object(refused.body))).not.toContain("error");
  });
});
