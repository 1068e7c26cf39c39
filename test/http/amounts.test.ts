import { afterEach, describe, expect, it } from "vitest";
import { type Answer, call, codeOf, field, get, post, put, textOf, wholeOf } from "../support/api";
import { clearFaults, setFaults, WELL } from "../support/faults";
import { balanceOf, fundedBalance, newBalances, settled, unique } from "../support/ledger";

interface Asked {
  readonly [key: string]: unknown;
}

const bodyOf = (changes: Asked): Asked => ({
  currency: "USD",
  reference: unique("r"),
  description: "d",
  source: "@World",
  destination: "@shop",
  allow_overdraft: true,
  skip_queue: true,
  ...changes,
});

const record = (changes: Asked): Promise<Answer> => post("/transactions", bodyOf(changes));

/** A post whose amount is written as it stands, so that no serializer has a say in it. */
function recordLiteral(precise: string): Promise<Answer> {
  const body = JSON.stringify(bodyOf({ precision: 100, precise_amount: "LITERAL" }));
  return call("POST", "/transactions", { raw: body.replace('"LITERAL"', precise) });
}

const read = async (answer: Answer): Promise<Answer> =>
  get(`/transactions/${textOf(answer, "transaction_id")}`);

describe("an amount in major units", () => {
  it.each`
    amount             | precision     | precise               | shown
    ${1.005}           | ${100}        | ${101n}               | ${1.01}
    ${0.005}           | ${100}        | ${1n}                 | ${0.01}
    ${2.5}             | ${1}          | ${3n}                 | ${3n}
    ${2.5}             | ${0}          | ${3n}                 | ${3n}
    ${2.5}             | ${null}       | ${3n}                 | ${3n}
    ${10}              | ${3}          | ${30n}                | ${10n}
    ${0.3}             | ${7}          | ${2n}                 | ${0.2857142857142857}
    ${4.35}            | ${100}        | ${435n}               | ${4.35}
    ${1e-7}            | ${10n ** 18n} | ${100000000000n}      | ${1e-7}
    ${999999999999999} | ${100}        | ${99999999999999900n} | ${999999999999999n}
  `(
    "$amount at precision $precision moves $precise minor units",
    async ({ amount, precision, precise, shown }) => {
      const [to = ""] = await newBalances(1);
      const answer = await record({ amount, precision, destination: to });
      expect(answer.status).toBe(201);
      expect(wholeOf(answer, "precise_amount")).toBe(precise);
      expect(String(field(answer, "amount"))).toBe(String(amount));
      expect(wholeOf(answer, "precision")).toBe(BigInt(precision ?? 0) || 1n);
      expect(answer.body).not.toHaveProperty("amount_string");
      expect(field(await read(answer), "amount")).toBe(shown);
      expect(await balanceOf(to)).toBe(precise);
    },
  );
});

describe("an amount in minor units", () => {
  it.each`
    literal                                         | precise
    ${"1"}                                          | ${1n}
    ${"9007199254740993"}                           | ${9007199254740993n}
    ${"1234567890123456789012345678901234567890"}   | ${1234567890123456789012345678901234567890n}
    ${'"9007199254740993"'}                         | ${9007199254740993n}
    ${'"1234567890123456789012345678901234567890"'} | ${1234567890123456789012345678901234567890n}
  `(
    "written as $literal keeps every digit to the balance and back",
    async ({ literal, precise }) => {
      const [to = ""] = await newBalances(1);
      const body = JSON.stringify(bodyOf({ precise_amount: "LITERAL", destination: to }));
      const answer = await call("POST", "/transactions", {
        raw: body.replace('"LITERAL"', literal),
      });
      expect(wholeOf(answer, "precise_amount")).toBe(precise);
      expect(textOf(answer, "amount_string")).toBe(precise.toString());
      const again = await read(answer);
      expect(wholeOf(again, "precise_amount")).toBe(precise);
      expect(again.body).not.toHaveProperty("amount_string");
      expect(await balanceOf(to)).toBe(precise);
    },
  );

  it.each([
    "5.0",
    "1e3",
    "1.5",
    '"5"',
    '"9007199254740992"',
    '"-9007199254740993"',
    '"0x10"',
    "true",
    "[]",
    '""',
    '" 9007199254740993"',
    '"9007199254740993.0"',
  ])("is not %s", async (literal) => {
    const answer = await recordLiteral(literal);
    expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_MALFORMED_REQUEST"]);
  });

  it.each(["-1", "0", "-9007199254740993", "null"])(
    "of %s is a number, and refused by rule",
    async (literal) => {
      const answer = await recordLiteral(literal);
      expect([answer.status, codeOf(answer)]).toEqual([400, "TXN_VALIDATION_ERROR"]);
    },
  );

  it("is exact in commits too, also as text", async () => {
    const held = await record({ precise_amount: 2n ** 64n, inflight: true });
    const id = textOf(held, "transaction_id");
    const answer = await put(`/transactions/inflight/${id}`, {
      status: "commit",
      precise_amount: "9007199254740993",
      skip_queue: true,
    });
    expect(wholeOf(answer, "precise_amount")).toBe(9007199254740993n);
    const rest = wholeOf(await get(`/transactions/${id}`), "inflight_remaining");
    expect(rest).toBe(2n ** 64n - 9007199254740993n);
  });
});

