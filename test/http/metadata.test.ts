import { describe, expect, it } from "vitest";
import { call, codeOf, field, get, post, textOf } from "../support/api";
import { sendBatch } from "../support/bulk";
import { balanceOf, fundedBalance, moveNow, unique } from "../support/ledger";

/** One record of each kind that can be merged into, by its path. */
async function records(): Promise<readonly { readonly id: string; readonly path: string }[]> {
  const metaData = { meta_data: { kept: 1, nested: { a: 1 } } };
  const ledger = textOf(await post("/ledgers", { name: "x", ...metaData }), "ledger_id");
  const identity = textOf(await post("/identities", metaData), "identity_id");
  const balance = textOf(
    await post("/balances", { ledger_id: ledger, currency: "USD", ...metaData }),
    "balance_id",
  );
  return [
    { id: ledger, path: `/ledgers/${ledger}` },
    { id: identity, path: `/identities/${identity}` },
    { id: balance, path: `/balances/${balance}` },
  ];
}

async function recordTransaction(): Promise<string> {
  const posted = await post("/transactions", {
    amount: 1,
    precision: 100,
    reference: crypto.randomUUID(),
    description: "x",
    currency: "USD",
    source: `@a-${crypto.randomUUID()}`,
    destination: "@b",
    allow_overdraft: true,
    skip_queue: true,
    meta_data: { kept: 1 },
  });
  return textOf(posted, "transaction_id");
}

