import { describe, expect, it } from "vitest";
import type { BalanceProfile } from "../../src/domain/balance-record";
import { EVENT_NAMES } from "../../src/domain/event";
import type { Transaction } from "../../src/domain/transaction";
import { balanceCreatedEvent, recordEvent, transactionEvent } from "../../src/schemas/event";
import { toTransactionBody } from "../../src/schemas/transaction";

const ALICE = "bln_11111111-1111-4111-8111-111111111111";
const WORLD = "bln_22222222-2222-8222-8222-222222222222";
const ID = "txn_00000000-0000-8000-8000-000000000000";

const queued: Transaction = {
  transactionId: ID,
  kind: "post",
  parentTransaction: "",
  reference: "r1",
  currency: "usd",
  description: "d",
  source: { balanceId: WORLD, indicator: "@World" },
  destination: { balanceId: ALICE, indicator: null },
  preciseAmount: 1234567890123456789012345678901234567890n,
  precision: 100n,
  amount: "1.005",
  amountString: "",
  overdraft: { kind: "unlimited" },
  allowOverdraft: true,
  overdraftLimit: "0",
  inflight: false,
  skipQueue: false,
  atomic: false,
  scheduledFor: "",
  inflightExpiryDate: "",
  inflightCommitDate: "",
  effectiveDate: "2026-11-21T07:40:22.998416Z",
  hash: "1e76",
  group: null,
  postedEffectiveDate: "",
  shares: null,
  metaData: '{"order":9,"n":12345678901234567890}',
  status: "QUEUED",
  createdAt: "2026-11-21T07:40:22.998000Z",
  inflightRemaining: null,
  rejectionReason: "",
  sourceVersion: null,
  destinationVersion: null,
  revision: 1,
};

const shown = (transaction: Transaction, view: "answer" | "read" | "event") =>
  JSON.parse(JSON.stringify(toTransactionBody(transaction, view)));

describe("what a client sees", () => {
  it("shows fields in the order of the contract, and leaves out what is empty", () => {
    const keys = Object.keys(toTransactionBody({ ...queued, description: "" }, "answer"));
    expect(keys.join(" ")).toBe(
      "precise_amount amount precision overdraft_limit transaction_id parent_transaction source destination reference currency status hash allow_overdraft inflight skip_queue atomic created_at effective_date scheduled_for inflight_expiry_date inflight_commit_date meta_data",
    );
  });

  it("writes amounts as bare digits, however many", () => {
    const text = JSON.stringify(toTransactionBody(queued, "read"));
    expect(text).toContain('"precise_amount":1234567890123456789012345678901234567890,');
    expect(text).toContain('"amount":1.2345678901234568e+37,');
    expect(text).toContain('"n":12345678901234567890');
  });

  it("echoes what was posted to the poster, and shows what holds to everybody later", () => {
    const posted = { ...queued, preciseAmount: 101n, scheduledFor: "2030-01-01T00:00:00+03:00" };
    expect(shown(posted, "answer")).toMatchObject({
      amount: 1.005,
      source: "@World",
      scheduled_for: "2030-01-01T00:00:00+03:00",
      meta_data: { order: 9, allow_overdraft: true, QUEUED_PARENT_TRANSACTION: ID },
    });
    expect(shown(posted, "read")).toMatchObject({
      amount: 1.01,
      source: WORLD,
      scheduled_for: "2029-12-31T21:00:00Z",
      meta_data: {
        QUEUED_PARENT_TRANSACTION: ID,
        queue_lane: "normal",
        queue_pair_key: `${WORLD}|${ALICE}|USD`,
      },
    });
    expect(shown({ ...posted, skipQueue: true }, "answer").source).toBe(WORLD);
  });

  it("hides the inflight key from clients, and says what remains of a hold", () => {
    const hold: Transaction = {
      ...queued,
      status: "INFLIGHT",
      skipQueue: true,
      inflight: true,
      allowOverdraft: false,
      metaData: null,
      inflightRemaining: 70n,
    };
    expect(shown(hold, "read")).toMatchObject({ inflight: true, inflight_remaining: 70 });
    expect(shown(hold, "read")).not.toHaveProperty("meta_data");
    expect(shown(hold, "event").meta_data).toEqual({ inflight: true });
  });
});

describe("the list of events in docs/webhooks.md", () => {
  const [page = ""] = Object.values(
    import.meta.glob("../../docs/webhooks.md", { query: "?raw", import: "default", eager: true }),
  );

  it("has each that is sent, once, and no other", () => {
    const listed = [...String(page).matchAll(/^\| `([a-z_]+\.[a-z]+)` \|/gm)].map(
      ([, name]) => name,
    );
    expect(listed.sort()).toEqual([...EVENT_NAMES].sort());
  });
});

describe("events", () => {
  const rejected: Transaction = {
    ...queued,
    preciseAmount: 123456789012345678901234567890n,
    status: "REJECTED",
    rejectionReason: "insufficient funds",
    sourceVersion: 7,
    destinationVersion: 3,
  };

  it("carry exact numbers, sorted keys, the reason and the versions of the balances", () => {
    const { id, event, body } = transactionEvent(rejected);
    expect(event).toBe("transaction.rejected");
    const parsed = JSON.parse(body);
    expect(Object.keys(parsed)).toEqual(["id", "event", "data", "balances"]);
    expect(parsed.id).toBe(id);
    expect(Object.keys(parsed.data)).toEqual(Object.keys(parsed.data).sort());
    expect(body).toContain('"amount_string":"1234567890123456789012345678.9"');
    expect(body).toContain('"precise_amount":123456789012345678901234567890,');
    expect(parsed.data.meta_data.blnk_rejection_reason).toBe("insufficient funds");
    expect(parsed.balances).toEqual([
      { balance_id: WORLD, version: 7 },
      { balance_id: ALICE, version: 3 },
    ]);
  });

  it("are the same whenever they are made, and another for another state", () => {
    expect(transactionEvent({ ...rejected })).toEqual(transactionEvent(rejected));
    const applied: Transaction = { ...rejected, status: "APPLIED", rejectionReason: "" };
    expect(transactionEvent(applied).id).not.toBe(transactionEvent(rejected).id);
  });

  it("tell of a balance as it began", () => {
    const profile: BalanceProfile = {
      balanceId: WORLD,
      ledgerId: "general_ledger_id",
      identityId: "",
      currency: "USD",
      indicator: "@World",
      createdAt: "2026-11-21T07:40:22.998000Z",
      metaData: null,
      trackFundLineage: false,
      allocationStrategy: "FIFO",
    };
    const { event, body } = balanceCreatedEvent(profile);
    expect(event).toBe("balance.created");
    expect(JSON.parse(body).data).toMatchObject({
      balance: 0,
      created_at: "2026-11-21T07:40:22.998Z",
      indicator: "@World",
      meta_data: null,
      version: 0,
    });
  });

  it("tell a renaming from the making of a ledger by their ids", () => {
    const made = recordEvent("ledger.created", "ldg_1", "created", { name: "a" });
    const renamed = recordEvent("ledger.created", "ldg_1", "renamed 2", { name: "b" });
    expect(made.id).not.toBe(renamed.id);
    expect(JSON.parse(renamed.body)).toEqual({
      id: renamed.id,
      event: "ledger.created",
      data: { name: "b" },
      balances: [],
    });
  });
});