describe("an overdraft limit", () => {
  it.each`
    precision     | limit    | reach
    ${100}        | ${10.29} | ${1029n}
    ${3}          | ${0.5}   | ${2n}
    ${10n ** 18n} | ${100}   | ${100n * 10n ** 18n}
    ${1}          | ${0.4}   | ${0n}
  `("of $limit at precision $precision reaches to $reach minor units", async (row) => {
    const { precision, limit, reach } = row;
    const [source = ""] = await newBalances(1);
    const ask = (precise: bigint) =>
      record({
        precise_amount: precise,
        precision,
        source,
        overdraft_limit: limit,
        allow_overdraft: false,
      });
    expect((await ask(reach + 1n)).status).toBe(400);
    if (reach > 0n) expect((await ask(reach)).status).toBe(201);
    expect((await ask(1n)).status).toBe(400);
    expect(await balanceOf(source)).toBe(-reach);
  });
});

describe("what was not sent", () => {
  it("has its default", async () => {
    const answer = await record({
      amount: 1,
      allow_overdraft: undefined,
      source: unique("@lender"),
      overdraft_limit: 5,
    });
    expect(answer.body).toMatchObject({
      allow_overdraft: false,
      overdraft_limit: 5n,
      inflight: false,
      atomic: false,
      skip_queue: true,
      parent_transaction: "",
      scheduled_for: "0001-01-01T00:00:00Z",
      inflight_expiry_date: "0001-01-01T00:00:00Z",
      inflight_commit_date: "0001-01-01T00:00:00Z",
    });
    expect(answer.body).not.toHaveProperty("meta_data");
    expect(field(answer, "effective_date")).toEqual(expect.stringMatching(/^\d{4}-/));
  });

  it("is what was sent empty, or under a name that is not known", async () => {
    const answer = await record({
      AMOUNT: 1,
      scheduled_for: "",
      inflight_expiry_date: "",
      meta_data: null,
      sources: [],
      status: "REJECTED",
      transaction_id: "txn_mine",
      parent_transaction: "txn_other",
      created_at: "yesterday",
      rate: 2,
      hash: 5,
      queued: true,
      balance_id: "bln_x",
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: "APPLIED", parent_transaction: "", amount: 1n });
    expect(textOf(answer, "transaction_id")).toMatch(/^txn_[0-9a-f-]{36}$/);
  });
});

describe("dates", () => {
  it("are echoed with the client's own offset, and read in UTC", async () => {
    const dates = {
      scheduled_for: "2099-01-01T00:00:00.5+03:00",
      inflight_expiry_date: "2099-02-01T00:00:00-05:30",
      inflight_commit_date: "2099-01-15T00:00:00Z",
      effective_date: "2020-02-29T23:00:00+02:00",
    };
    const answer = await record({ amount: 1, inflight: true, skip_queue: false, ...dates });
    expect(answer.body).toMatchObject({ status: "SCHEDULED", ...dates });
    expect((await read(answer)).body).toMatchObject({
      scheduled_for: "2098-12-31T21:00:00.5Z",
      inflight_expiry_date: "2099-02-01T05:30:00Z",
      inflight_commit_date: "2099-01-15T00:00:00Z",
      effective_date: "2020-02-29T21:00:00Z",
    });
  });

  it.each(["1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z"])(
    "of effect may be any: %s does not change the balance's money now",
    async (effective) => {
      const [to = ""] = await newBalances(1);
      const answer = await record({ amount: 1, destination: to, effective_date: effective });
      expect(textOf(await read(answer), "effective_date")).toBe(effective);
      expect(await balanceOf(to)).toBe(1n);
    },
  );

  it("do not hold back what skips the queue", async () => {
    const answer = await record({ amount: 1, scheduled_for: "2099-01-01T00:00:00Z" });
    expect(textOf(answer, "status")).toBe("APPLIED");
  });
});

