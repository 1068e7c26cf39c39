import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Posting } from "../../src/domain/transaction";
import { Admission, arriving, following } from "../../src/durable/journal/admission";
import { Load } from "../../src/durable/journal/load";
import { rowOf } from "../../src/durable/journal/row";
import { Turn } from "../../src/durable/turn";
import { postingFor } from "../support/postings";
import { MADE_AT } from "../support/records";

afterEach(() => vi.useRealTimers());

const posting = postingFor("x", { reference: "r", from: "@a", to: "@b", amount: 1n });
const queued = { ...posting, skipQueue: false };
const idle = { liveCount: 0, liveCharacters: 0, tryingForMs: 0, crowded: false };

function admissionOf({ tryingForMs, crowded, ...records }: typeof idle, turn = new Turn()) {
  const lanes = { tryingForMs: () => tryingForMs };
  return new Admission({ records, lanes, entrance: { isFull: () => crowded }, turn });
}

/** The refusal of a shard that stands so, or null. */
function refusalAt(state: Partial<typeof idle>, request = arriving(posting, 16)) {
  return admissionOf({ ...idle, ...state }).refusalOf(request);
}

describe("a shard takes no more", () => {
  it.each([
    ["rows with work left", { liveCount: 20_000 }, { liveCount: 19_999 }],
    ["characters of them", { liveCharacters: 16_000_000 }, { liveCharacters: 15_999_999 }],
    ["seconds that a balance does not answer", { tryingForMs: 15_000 }, { tryingForMs: 14_999 }],
  ])("at so many %s", (_what, full, almost) => {
    expect(refusalAt(full)).toMatchObject({ code: "GEN_OVERLOADED", retryAfterSeconds: 5 });
    expect(refusalAt(almost)).toBeNull();
  });

  it("but queues for a balance that does not answer", () => {
    expect(refusalAt({ tryingForMs: 60_000 }, arriving(queued, 16))).toBeNull();
  });

  it("of those that queue for one balance when there is a large crowd, but of all others", () => {
    const crowded = (request: typeof queuedArrival) => refusalAt({ crowded: true }, request);
    const queuedArrival = arriving(queued, 16);
    expect(crowded(queuedArrival)).toMatchObject({ code: "GEN_OVERLOADED", retryAfterSeconds: 1 });
    expect(crowded(arriving(posting, 16))).toBeNull();
    expect(crowded(following(false, [queued]))).toBeNull();
  });

  it("not even of what follows, when its memory is full", () => {
    const request = following(true, [posting]);
    expect(refusalAt({ liveCharacters: 16_000_000 }, request)?.code).toBe("GEN_OVERLOADED");
  });
});

it.each([
  [1, 128],
  [4, 32],
  [16, 16],
  [256, 16],
])("of a balance, a journal of %i shards takes %i at once in each", (shards, share) => {
  expect(arriving(posting, shards).share).toBe(share);
});

describe("who ends a transfer of a balance that was overrun", () => {
  const turn = new Turn();
  const arrival = arriving(posting, 16);
  const rowOfIt = (n: number, { skipQueue, kind }: Pick<Posting, "skipQueue" | "kind"> = posting) =>
    rowOf({
      posting: { ...posting, skipQueue, kind, transactionId: `txn_${n}` },
      operationKey: "",
      fingerprint: "",
      createdAt: MADE_AT,
    });
  /** A shard with so many of one balance as it takes, and one more turned away. */
  const overrun = (skipQueue = true, count = 16) => {
    const admission = admissionOf(idle, turn);
    const rows = Array.from({ length: count }, (_none, n) =>
      rowOfIt(n, { skipQueue, kind: "post" }),
    );
    for (const row of rows) admission.hold(row);
    expect(admission.refusalOf({ ...arrival, skipQueue })?.code).toBe("GEN_OVERLOADED");
    return { admission, rows };
  };

  it("keeps its place for eight turns, in which others come to theirs", async () => {
    const { admission, rows } = overrun();
    const rests = rows.map((row) => admission.release(row));
    for (let passed = 0; passed < 8; passed += 1) {
      expect(admission.refusalOf(arrival)?.code).toBe("GEN_OVERLOADED");
      await turn.next();
    }
    await Promise.all(rests);
    expect(admission.refusalOf(arrival)).toBeNull();
  });

  it.each(["commit", "void", "refund"] as const)("leaves at once after a %s", (kind) => {
    const { admission } = overrun();
    const row = rowOfIt(16, { skipQueue: true, kind });
    admission.hold(row);
    expect(admission.release(row)).toBeUndefined();
  });

  it("leaves at once when it was queued, or no balance is narrow", () => {
    const { admission, rows } = overrun(false, 1_000);
    expect(rows.map((row) => admission.release(row))).toEqual(rows.map(() => undefined));
    const calm = admissionOf(idle, turn);
    const row = rowOfIt(1);
    calm.hold(row);
    expect(calm.release(row)).toBeUndefined();
  });
});

describe("a load", () => {
  const bounds = {
    inAll: 10,
    onBalance: "share",
    following: 12,
    whenNarrowed: 1,
    wideBelow: 64,
  } as const;
  const { balanceIds } = arriving(posting, 16);
  const [source] = balanceIds;
  const asked = { balanceIds, follows: false, share: 8 };
  let load: Load;
  const fill = (count: number) => {
    for (let n = 0; n < count; n += 1) load.add(balanceIds);
  };
  const drain = (count: number) => {
    for (let n = 0; n < count; n += 1) load.remove(balanceIds);
  };
  /** How many more it takes of an empty balance. */
  const room = () => {
    let count = 0;
    while (count < 100 && load.fullBalance(asked) === null) {
      load.add(balanceIds);
      count += 1;
    }
    drain(count);
    return count;
  };
  beforeEach(() => {
    load = new Load(bounds);
  });

  it("is full at its bound, and at four times as many for what follows", () => {
    fill(9);
    expect(load.isFull(asked)).toBe(false);
    fill(1);
    expect([load.isFull(asked), load.isFull({ ...asked, follows: true })]).toEqual([true, false]);
    fill(30);
    expect(load.isFull({ ...asked, follows: true })).toBe(true);
  });

  it("names the balance that is full, which stays narrow as long as many want it", () => {
    fill(8);
    expect(load.fullBalance(asked)).toBe(source);
    expect(load.fullBalance({ ...asked, follows: true })).toBeNull();
    for (let span = 0; span < 5; span += 1) {
      for (let n = 0; n < 64; n += 1) expect(load.fullBalance(asked)).toBe(source);
      vi.setSystemTime(Date.now() + 4_000);
    }
    drain(8);
    expect(room()).toBe(1);
  });

  it.each([
    ["few want it", 62, 4_000],
    ["nobody has asked for long", 64, 8_000],
    ["the clock is set back", 64, -3_600_000],
  ])("is wide again when %s", (_what, more, afterMs) => {
    fill(8);
    for (let n = 0; n <= more; n += 1) expect(load.fullBalance(asked)).toBe(source);
    drain(8);
    vi.setSystemTime(Date.now() + afterMs);
    expect(room()).toBe(8);
  });
});
