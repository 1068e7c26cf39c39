import { describe, expect, it } from "vitest";
import { call, codeOf, field, get, listOf, post, put, textOf } from "../support/api";

const unique = (): string => crypto.randomUUID();

const makeLedger = async (): Promise<string> =>
  textOf(await post("/ledgers", { name: "wallets" }), "ledger_id");

const makeBalance = async (body: object): Promise<string> =>
  textOf(await post("/balances", { currency: "USD", ...body }), "balance_id");

/** A transfer that is carried out at once. */
async function transfer(from: string, to: string, minor: bigint): Promise<void> {
  const answer = await post("/transactions", {
    precise_amount: minor,
    precision: 100,
    reference: unique(),
    description: "test",
    currency: "USD",
    source: from,
    destination: to,
    allow_overdraft: from.startsWith("@"),
    skip_queue: true,
  });
  expect(answer.status).toBe(201);
}

describe("balances", () => {
  it("begin at zero under their ledger and owner", async () => {
    const ledger_id = await makeLedger();
    const identity_id = textOf(await post("/identities", { first_name: "Ada" }), "identity_id");
    const body = {
      ledger_id,
      identity_id,
      currency: "usd",
      meta_data: { wallet_type: "main" },
      precision: 100,
    };
    const made = await post("/balances", body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      balance: 0n,
      credit_balance: 0n,
      debit_balance: 0n,
      inflight_balance: 0n,
      inflight_credit_balance: 0n,
      inflight_debit_balance: 0n,
      ledger_id,
      identity_id,
      currency: "usd",
      inflight_expires_at: "0001-01-01T00:00:00Z",
      meta_data: { wallet_type: "main" },
      track_fund_lineage: false,
      allocation_strategy: "FIFO",
    });
    const keys = Object.keys(Object(made.body));
    for (const absent of ["indicator", "ledger", "identity", "queued_debit_balance", "precision"]) {
      expect(keys).not.toContain(absent);
    }
    expect((await get(`/balances/${textOf(made, "balance_id")}`)).body).toEqual(made.body);
  });

  it.each([
    ["nothing", {}, "GEN_VALIDATION_ERROR", "errors"],
    ["no currency", { ledger_id: "general_ledger_id" }, "GEN_VALIDATION_ERROR", "errors"],
    [
      "a strategy that is none",
      { ledger_id: "general_ledger_id", currency: "USD", allocation_strategy: "RANDOM" },
      "GEN_VALIDATION_ERROR",
      "errors",
    ],
    [
      "lineage for nobody",
      { ledger_id: "general_ledger_id", currency: "USD", track_fund_lineage: true },
      "GEN_VALIDATION_ERROR",
      "errors",
    ],
    [
      "an indicator elsewhere",
      { ledger_id: "ldg_x", currency: "USD", indicator: "@x" },
      "GEN_VALIDATION_ERROR",
      "errors",
    ],
    [
      "an indicator without @",
      { ledger_id: "general_ledger_id", currency: "USD", indicator: "x" },
      "GEN_VALIDATION_ERROR",
      "errors",
    ],
    [
      "an indicator with a space",
      { ledger_id: "general_ledger_id", currency: "USD", indicator: "@a b" },
      "GEN_VALIDATION_ERROR",
      "errors",
    ],
    ["an unknown ledger", { ledger_id: "ldg_none", currency: "USD" }, "GEN_BAD_REQUEST", "error"],
    [
      "an unknown owner",
      { ledger_id: "general_ledger_id", currency: "USD", identity_id: "idt_none" },
      "GEN_BAD_REQUEST",
      "error",
    ],
    [
      "a number for a currency",
      { ledger_id: "general_ledger_id", currency: 840 },
      "GEN_MALFORMED_REQUEST",
      "error",
    ],
    [
      "a text for a number",
      { ledger_id: "general_ledger_id", currency: "USD", precision: "x" },
      "GEN_MALFORMED_REQUEST",
      "error",
    ],
    [
      "a text for a flag",
      { ledger_id: "general_ledger_id", currency: "USD", track_fund_lineage: "yes" },
      "GEN_MALFORMED_REQUEST",
      "error",
    ],
    ["no object", [], "GEN_MALFORMED_REQUEST", "error"],
  ])("are refused with %s", async (_case, body, code, shownAs) => {
    const refused = await post("/balances", body);
    expect([refused.status, codeOf(refused)]).toEqual([400, code]);
    expect(typeof field(refused, shownAs)).toBe("string");
  });

  it("list all broken fields in order, on one line", async () => {
    const refused = await post("/balances", {});
    expect(field(refused, "errors")).toBe("currency: cannot be blank; ledger_id: cannot be blank.");
  });

  it("have no longer currency and indicator than a transaction takes", async () => {
    const indicator = `@${unique().padEnd(999, "x")}`;
    const currency = "c".repeat(1_000);
    const ledger_id = "general_ledger_id";
    expect((await post("/balances", { ledger_id, currency, indicator })).status).toBe(201);
    const moved = await post("/transactions", {
      precise_amount: 1n,
      precision: 1,
      reference: unique(),
      description: "test",
      currency,
      source: indicator,
      destination: `@shop-${unique()}`,
      allow_overdraft: true,
      skip_queue: true,
    });
    expect(moved.status).toBe(201);

    const longer = { ledger_id, currency: `${currency}c`, indicator: `${indicator}x` };
    expect(field(await post("/balances", longer), "errors")).toBe(
      "currency: is longer than 1000 characters; indicator: is longer than 1000 characters.",
    );
  });

  it("are one for each indicator and currency", async () => {
    const indicator = `@till-${unique()}`;
    const asked = { ledger_id: "general_ledger_id", currency: "USD", indicator: ` ${indicator} ` };
    const made = await post("/balances", asked);
    expect(made.body).toMatchObject({ indicator });
    const again = await post("/balances", asked);
    expect([again.status, codeOf(again)]).toEqual([409, "GEN_CONFLICT"]);
    expect((await post("/balances", { ...asked, currency: "EUR" })).status).toBe(201);

    const path = `/balances/indicator/${indicator}/currency`;
    expect((await get(`${path}/USD`)).body).toEqual(made.body);
    expect(
      (await get(`/balances/indicator/${encodeURIComponent(indicator)}/currency/USD`)).body,
    ).toEqual(made.body);
    const unknown = await get(`${path}/KES`);
    expect([unknown.status, codeOf(unknown)]).toEqual([404, "BAL_NOT_FOUND"]);
  });

  it("that make themselves by a transaction cannot be made again by hand", async () => {
    const indicator = `@world-${unique()}`;
    const to = await makeBalance({ ledger_id: await makeLedger() });
    await transfer(indicator, to, 100n);
    const byHand = { ledger_id: "general_ledger_id", currency: "USD", indicator };
    expect((await post("/balances", byHand)).status).toBe(409);
    const found = await get(`/balances/indicator/${indicator}/currency/USD`);
    expect(found.body).toMatchObject({ balance: -100n, indicator, ledger_id: "general_ledger_id" });
  });

  it("are read with their ledger, owner and queued amounts when asked", async () => {
    const ledger_id = textOf(
      await post("/ledgers", { name: "L", meta_data: { a: 1 } }),
      "ledger_id",
    );
    const identity_id = textOf(
      await post("/identities", { identity_type: "individual", meta_data: { b: 1 } }),
      "identity_id",
    );
    const id = await makeBalance({ ledger_id, identity_id });
    const both = await get(
      `/balances/${id}?include=ledger&include=identity&with_queued=true&from_source=true`,
    );
    expect(both.body).toMatchObject({
      ledger: { ledger_id, name: "L", meta_data: null },
      identity: { identity_id, identity_type: "", meta_data: null },
      queued_debit_balance: 0n,
      queued_credit_balance: 0n,
    });
    const nobodys = await makeBalance({ ledger_id });
    const alone = await get(
      `/balances/${nobodys}?include=identity&include=ledger,identity&with_queued=1`,
    );
    expect(alone.status).toBe(200);
    for (const absent of ["identity", "ledger", "queued_debit_balance"]) {
      expect(Object.keys(Object(alone.body))).not.toContain(absent);
    }
  });

  it("that are unknown are 404", async () => {
    for (const id of [`bln_${unique()}`, "bln_none", "x"]) {
      const unknown = await get(`/balances/${id}`);
      expect([unknown.status, codeOf(unknown)]).toEqual([404, "BAL_NOT_FOUND"]);
      expect(field(unknown, "error_detail")).toMatchObject({ details: {} });
    }
  });

  it("are given to an identity", async () => {
    const id = await makeBalance({ ledger_id: await makeLedger() });
    const identity_id = textOf(await post("/identities", { first_name: "Bo" }), "identity_id");
    const given = await put(`/balances/${id}/identity`, { identity_id });
    expect(given.body).toEqual({ message: "Balance identity updated successfully" });
    expect(field(await get(`/balances/${id}`), "identity_id")).toBe(identity_id);
    expect((await get(`/balances?identity_id_eq=${identity_id}`)).body).toMatchObject([
      { balance_id: id },
    ]);

    for (const body of [{}, { identity_id: "" }, { identity_id: null }, { identity_id: 5 }, []]) {
      const refused = await put(`/balances/${id}/identity`, body);
      expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
    }
    for (const [path, body] of [
      [`/balances/${id}/identity`, { identity_id: "idt_none" }],
      [`/balances/bln_${unique()}/identity`, { identity_id }],
    ] as const) {
      const refused = await put(path, body);
      expect([refused.status, codeOf(refused)]).toEqual([404, "BAL_NOT_FOUND"]);
    }
  });

  it("are listed with the caller's own writes, sorted by exact amounts", async () => {
    const ledger_id = await makeLedger();
    const world = `@world-${unique()}`;
    const amounts = [9007199254740993n, 9007199254740992n, 10n ** 30n, 7n];
    for (const amount of amounts) await transfer(world, await makeBalance({ ledger_id }), amount);
    const rows = async (extra: object) =>
      listOf(
        await post("/balances/filter", {
          filters: [{ field: "ledger_id", operator: "eq", value: ledger_id }, extra],
          sort_by: "balance",
          sort_order: "asc",
        }),
      ).map((row) => Object(row).balance);
    expect(await rows({ field: "balance", operator: "gt", value: 0 })).toEqual([
      7n,
      9007199254740992n,
      9007199254740993n,
      10n ** 30n,
    ]);
    expect(await rows({ field: "balance", operator: "gt", value: 9007199254740992n })).toEqual([
      9007199254740993n,
      10n ** 30n,
    ]);
    expect(await rows({ field: "balance", operator: "eq", value: "9007199254740993" })).toEqual([
      9007199254740993n,
    ]);
    expect(
      listOf(await get(`/balances?ledger_id_eq=${ledger_id}&balance_gte=9007199254740993`)),
    ).toHaveLength(2);
    const eventual = await get(`/balances?ledger_id_eq=${ledger_id}&consistency=eventual`);
    expect(eventual.headers.get("X-Purser-Behind")).toBeNull();
  });

  it("without an indicator or owner have none to filter by, not an empty one", async () => {
    const ledger_id = await makeLedger();
    await makeBalance({ ledger_id });
    const count = async (query: string) =>
      listOf(await get(`/balances?ledger_id_eq=${ledger_id}&${query}`)).length;
    expect(await count("indicator_isnull=1")).toBe(1);
    expect(await count("identity_id_isnull=1")).toBe(1);
    expect(await count("indicator_ne=@x")).toBe(0);
  });

  it.each([
    "limit=0",
    "limit=x",
    "offset=x",
    "colour_eq=red",
    "balance_gt=abc",
    "balance_like=1%25",
  ])("are not listed for %s", async (query) => {
    expect((await get(`/balances?${query}`)).status).toBe(400);
  });
});

