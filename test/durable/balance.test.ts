import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { indicatorBalanceId, sha256Hex } from "../../src/domain/ids";
import { balanceStub } from "../../src/durable/balance/client";
import type { Answer, MoneyOperation, Operation } from "../../src/durable/balance/protocol";
import { changeOf } from "../support/changes";
import { clearFaults, fateOf, killAt, setFaults } from "../support/faults";

let instance = "";
beforeEach(() => {
  instance = `balance-test-${crypto.randomUUID()}`;
});

const idOf = (indicator: string) => indicatorBalanceId(instance, indicator, "USD");
const stubOf = (indicator: string) => balanceStub(env.BALANCES, instance, idOf(indicator));

const change = (op: string, changes: Partial<MoneyOperation> = {}): MoneyOperation =>
  changeOf(instance, op, changes);

const debit = (op: string, amount: bigint): MoneyOperation =>
  change(op, { side: "source", amount });

/** Sends operations to @alice in one call. */
const execute = async (...operations: readonly Operation[]): Promise<readonly Answer[]> =>
  (await stubOf("@alice").execute({ operations })).answers;

const outcomes = (answers: readonly Answer[]): string[] =>
  answers.map((answer) => (answer.outcome === "refused" ? answer.error.code : answer.outcome));

const profile = (indicator: string, createdAt: string) => ({
  balanceId: idOf(indicator),
  ledgerId: "ldg_of_a_test",
  identityId: "",
  currency: "USD",
  indicator,
  createdAt,
  metaData: null,
  trackFundLineage: false,
  allocationStrategy: "FIFO",
});

describe("operations on a balance", () => {
  it("are carried out in order, and each is checked on what the ones before it left", async () => {
    const answers = await execute(
      change("in", { amount: 100n }),
      debit("out", 60n),
      debit("too-much", 41n),
      debit("rest", 40n),
    );
    expect(outcomes(answers)).toEqual(["applied", "applied", "TXN_INSUFFICIENT_FUNDS", "applied"]);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n, debit: 100n, version: 4 });
  });

  it("answer a repeat as they were answered first, whatever happened since", async () => {
    const [first] = await execute(change("in"));
    await execute(change("more"), debit("out", 50n));
    const repeated = await execute(change("in"), change("in"));
    expect(repeated).toEqual([first, first]);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 200n, debit: 50n });
  });

  it("answer a repeat within one call as well", async () => {
    const [first, second] = await execute(change("in"), change("in"));
    expect(second).toEqual(first);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n });
  });

  it.each([
    ["another amount", { amount: 101n }],
    ["another side", { side: "source" }],
    ["another action", { action: "hold" }],
  ] as const)("are a fault under a known id with %s, and change nothing", async (_what, other) => {
    await execute(change("in"));
    const before = await stubOf("@alice").read();
    const [answer] = await execute(change("in", other));
    expect(answer?.outcome).toBe("fault");
    expect(await stubOf("@alice").read()).toEqual(before);
  });

  it("that are refused leave nothing behind and may succeed later", async () => {
    await execute(change("in"));
    expect(outcomes(await execute(debit("out", 150n)))).toEqual(["TXN_INSUFFICIENT_FUNDS"]);
    await execute(change("more"));
    expect(outcomes(await execute(debit("out", 150n)))).toEqual(["applied"]);
  });

  it("in another currency are refused", async () => {
    await execute(change("in"));
    const answers = await execute(change("eur", { currency: "EUR" }));
    expect(outcomes(answers)).toEqual(["TXN_VALIDATION_ERROR"]);
  });

  it("that cannot be right take their whole call down, and it leaves nothing", async () => {
    await execute(change("in"));
    const impossible = change("impossible", { action: "commit", amount: 7n });
    const failed = await execute(change("beside"), impossible).catch((error: Error) => error);
    expect(failed).toBeInstanceOf(Error);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n, version: 2 });
    expect(outcomes(await execute(change("beside")))).toEqual(["applied"]);
  });

  it("hold, commit and void on both sides", async () => {
    const held = { action: "hold", amount: 50n } as const;
    await execute(change("in"), change("h", { ...held, side: "source" }), change("g", held));
    expect(await stubOf("@alice").read()).toMatchObject({
      credit: 100n,
      debit: 0n,
      inflightCredit: 50n,
      inflightDebit: 50n,
    });
    expect(outcomes(await execute(debit("out", 51n)))).toEqual(["TXN_INSUFFICIENT_FUNDS"]);
    await execute(
      change("c", { side: "source", action: "commit", amount: 30n }),
      change("v", { side: "source", action: "void", amount: 20n }),
      change("d", { action: "commit", amount: 50n }),
    );
    expect(await stubOf("@alice").read()).toMatchObject({
      credit: 150n,
      debit: 30n,
      inflightCredit: 0n,
      inflightDebit: 0n,
      version: 7,
    });
  });

  it("keep every digit of amounts beyond any integer of SQLite", async () => {
    const amount = 10n ** 39n + 1n;
    await execute(change("in", { amount }), debit("out", 1n));
    await evictDurableObject(stubOf("@alice"));
    expect(await stubOf("@alice").read()).toMatchObject({ credit: amount, debit: 1n });
  });
});