describe("metadata", () => {
  it("is merged at its top level, and answered whole", async () => {
    for (const { id, path } of await records()) {
      const merged = await post(`/${id}/metadata`, {
        meta_data: { nested: { b: 2 }, none: null, big: 10n ** 30n },
      });
      const whole = { kept: 1n, nested: { b: 2n }, none: null, big: 10n ** 30n };
      expect([merged.status, merged.body]).toEqual([200, { meta_data: whole }]);
      expect(field(await get(path), "meta_data")).toEqual(whole);
    }
  });

  it("loses no key to others who merge at the same time", async () => {
    for (const { id, path } of await records()) {
      const keys = Array.from({ length: 20 }, (_, n) => `key_${n}`);
      const answers = await Promise.all(
        keys.map((key) => post(`/${id}/metadata`, { meta_data: { [key]: true } })),
      );
      expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
      const merged = Object(field(await get(path), "meta_data"));
      expect(Object.keys(merged)).toEqual(expect.arrayContaining(["kept", ...keys]));
    }
  });

  it("of a transaction answers what was sent, without the ledger's own keys", async () => {
    const id = await recordTransaction();
    const merged = await post(`/${id}/metadata`, {
      meta_data: { second: 2, inflight: true, blnk_rejection_reason: "forged" },
    });
    expect(merged.body).toEqual({ meta_data: { second: 2n } });
    const shown = field(await get(`/transactions/${id}`), "meta_data");
    expect(shown).toMatchObject({ kept: 1n, second: 2n });
    expect(Object.keys(Object(shown))).not.toContain("blnk_rejection_reason");
  });

  it("of a balance recomputes nothing, whatever its keys are", async () => {
    const [, , balance] = await records();
    const before = await get(balance?.path ?? "");
    const flag = { BLNK_RUN_RECONCILIATION: "SOURCE" };
    await post(`/${balance?.id}/metadata`, { meta_data: flag });
    const after = await get(balance?.path ?? "");
    expect(field(after, "meta_data")).toMatchObject(flag);
    expect(after.body).toEqual({ ...Object(before.body), meta_data: field(after, "meta_data") });
  });

  it("is found by its keys in lists", async () => {
    const id = await recordTransaction();
    const mark = crypto.randomUUID();
    await post(`/${id}/metadata`, { meta_data: { mark } });
    const found = await get(`/transactions?meta_data.mark_eq=${mark}`);
    expect(found.body).toMatchObject([{ transaction_id: id }]);
  });

  it.each([
    ["nothing", {}],
    ["null", { meta_data: null }],
    ["a text", { meta_data: "x" }],
    ["a list", { meta_data: [] }],
    ["no object", []],
  ])("is refused with %s", async (_case, body) => {
    for (const { id } of await records()) {
      const refused = await post(`/${id}/metadata`, body);
      expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
    }
  });

  it("is refused when it would grow beyond a row", async () => {
    const text = "x".repeat(150_000);
    for (const { id, path } of await records()) {
      expect((await post(`/${id}/metadata`, { meta_data: { a: text } })).status).toBe(200);
      const refused = await post(`/${id}/metadata`, { meta_data: { b: text } });
      expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
      expect(Object.keys(Object(field(await get(path), "meta_data")))).not.toContain("b");
    }
  });

  it("is refused when others at the same time let it grow beyond a row", async () => {
    const text = "x".repeat(100_000);
    for (const { id, path } of await records()) {
      const merges = [1, 2, 3, 4].map((n) => post(`/${id}/metadata`, { meta_data: { [n]: text } }));
      const statuses = (await Promise.all(merges)).map(({ status }) => status);
      expect(statuses.sort()).toEqual([200, 200, 400, 400]);
      const kept = Object.values(Object(field(await get(path), "meta_data")));
      expect(kept.filter((value) => value === text)).toHaveLength(2);
    }
  });

  it("of a split is refused when its row would be too long with it", async () => {
    const sent = await post("/transactions", {
      precise_amount: 2,
      precision: 100,
      currency: "USD",
      reference: unique("split"),
      description: "\u0001".repeat(65_000),
      source: unique("@from"),
      destinations: [
        { identifier: "@one", distribution: "50%" },
        { identifier: "@other", distribution: "left" },
      ],
      allow_overdraft: true,
      skip_queue: true,
      meta_data: { a: "x".repeat(200_000) },
    });
    expect(sent.status).toBe(201);
    const id = textOf(sent, "transaction_id");
    const refused = await post(`/${id}/metadata`, { meta_data: { a: "\u20ac".repeat(250_000) } });
    expect([refused.status, codeOf(refused)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
    expect((await post(`/${id}/metadata`, { meta_data: { b: 1 } })).status).toBe(200);
  });

  it.each([
    ["ldg_none", 404, "META_ENTITY_NOT_FOUND"],
    ["bln_none", 404, "META_ENTITY_NOT_FOUND"],
    ["idt_none", 404, "META_ENTITY_NOT_FOUND"],
    ["txn_none", 404, "META_ENTITY_NOT_FOUND"],
    ["bulk_none", 404, "META_ENTITY_NOT_FOUND"],
    [`bln_${crypto.randomUUID()}`, 404, "META_ENTITY_NOT_FOUND"],
    [`txn_${crypto.randomUUID()}`, 404, "META_ENTITY_NOT_FOUND"],
    ["acc_1", 400, "META_INVALID_ENTITY_ID"],
    ["general_ledger_id", 400, "META_INVALID_ENTITY_ID"],
    ["nothing", 400, "META_INVALID_ENTITY_ID"],
  ])("of %s is %s %s", async (id, status, code) => {
    const refused = await post(`/${id}/metadata`, { meta_data: { a: 1 } });
    expect([refused.status, codeOf(refused)]).toEqual([status, code]);
  });

  it("takes an empty object, and keeps a key whatever its name", async () => {
    for (const { id } of await records()) {
      expect((await post(`/${id}/metadata`, { meta_data: {} })).status).toBe(200);
      const odd = await call("POST", `/${id}/metadata`, {
        raw: '{"meta_data":{"__proto__":1,"a.b\\"c":2}}',
      });
      expect(odd.status).toBe(200);
      expect(Object.keys(Object(field(odd, "meta_data")))).toEqual(
        expect.arrayContaining(["__proto__", 'a.b"c']),
      );
    }
  });
});

describe("the metadata of a refund", () => {
  const refund = (id: string, body: Readonly<Record<string, unknown>>) =>
    post(`/refund-transaction/${id}`, { skip_queue: true, ...body });

  it.each([
    ["x", 200_000],
    ["\u20ac", 140_000],
  ])("is refused when it would grow beyond a row (%s)", async (letter, length) => {
    const text = letter.repeat(length);
    const from = await fundedBalance(20n);
    const one = { from, to: unique("@shop"), amount: 10n, options: { meta_data: { a: text } } };
    const id = textOf(await moveNow(one), "transaction_id");
    const batch = textOf(await sendBatch([{ ...one, reference: unique("item") }]), "batch_id");

    for (const of of [id, batch]) {
      for (const how of [{}, { skip_queue: false }, { dry_run: true }]) {
        const refused = await refund(of, { meta_data: { b: text }, ...how });
        expect([refused.status, codeOf(refused)]).toEqual([400, "TXN_VALIDATION_ERROR"]);
      }
    }
    expect(await balanceOf(from)).toBe(0n);
    // In place of what is there it has room, and so has a refund that says nothing.
    expect((await refund(id, { meta_data: { a: text } })).status).toBe(201);
    expect((await refund(batch, {})).status).toBe(201);
    expect(await balanceOf(from)).toBe(20n);
  });
});
