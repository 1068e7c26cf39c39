import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, call, codeOf, get, post, put, textOf } from "../support/api";
import { clearFaults, setFaults, WELL } from "../support/faults";
import {
  commit,
  fundedBalance,
  hold,
  move,
  moveNow,
  newBalance,
  newLedger,
  refund,
  release,
  unique,
} from "../support/ledger";

interface Asked {
  readonly [key: string]: unknown;
}

/** What the table's requests need: a balance with a hundred, and a transaction in every state. */
interface World {
  readonly alice: string;
  readonly euros: string;
  readonly used: string;
  readonly applied: string;
  readonly refunded: string;
  readonly open: string;
  /** A hold of 1.00, of which 0.30 is committed. */
  readonly part: string;
  readonly committed: string;
  readonly voided: string;
  readonly waiting: string;
  readonly scheduled: string;
}

const NOBODY = "txn_11111111-1111-8111-8111-111111111111";
let world: World;

beforeAll(async () => {
  const alice = await fundedBalance(100_000n);
  const id = (answer: Answer): string => textOf(answer, "transaction_id");
  const payment = { from: alice, to: "@shop", amount: 100n };
  const applied = await moveNow(payment);
  const refunded = id(await moveNow(payment));
  await refund(refunded);
  const committed = id(await hold(payment));
  await commit(committed);
  const voided = id(await hold(payment));
  await release(voided);
  const part = id(await hold(payment));
  await commit(part, 30n);
  const waiting = id(await hold(payment));
  const options = { scheduled_for: "2099-01-01T00:00:00Z" };
  world = {
    alice,
    euros: await newBalance(await newLedger(), "EUR"),
    used: textOf(applied, "reference"),
    applied: id(applied),
    refunded,
    open: id(await hold(payment)),
    part,
    committed,
    voided,
    waiting,
    scheduled: id(await move({ ...payment, options })),
  };
});

const record = (changes: (world: World) => Asked) => (): Promise<Answer> =>
  post("/transactions", {
    amount: 1,
    precision: 100,
    currency: "USD",
    reference: unique("r"),
    description: "d",
    source: world.alice,
    destination: "@shop",
    skip_queue: true,
    ...changes(world),
  });

const raw = (text: string) => (): Promise<Answer> => call("POST", "/transactions", { raw: text });

const settle =
  (of: (world: World) => string, body: Asked, skip = true) =>
  (): Promise<Answer> =>
    put(`/transactions/inflight/${of(world)}`, { skip_queue: skip, ...body });

const giveBack =
  (of: (world: World) => string, body: unknown = {}) =>
  (): Promise<Answer> =>
    post(`/refund-transaction/${of(world)}`, body);

const shares = (...list: readonly Asked[]) =>
  record(() => ({
    source: "",
    destination: "@shop",
    sources: list.map((share, n) => ({ identifier: `@share-${n}`, ...share })),
  }));

const COMMIT = { status: "commit" };
const VOID = { status: "void" };

type Row = readonly [what: string, ask: () => Promise<Answer>, status: number, code: string];