describe("cancelling an operation", () => {
  const cancel = { kind: "cancel", op: "out" } as const;

  it("before it came refuses it for good", async () => {
    await execute(change("in"));
    expect(outcomes(await execute(cancel, cancel, debit("out", 1n)))).toEqual([
      "cancelled",
      "cancelled",
      "TXN_VALIDATION_ERROR",
    ]);
    await abortAllDurableObjects();
    expect(outcomes(await execute(debit("out", 1n), cancel))).toEqual([
      "TXN_VALIDATION_ERROR",
      "cancelled",
    ]);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n, debit: 0n, version: 2 });
  });

  it("after it was applied answers what it was answered, and takes nothing back", async () => {
    const [, applied] = await execute(change("in"), debit("out", 1n));
    expect(await execute(cancel)).toEqual([applied]);
    expect(outcomes(await execute(debit("out", 1n)))).toEqual(["applied"]);
    expect(await stubOf("@alice").read()).toMatchObject({ debit: 1n });
  });

  it("that lacked funds keeps that reason while it stands, and stays refused when it does not", async () => {
    await execute(change("in"), cancel);
    expect(outcomes(await execute(debit("out", 101n)))).toEqual(["TXN_INSUFFICIENT_FUNDS"]);
    expect(outcomes(await execute(debit("out", 100n)))).toEqual(["TXN_VALIDATION_ERROR"]);
  });

  it("leaves operations of other ids alone", async () => {
    await execute(change("in"), cancel);
    expect(outcomes(await execute(debit("out-again", 1n)))).toEqual(["applied"]);
  });
});

describe("asking about a balance", () => {
  const probe = { kind: "probe", op: "probe" } as const;

  it("makes nothing: one that was only asked about has no tables", async () => {
    expect(await stubOf("@alice").read()).toBe(null);
    expect(outcomes(await execute(probe))).toEqual(["TXN_NOT_FOUND"]);
    const refused = await execute(change("in", { indicator: null }));
    expect(outcomes(refused)).toEqual(["TXN_NOT_FOUND"]);
    expect(await stubOf("@alice").updateProfile({ identityId: "idt_x" })).toBe(null);
    const tables = await runInDurableObject(stubOf("@alice"), (_balance, { storage }) =>
      storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'")
        .toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("tells the currency of one that exists", async () => {
    await execute(change("in"));
    expect(await execute(probe)).toEqual([{ outcome: "known", currency: "USD" }]);
  });
});

describe("a balance that makes itself", () => {
  it("is made by exactly one operation, which says so on repeats too", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_none, n) => execute(change(`in-${n % 4}`))),
    );
    const again = await execute(...Array.from({ length: 4 }, (_none, n) => change(`in-${n}`)));
    const created = again.map((answer) => answer.outcome === "applied" && answer.created);
    expect(created.filter((each) => each)).toHaveLength(1);
    const makers = answers
      .flat()
      .filter((answer) => answer.outcome === "applied" && answer.created);
    expect(makers).toHaveLength(2);
    await abortAllDurableObjects();
    const later = await execute(...Array.from({ length: 4 }, (_none, n) => change(`in-${n}`)));
    expect(later).toEqual(again);
  });

  it("is not made by an operation that is refused", async () => {
    expect(outcomes(await execute(debit("out", 1n)))).toEqual(["TXN_INSUFFICIENT_FUNDS"]);
    expect(await stubOf("@alice").read()).toBe(null);
    const [answer] = await execute(change("in"));
    expect(answer).toMatchObject({ outcome: "applied", created: true });
  });

  it("belongs to the general ledger and knows its indicator", async () => {
    await execute(change("in"));
    expect(await stubOf("@alice").read()).toMatchObject({
      balanceId: idOf("@alice"),
      ledgerId: "general_ledger_id",
      indicator: "@alice",
      currency: "USD",
    });
  });
});