describe("filters that cannot be read", () => {
  const resources = ["ledgers", "identities", "balances", "transactions"];

  it.each(resources)("are GEN_VALIDATION_ERROR for %s", async (resource) => {
    for (const raw of [
      '{"name": "x", ',
      "[]",
      "",
      '{"filters":{}}',
      '{"limit":"5"}',
      '{"limit":1.5}',
      '{"filters":[5]}',
    ]) {
      const refused = await call("POST", `/${resource}/filter`, { raw });
      expect([raw, refused.status, codeOf(refused)]).toEqual([raw, 400, "GEN_VALIDATION_ERROR"]);
      expect(typeof field(refused, "error")).toBe("string");
    }
  });

  it.each(resources)("name the field for %s", async (resource) => {
    const refused = await post(`/${resource}/filter`, {
      filters: [{ field: "colour", operator: "eq", value: 1 }],
    });
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_BAD_REQUEST"]);
    expect(textOf(refused, "error")).toContain("colour");
  });

  it.each(resources)("refuse an order that is none for %s", async (resource) => {
    const refused = await post(`/${resource}/filter`, { sort_by: "colour" });
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_BAD_REQUEST"]);
    expect(textOf(refused, "error")).toContain("colour");
  });

  it.each(resources)("may be empty for %s", async (resource) => {
    for (const body of [{}, { filters: null }, { filters: [], logical_operator: " OR " }]) {
      expect((await post(`/${resource}/filter`, body)).status).toBe(200);
    }
  });
});