/** contract/transactions.md section 14, route by route: what provokes each refusal. Those of lists are in list-errors.test.ts, those of batches in bulk-errors.test.ts. */
const rows: readonly Row[] = [
  ["a post with no body", () => call("POST", "/transactions"), 400, "GEN_MALFORMED_REQUEST"],
  ["a post that is cut off", raw('{"amount":'), 400, "GEN_MALFORMED_REQUEST"],
  ["a post that is a list", raw("[]"), 400, "GEN_MALFORMED_REQUEST"],
  ["a text for an amount", record(() => ({ amount: "1" })), 400, "GEN_MALFORMED_REQUEST"],
  ["a text for a flag", record(() => ({ atomic: "yes" })), 400, "GEN_MALFORMED_REQUEST"],
  ["a number for a reference", record(() => ({ reference: 5 })), 400, "GEN_MALFORMED_REQUEST"],
  ["a list for metadata", record(() => ({ meta_data: [] })), 400, "GEN_MALFORMED_REQUEST"],
  ["an object for shares", record(() => ({ sources: {} })), 400, "GEN_MALFORMED_REQUEST"],
  ["a number for a share", shares({ distribution: 50 }), 400, "GEN_MALFORMED_REQUEST"],
  ["no effective date", record(() => ({ effective_date: "" })), 400, "GEN_MALFORMED_REQUEST"],
  ["a body too large", raw(`"${"x".repeat(6 * 2 ** 20)}"`), 400, "GEN_MALFORMED_REQUEST"],
  ["nothing to move", record(() => ({ amount: 0 })), 400, "TXN_VALIDATION_ERROR"],
  [
    "no minor unit to move",
    record(() => ({ amount: null, precise_amount: 0 })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "a negative number of them",
    record(() => ({ amount: null, precise_amount: -1 })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  ["two amounts", record(() => ({ precise_amount: 1 })), 400, "TXN_VALIDATION_ERROR"],
  ["a negative amount", record(() => ({ amount: -1 })), 400, "TXN_VALIDATION_ERROR"],
  ["sixteen digits", record(() => ({ amount: 1e15 })), 400, "TXN_VALIDATION_ERROR"],
  ["half a minor unit's half", record(() => ({ amount: 0.004 })), 400, "TXN_VALIDATION_ERROR"],
  ["a fractional precision", record(() => ({ precision: 1.5 })), 400, "TXN_VALIDATION_ERROR"],
  ["a negative precision", record(() => ({ precision: -1 })), 400, "TXN_VALIDATION_ERROR"],
  ["no currency", record(() => ({ currency: "" })), 400, "TXN_VALIDATION_ERROR"],
  ["no reference", record(() => ({ reference: null })), 400, "TXN_VALIDATION_ERROR"],
  ["no description", record(() => ({ description: "" })), 400, "TXN_VALIDATION_ERROR"],
  ["no source", record(() => ({ source: "" })), 400, "TXN_VALIDATION_ERROR"],
  ["a date alone", record(() => ({ scheduled_for: "2031-04-05" })), 400, "TXN_VALIDATION_ERROR"],
  [
    "an offset without its colon",
    record(() => ({ inflight_expiry_date: "2031-04-05T00:00:00+0000" })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "the same balance",
    record(({ alice }) => ({ destination: alice })),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  ["another currency", record(({ euros }) => ({ source: euros })), 400, "TXN_VALIDATION_ERROR"],
  [
    "shares above all",
    shares({ distribution: "60%" }, { distribution: "50%" }),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  ["shares below all", shares({ distribution: "60%" }), 400, "TXN_VALIDATION_ERROR"],
  ["a share that is no number", shares({ distribution: "half" }), 400, "TXN_VALIDATION_ERROR"],
  ["a percentage that is none", shares({ distribution: "Inf%" }), 400, "TXN_VALIDATION_ERROR"],
  [
    "a share with a fraction of a unit",
    shares({ precise_distribution: "1.5" }),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "a share of nothing",
    shares({ distribution: "100%" }, { distribution: "left" }),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "two shares of the rest",
    shares({ distribution: "left" }, { distribution: "left" }),
    400,
    "TXN_VALIDATION_ERROR",
  ],
  [
    "a negative share",
    shares({ distribution: "-1" }, { distribution: "left" }),
    400,
    "TXN_INVALID_AMOUNT",
  ],
  ["an unknown balance", record(() => ({ source: "bln_nobody" })), 404, "TXN_NOT_FOUND"],
  [
    "many to many",
    record(() => ({
      source: "",
      destination: "",
      sources: [{ identifier: "@a", distribution: "100%" }],
      destinations: [{ identifier: "@b", distribution: "100%" }],
    })),
    404,
    "TXN_NOT_FOUND",
  ],
  [
    "a reference that is used",
    record(({ used }) => ({ reference: used })),
    409,
    "TXN_DUPLICATE_REFERENCE",
  ],
  ["more than there is", record(() => ({ amount: 10_000 })), 400, "TXN_INSUFFICIENT_FUNDS"],
  [
    "more than may be owed",
    record(() => ({ amount: 10_000, overdraft_limit: 1 })),
    400,
    "TXN_VALIDATION_ERROR",
  ],

  [
    "a commit with no body",
    () => call("PUT", `/transactions/inflight/${world.open}`),
    400,
    "GEN_MALFORMED_REQUEST",
  ],
  [
    "a commit of a text",
    settle(({ open }) => open, { ...COMMIT, precise_amount: "5" }),
    400,
    "GEN_MALFORMED_REQUEST",
  ],
  [
    "another action",
    settle(({ open }) => open, { status: "COMMIT" }),
    400,
    "TXN_INVALID_STATUS_ACTION",
  ],
  [
    "a commit of nothing",
    settle(({ open }) => open, { ...COMMIT, precise_amount: 0 }),
    400,
    "TXN_INVALID_AMOUNT",
  ],
  [
    "a commit of less than nothing",
    settle(({ open }) => open, { ...COMMIT, precise_amount: -1 }),
    400,
    "TXN_INVALID_AMOUNT",
  ],
  [
    "a negative commit",
    settle(({ open }) => open, { ...COMMIT, amount: -1 }),
    400,
    "GEN_BAD_REQUEST",
  ],
  [
    "a commit beyond the hold",
    settle(({ open }) => open, { ...COMMIT, amount: 1.01 }),
    400,
    "TXN_COMMIT_AMOUNT_EXCEEDED",
  ],
  [
    "a commit beyond what remains",
    settle(({ part }) => part, { ...COMMIT, amount: 0.71 }),
    400,
    "TXN_COMMIT_AMOUNT_EXCEEDED",
  ],
  [
    "a queued commit beyond what remains",
    settle(({ part }) => part, { ...COMMIT, amount: 0.71 }, false),
    400,
    "TXN_COMMIT_AMOUNT_EXCEEDED",
  ],
  [
    "a queued commit of what is applied",
    settle(({ applied }) => applied, COMMIT, false),
    400,
    "TXN_NOT_INFLIGHT",
  ],
  [
    "a commit of what is applied",
    settle(({ applied }) => applied, COMMIT),
    400,
    "TXN_NOT_INFLIGHT",
  ],
  [
    "a void of what is scheduled",
    settle(({ scheduled }) => scheduled, VOID),
    400,
    "TXN_NOT_INFLIGHT",
  ],
  ["a commit of nobody, at once", settle(() => NOBODY, COMMIT), 400, "TXN_NOT_INFLIGHT"],
  ["a commit of nobody, queued", settle(() => NOBODY, COMMIT, false), 404, "TXN_NOT_FOUND"],
  ["a second commit", settle(({ committed }) => committed, COMMIT), 409, "TXN_ALREADY_COMMITTED"],
  [
    "a void after a commit",
    settle(({ committed }) => committed, VOID),
    409,
    "TXN_ALREADY_COMMITTED",
  ],
  ["a commit after a void", settle(({ voided }) => voided, COMMIT), 409, "TXN_ALREADY_VOIDED"],
  ["a second void, queued", settle(({ voided }) => voided, VOID, false), 409, "TXN_ALREADY_VOIDED"],

  ["a refund of nobody", giveBack(() => NOBODY), 404, "TXN_NOT_FOUND"],
  ["a refund of an open hold", giveBack(({ open }) => open), 404, "TXN_NOT_FOUND"],
  ["a refund of a voided hold", giveBack(({ voided }) => voided), 404, "TXN_NOT_FOUND"],
  ["a refund of what is scheduled", giveBack(({ scheduled }) => scheduled), 404, "TXN_NOT_FOUND"],
  ["a second refund", giveBack(({ refunded }) => refunded), 409, "GEN_CONFLICT"],
  ["a refund that is a list", giveBack(({ applied }) => applied, []), 400, "GEN_MALFORMED_REQUEST"],
  [
    "a refund beyond the payment",
    giveBack(({ applied }) => applied, { amount: 1.01 }),
    400,
    "GEN_BAD_REQUEST",
  ],
  [
    "a refund of nothing",
    giveBack(({ applied }) => applied, { amount: 0 }),
    400,
    "TXN_INVALID_AMOUNT",
  ],

  [
    "a threshold that is none",
    () => post("/transactions/recover?threshold=5", {}),
    400,
    "GEN_VALIDATION_ERROR",
  ],
  [
    "a cancellation too late",
    () => call("DELETE", `/transactions/${world.applied}`),
    409,
    "GEN_CONFLICT",
  ],
  [
    "a cancellation of nobody",
    () => call("DELETE", `/transactions/${NOBODY}`),
    404,
    "TXN_NOT_FOUND",
  ],
  ["an unknown id", () => get(`/transactions/${NOBODY}`), 404, "TXN_NOT_FOUND"],
  [
    "an unknown reference",
    () => get(`/transactions/reference/${unique("r")}`),
    404,
    "TXN_NOT_FOUND",
  ],
  [
    "a filter with no body",
    () => call("POST", "/transactions/filter"),
    400,
    "GEN_VALIDATION_ERROR",
  ],
  [
    "metadata of nobody",
    () => post(`/${NOBODY}/metadata`, { meta_data: {} }),
    404,
    "META_ENTITY_NOT_FOUND",
  ],
  [
    "metadata of nothing",
    () => post("/nothing/metadata", { meta_data: {} }),
    400,
    "META_INVALID_ENTITY_ID",
  ],
  [
    "no key",
    () => call("GET", "/transactions", { headers: { "X-Blnk-Key": null } }),
    401,
    "AUTH_MISSING_API_KEY",
  ],
  [
    "a wrong key",
    () => call("GET", "/transactions", { headers: { "X-Blnk-Key": "x" } }),
    401,
    "AUTH_INVALID_API_KEY",
  ],
];

describe("every refusal of the transaction routes can be met", () => {
  it.each(rows)("%s", async (_what, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it("a second settlement while one is on its way is 409 GEN_CONFLICT", async () => {
    setFaults("default", {
      call: ({ method }) => (method === "apply.sendBatch" ? { kind: "swallowed" } : WELL),
    });
    const part = { ...COMMIT, amount: 0.1 };
    expect((await settle(({ waiting }) => waiting, part, false)()).status).toBe(200);
    const second = await settle(({ waiting }) => waiting, VOID, false)();
    clearFaults("default");
    expect([second.status, codeOf(second)]).toEqual([409, "GEN_CONFLICT"]);
  });

  it("many to many is refused at once by the queue as well", async () => {
    const one = (identifier: string) => [{ identifier, distribution: "100%" }];
    const many = { source: "", destination: "", sources: one("@a"), destinations: one("@b") };
    const answer = await record(() => ({ ...many, skip_queue: false }))();
    expect([answer.status, codeOf(answer)]).toEqual([404, "TXN_NOT_FOUND"]);
  });
});