describe("a balance made by hand", () => {
  it("is made once: repeats of the call that made it say so again, others do not", async () => {
    const first = profile("@alice", "2031-01-01T00:00:00.000000Z");
    const second = profile("@alice", "2031-01-02T00:00:00.000000Z");
    const made = await stubOf("@alice").create({ profile: first });
    const again = await stubOf("@alice").create({ profile: first });
    const other = await stubOf("@alice").create({ profile: second });
    expect([made.created, again.created, other.created]).toEqual([true, true, false]);
    expect([made.byHand, other.byHand]).toEqual([true, true]);
    expect(other.snapshot.createdAt).toBe(first.createdAt);
    const [answer] = await execute(change("in"));
    expect(answer).toMatchObject({ outcome: "applied", created: false });
  });

  it("is not made when an operation made it before", async () => {
    await execute(change("in"));
    const late = await stubOf("@alice").create({
      profile: profile("@alice", "2031-01-01T00:00:00.000000Z"),
    });
    expect([late.created, late.byHand, late.snapshot.credit]).toEqual([false, false, 100n]);
  });

  it("may exist although one of its operations was cancelled before", async () => {
    await execute({ kind: "cancel", op: "out" });
    expect(await stubOf("@alice").read()).toBe(null);
    const made = await stubOf("@alice").create({
      profile: profile("@alice", "2031-01-01T00:00:00.000000Z"),
    });
    expect(made.created).toBe(true);
  });
});

describe("the profile of a balance", () => {
  it("changes by versions of its own and leaves the amounts alone", async () => {
    await execute(change("in"));
    const owned = await stubOf("@alice").updateProfile({ identityId: "idt_x" });
    const merged = await stubOf("@alice").updateProfile({ mergeMetaData: '{"a":1}' });
    const more = await stubOf("@alice").updateProfile({ mergeMetaData: '{"b":{"c":2}}' });
    expect([owned?.profileVersion, merged?.profileVersion, more?.profileVersion]).toEqual([
      2, 3, 4,
    ]);
    expect(more).toMatchObject({
      identityId: "idt_x",
      metaData: '{"a":1,"b":{"c":2}}',
      credit: 100n,
      version: 2,
    });
    await evictDurableObject(stubOf("@alice"));
    expect(await stubOf("@alice").read()).toEqual(more);
  });
});

describe("the entries of a balance", () => {
  interface Entry {
    readonly [column: string]: string | number;
    readonly version: number;
    readonly hash: string;
  }

  const entries = (): Promise<Entry[]> =>
    runInDurableObject(stubOf("@alice"), (_balance, { storage }) =>
      storage.sql.exec<Entry>("SELECT * FROM entries ORDER BY version").toArray(),
    );

  it("form a chain: each is sealed with the hash of the one before, and none is missing", async () => {
    await execute(change("in"), debit("out", 60n));
    await execute(debit("refused", 41n), { kind: "cancel", op: "refused" });
    await execute(change("h", { action: "hold", side: "source", amount: 40n }));
    const chain = await entries();
    let before = "0".repeat(64);
    for (const [index, { hash, ...row }] of chain.entries()) {
      expect(row.version).toBe(index + 2);
      expect(hash).toBe(sha256Hex(JSON.stringify([before, ...Object.values(row)])));
      before = hash;
    }
    expect(chain).toHaveLength(3);
  });

  it("go on from the last one after a restart", async () => {
    await execute(change("in"));
    await abortAllDurableObjects();
    await execute(change("more"));
    const [first, second] = await entries();
    const { hash, ...row } = second ?? { hash: "" };
    expect(hash).toBe(sha256Hex(JSON.stringify([first?.hash, ...Object.values(row)])));
  });
});