/** Every key that the ledger keeps for itself, with a value that would do something if it were believed. */
const FORGED = {
  inflight: true,
  atomic: true,
  allow_overdraft: true,
  QUEUED_PARENT_TRANSACTION: "txn_forged",
  sequence: 9,
  queue_lane: "hot",
  queue_pair_key: "forged",
  blnk_rejection_reason: "forged",
  recovery_attempts: 4,
  recovery_status: "recovered",
  recovery_last_attempt: "2020-01-01T00:00:00Z",
  BLNK_FUND_ALLOCATION: [{ provider: "x", amount: 1 }],
  BLNK_GENERATED_BY: "api_key_forged",
  _shadow_for: "txn_forged",
  _provider: "x",
  _identity_id: "idt_forged",
  _lineage_type: "credit",
  _main_balance: "bln_forged",
  _from_balance: "bln_forged",
  _allocation: "x",
};

const metaDataOf = (answer: Answer): object => {
  const { body } = answer;
  const has = typeof body === "object" && body !== null && "meta_data" in body;
  return has ? Object(field(answer, "meta_data")) : {};
};

function expectNothingForged(answer: Answer): void {
  const shown = Object.entries(metaDataOf(answer));
  for (const [key, value] of shown) {
    expect([key, value]).not.toEqual([key, Object(FORGED)[key]]);
  }
}

describe("the ledger's own metadata keys", () => {
  afterEach(() => clearFaults("default"));

  it("are dropped from a post, and change nothing", async () => {
    const source = await fundedBalance(50n);
    const sent = { source, allow_overdraft: false, meta_data: { ...FORGED, mine: 1 } };
    const refused = await record({ ...sent, amount: 51 });
    expect(codeOf(refused)).toBe("TXN_INSUFFICIENT_FUNDS");
    const answer = await record({ ...sent, amount: 50 });
    expect(answer.body).toMatchObject({ status: "APPLIED", inflight: false, atomic: false });
    expect(metaDataOf(answer)).toEqual({ mine: 1n });
    const later = await read(answer);
    expect(later.body).toMatchObject({ inflight: false });
    expect(metaDataOf(later)).toEqual({ mine: 1n });
  });

  it("may name the provider of lineage", async () => {
    const meta = { BLNK_LINEAGE_PROVIDER: "stripe" };
    const answer = await record({ amount: 1, meta_data: meta });
    expect(metaDataOf(answer)).toEqual({ ...meta, allow_overdraft: true });
  });

  it("are dropped from the metadata route, also while the transaction waits", async () => {
    setFaults("default", {
      call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
    });
    const source = await fundedBalance(50n);
    const queued = await record({ source, amount: 51, allow_overdraft: false, skip_queue: false });
    const id = textOf(queued, "transaction_id");
    const merged = await post(`/${id}/metadata`, { meta_data: { ...FORGED, mine: 1 } });
    expect(merged.body).toEqual({ meta_data: { mine: 1n } });
    expectNothingForged(await get(`/transactions/${id}`));
    clearFaults("default");
    // A settlement drives what waits: it is still refused for its funds.
    await post(`/refund-transaction/${id}`, {});
    const rejected = await settled(id);
    expect(rejected.body).toMatchObject({ status: "REJECTED", inflight: false });
    expect(metaDataOf(rejected)).toMatchObject({ mine: 1n });
    expectNothingForged(rejected);
    expect(await balanceOf(source)).toBe(50n);
  });

  it("are dropped from a refund, which keeps its own", async () => {
    const source = await fundedBalance(50n);
    const paid = await record({ source, amount: 50, allow_overdraft: false });
    const given = await post(`/refund-transaction/${textOf(paid, "transaction_id")}`, {
      skip_queue: true,
      meta_data: { ...FORGED, why: "returned" },
    });
    expect(metaDataOf(given)).toEqual({ why: "returned", allow_overdraft: true });
  });
});
