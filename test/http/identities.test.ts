import { describe, expect, it } from "vitest";
import { call, codeOf, field, get, listOf, post, put, textOf } from "../support/api";

const unique = (): string => crypto.randomUUID();
const ZERO_TIME = "0001-01-01T00:00:00Z";

const NIA = {
  identity_type: "individual",
  first_name: "Nia",
  last_name: "Otieno",
  other_names: "A.",
  gender: "female",
  dob: "1991-07-08T00:00:00Z",
  email_address: "nia@example.test",
  phone_number: "+254700000001",
  nationality: "KE",
  street: "1 Palm Row",
  city: "Kisumu",
  state: "Kisumu",
  country: "KE",
  post_code: "0011",
  category: "retail",
  meta_data: { customer_id: "c-1", registration_date: "2030-01-01" },
};

async function makeIdentity(body: unknown = NIA): Promise<string> {
  return textOf(await post("/identities", body), "identity_id");
}

const makeBalance = (ledger: string, owner?: string) =>
  post("/balances", { ledger_id: ledger, currency: "USD", identity_id: owner });

describe("identities", () => {
  it("keep every field that they are given", async () => {
    const made = await post("/identities", NIA);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ ...NIA, organization_name: "" });
    expect((await get(`/identities/${textOf(made, "identity_id")}`)).body).toEqual(made.body);
  });

  it("need nothing at all", async () => {
    const made = await post("/identities", {});
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      identity_type: "",
      first_name: "",
      dob: ZERO_TIME,
      meta_data: null,
    });
  });

  it.each([
    ["1991-07-08T23:30:00-05:00", "1991-07-08T00:00:00Z"],
    ["1991-07-08T00:30:00+05:00", "1991-07-08T00:00:00Z"],
    ["0001-01-01T00:00:00Z", ZERO_TIME],
  ])("are born on the day that is written: %s", async (dob, shown) => {
    expect(field(await post("/identities", { dob }), "dob")).toBe(shown);
  });

  it.each([
    ["a date alone", { dob: "1991-07-08" }],
    ["no date", { dob: "yesterday" }],
    ["a number for a text", { first_name: 5 }],
    ["metadata that is a list", { meta_data: [] }],
    ["no object", []],
  ])("are refused with %s", async (_case, body) => {
    const refused = await post("/identities", body);
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
    expect(typeof field(refused, "error")).toBe("string");
  });

  it("have texts of 16,384 characters at most", async () => {
    expect((await post("/identities", { street: "x".repeat(16_384) })).status).toBe(201);
    expect((await post("/identities", { street: "x".repeat(16_385) })).status).toBe(400);
  });

  it("may bring their own id, which works once", async () => {
    const id = `idt_${unique().toUpperCase()}`;
    expect(textOf(await post("/identities", { identity_id: id }), "identity_id")).toBe(id);
    const again = await post("/identities", { identity_id: id, first_name: "Other" });
    expect([again.status, codeOf(again)]).toEqual([400, "IDT_VALIDATION_ERROR"]);
    expect(field(await get(`/identities/${id}`), "first_name")).toBe("");
    for (const wrong of ["person_1", "idt_1", `idt_${unique()}x`]) {
      expect(codeOf(await post("/identities", { identity_id: wrong }))).toBe(
        "IDT_VALIDATION_ERROR",
      );
    }
  });

  it("change in what is given; the empty stays, null clears, metadata is replaced", async () => {
    const path = `/identities/${await makeIdentity()}`;
    const answer = await put(path, {
      CITY: "Mombasa",
      street: "",
      gender: null,
      dob: null,
      meta_data: { vip: true },
    });
    expect(answer.body).toEqual({ message: "Identity updated successfully" });
    expect((await get(path)).body).toMatchObject({
      city: "Mombasa",
      street: "1 Palm Row",
      gender: "",
      dob: ZERO_TIME,
      first_name: "Nia",
      meta_data: { vip: true },
    });
  });

  it.each([
    {},
    { first_name: "" },
    { dob: ZERO_TIME },
    { meta_data: null },
    { identity_id: "idt_x" },
  ])("do not change by %o", async (body) => {
    const refused = await put(`/identities/${await makeIdentity()}`, body);
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_BAD_REQUEST"]);
  });

  it("that are unknown are 404 for every verb", async () => {
    const path = `/identities/idt_${unique()}`;
    for (const answer of [
      await get(path),
      await put(path, { first_name: "x" }),
      await call("DELETE", path),
    ]) {
      expect([answer.status, codeOf(answer)]).toEqual([404, "IDT_NOT_FOUND"]);
    }
    expect(codeOf(await call("PUT", path, { raw: '{"status": ' }))).toBe("GEN_MALFORMED_REQUEST");
  });

  it.each([
    ["made for", (owner: string, ledger: string) => makeBalance(ledger, owner)],
    [
      "given to",
      (owner: string, _ledger: string, balance: string) =>
        put(`/balances/${balance}/identity`, { identity_id: owner }),
    ],
  ])("are not deleted while a balance is %s them", async (_how, take) => {
    const ledger = textOf(await post("/ledgers", { name: "x" }), "ledger_id");
    for (let round = 0; round < 8; round += 1) {
      const owner = await makeIdentity();
      const balance = textOf(await makeBalance(ledger), "balance_id");
      const [deleted, taken] = await Promise.all([
        call("DELETE", `/identities/${owner}`),
        take(owner, ledger, balance),
      ]);
      const isThere = (await get(`/identities/${owner}`)).status === 200;
      expect([deleted.status, isThere]).toEqual(taken.status < 300 ? [409, true] : [200, false]);
    }
  });

  it("are deleted, but not while a balance is theirs", async () => {
    const free = await makeIdentity();
    expect((await call("DELETE", `/identities/${free}`)).body).toEqual({
      message: "Identity deleted successfully",
    });
    expect((await get(`/identities/${free}`)).status).toBe(404);

    const owner = await makeIdentity();
    const ledger = textOf(await post("/ledgers", { name: "x" }), "ledger_id");
    await post("/balances", { ledger_id: ledger, currency: "USD", identity_id: owner });
    const refused = await call("DELETE", `/identities/${owner}`);
    expect([refused.status, codeOf(refused)]).toEqual([409, "GEN_CONFLICT"]);
    expect((await get(`/identities/${owner}`)).status).toBe(200);
  });

  it("are found by any field, as text", async () => {
    const last_name = unique();
    await post("/identities", {
      last_name,
      phone_number: "+15550100",
      post_code: "0077",
      dob: "1991-07-08T00:00:00Z",
    });
    await post("/identities", { last_name, phone_number: "15550100", post_code: "77" });
    const count = async (query: string) =>
      listOf(await get(`/identities?last_name_eq=${last_name}&${query}`)).length;
    expect(await count("phone_number_eq=%2B15550100")).toBe(1);
    expect(await count("post_code_eq=0077")).toBe(1);
    expect(await count("dob_eq=1991-07-08")).toBe(1);
    expect(await count("dob_isnull=true")).toBe(1);
    expect(await count("post_code_in=0077,77&logical_operator=and")).toBe(2);
    const filtered = await post("/identities/filter", {
      filters: [{ field: "last_name", operator: "ilike", value: `${last_name.toUpperCase()}%` }],
      sort_by: "post_code",
      sort_order: "asc",
    });
    expect(filtered.body).toMatchObject([{ post_code: "0077" }, { post_code: "77" }]);
  });

  it("are all listed without a limit, and page by page with one", async () => {
    for (let n = 0; n < 25; n += 1) await post("/identities", { first_name: "many" });
    expect(listOf(await get("/identities")).length).toBeGreaterThan(24);
    const page = await get("/identities?limit=3");
    expect(listOf(page)).toHaveLength(3);
    const next = await get(`/identities?limit=3&cursor=${page.headers.get("X-Next-Cursor")}`);
    const ids = [...listOf(page), ...listOf(next)].map((row) => Object(row).identity_id);
    expect(new Set(ids).size).toBe(6);
  });

  it("are not listed for a question that is not understood", async () => {
    for (const query of ["shoe_size_eq=44", "first_name=Nia", "sort_by=shoe_size"]) {
      const refused = await get(`/identities?${query}`);
      expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_BAD_REQUEST"]);
    }
  });
});