describe("a balance that dies", () => {
  it.each([true, false])("before it begins (durable: %s) has done nothing", async (durable) => {
    await execute(change("in"));
    setFaults(instance, { step: killAt("execute:received", { durable }) });
    const failed = await execute(debit("out", 1n)).catch((error: Error) => error);
    clearFaults(instance);
    expect(failed).toBeInstanceOf(Error);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n, debit: 0n });
  });

  it("before its writes are durable has done nothing", async () => {
    await execute(change("in"));
    setFaults(instance, { step: killAt("execute:committed", { durable: false }) });
    await execute(debit("out", 1n)).catch((error: Error) => error);
    clearFaults(instance);
    expect(await stubOf("@alice").read()).toMatchObject({ debit: 0n, version: 2 });
    expect(outcomes(await execute(debit("out", 1n)))).toEqual(["applied"]);
  });

  it("after its writes are durable answers the repeat as it would have answered", async () => {
    await execute(change("in"));
    setFaults(instance, { step: killAt("execute:committed", { durable: true }) });
    await execute(debit("out", 1n)).catch((error: Error) => error);
    clearFaults(instance);
    const [answer] = await execute(debit("out", 1n));
    expect(answer).toMatchObject({ outcome: "applied", version: 3 });
    expect(await stubOf("@alice").read()).toMatchObject({ debit: 1n, version: 3 });
  });

  it("or whose reply is lost, is asked again and has done it once", async () => {
    setFaults(instance, { call: fateOf("balance.execute", { kind: "reply-lost" }) });
    await execute(change("in")).catch((error: Error) => error);
    clearFaults(instance);
    const [answer] = await execute(change("in"));
    expect(answer).toMatchObject({ outcome: "applied", created: true, version: 2 });
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n });
  });
});

describe("a reservation", () => {
  const reserve = (op: string, ...changes: readonly MoneyOperation[]) =>
    ({ kind: "reserve", op, changes }) as const;
  const post = (op: string, ...changes: readonly MoneyOperation[]) =>
    ({ kind: "post", op, changes }) as const;

  it("keeps money from everybody else until it is posted or released, across a restart", async () => {
    await execute(change("in"), reserve("b", debit("b1", 60n)));
    await abortAllDurableObjects();
    expect(outcomes(await execute(debit("out", 41n)))).toEqual(["TXN_INSUFFICIENT_FUNDS"]);
    expect(outcomes(await execute(debit("out", 40n)))).toEqual(["applied"]);
    expect(outcomes(await execute(post("b", debit("b1", 60n))))).toEqual(["posted"]);
    expect(await stubOf("@alice").read()).toMatchObject({ credit: 100n, debit: 100n });
    await execute(change("more"));
    expect(outcomes(await execute(debit("spent", 100n)))).toEqual(["applied"]);
  });

  it("that was released refuses its batch for good, also when it comes late", async () => {
    await execute(change("in"), { kind: "release", op: "b" });
    expect(outcomes(await execute(reserve("b", debit("b1", 60n))))).toEqual([
      "TXN_VALIDATION_ERROR",
    ]);
    expect(outcomes(await execute(debit("out", 100n)))).toEqual(["applied"]);
  });

  it("is posted once, and a repeat answers the same versions", async () => {
    const batch = [debit("b1", 10n), debit("b2", 20n)] as const;
    await execute(change("in"), reserve("b", ...batch), reserve("b", ...batch));
    const [posted] = await execute(post("b", ...batch));
    expect(await execute(post("b", ...batch))).toEqual([posted]);
    expect(posted).toMatchObject({ outcome: "posted", versions: [3, 4] });
    expect(await stubOf("@alice").read()).toMatchObject({ debit: 30n });
  });
});
