import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BalanceId } from "../../src/domain/ids";
import type { ExecuteAnswer } from "../../src/durable/balance/protocol";
import { Gathering } from "../../src/durable/journal/gathering";
import { Lanes, type Waiter } from "../../src/durable/journal/lanes";
import { Turn } from "../../src/durable/turn";

describe("what is queued gathers", () => {
  let groups: number[];
  let gathering: Gathering<string>;
  const come = (count: number) => {
    for (let n = 0; n < count; n += 1) gathering.add("row");
  };
  beforeEach(() => {
    vi.useFakeTimers();
    groups = [];
    gathering = new Gathering((group) => groups.push(group.length));
  });
  afterEach(() => vi.useRealTimers());

  it("for a tenth of a second when few come", () => {
    come(5);
    vi.advanceTimersByTime(99);
    expect(groups).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(groups).toEqual([5]);
    come(1);
    vi.advanceTimersByTime(100);
    expect(groups).toEqual([5, 1]);
  });

  it("for longer as long as many come, and for a second at most", () => {
    come(1);
    for (let tenth = 0; tenth < 9; tenth += 1) {
      come(5);
      vi.advanceTimersByTime(100);
      expect(groups).toEqual([]);
    }
    come(5);
    vi.advanceTimersByTime(100);
    expect(groups).toEqual([51]);
    vi.advanceTimersByTime(10_000);
    expect(groups).toEqual([51]);
  });

  it("until fewer come", () => {
    come(10);
    vi.advanceTimersByTime(100);
    come(4);
    vi.advanceTimersByTime(100);
    expect(groups).toEqual([14]);
  });

  it("until there are very many", () => {
    come(500);
    vi.advanceTimersByTime(100);
    expect(groups).toEqual([500]);
  });
});

describe("lanes open", () => {
  let turn: Turn;
  let called: BalanceId[];
  /** How many operations went with each call. */
  let operations: number[];
  /** What a balance answers to so many operations: at first nothing, ever. */
  let answer: (count: number) => Promise<ExecuteAnswer>;
  let lanes: Lanes;
  beforeEach(() => {
    answer = () => new Promise(() => undefined);
    turn = new Turn();
    called = [];
    operations = [];
    lanes = new Lanes({
      turn,
      host: {
        execute: (balanceId, sent) => {
          called.push(balanceId);
          operations.push(sent.length);
          return answer(sent.length);
        },
        observed: () => undefined,
        troubled: () => undefined,
      },
    });
  });

  const balances = (count: number, name = ""): BalanceId[] =>
    Array.from({ length: count }, (_none, n): BalanceId => `bln_${name}${n}`);

  function submit(ids: readonly BalanceId[], waiter: Waiter): void {
    for (const id of ids) void lanes.submit(id, { kind: "probe", op: "probe" }, waiter);
  }

  /** How many had opened after each of some turns. */
  async function opened(turns: number): Promise<number[]> {
    const counts: number[] = [];
    for (let passed = 0; passed < turns; passed += 1) {
      await turn.next();
      counts.push(called.length);
    }
    return counts;
  }

  /** One balance has so much to do at once that others wait for a turn. */
  async function becomeBusy(): Promise<void> {
    submit(["bln_busy", "bln_busy"], "nobody");
    submit(["bln_busy"], "client");
    await turn.next();
    expect(operations).toEqual([3]);
    called = [];
    operations = [];
  }

  it("at once while no balance is busy, some of them, so that a large group keeps nobody else from theirs", async () => {
    const ids = balances(40);
    submit(ids, "client");
    expect(called.length).toBe(16);
    submit(ids, "client");
    expect(await opened(3)).toEqual([32, 40, 40]);
    expect(called).toEqual(ids);
    expect(operations).toEqual(ids.map((_id, at) => (at < 16 ? 1 : 2)));
    submit(balances(1, "next"), "client");
    expect(called.length).toBe(41);
  });

  it("in the next turn while a balance is busy, so that others join them", async () => {
    await becomeBusy();
    const ids = balances(31);
    submit(ids, "client");
    submit(ids, "client");
    expect(called.length).toBe(0);
    expect(await opened(3)).toEqual([16, 31, 31]);
    expect(operations).toEqual(ids.map(() => 2));
    submit(balances(1, "busy-still"), "client");
    expect(called.length).toBe(31);
    await turn.next();
    submit(balances(1, "calm"), "client");
    expect(called.slice(31)).toEqual(["bln_busy-still0", "bln_calm0"]);
  });

  it("few at a time of those that nobody waits for, after those of clients", async () => {
    const [queued, urgent] = [balances(7, "queued"), balances(2, "urgent")];
    await becomeBusy();
    submit(queued, "nobody");
    submit(urgent, "client");
    expect(await opened(4)).toEqual([5, 8, 9, 9]);
    expect(called).toEqual([...urgent, ...queued]);
  });

  it("an eighth of many that nobody waits for, so that no more is queued than is applied", async () => {
    submit(balances(80), "nobody");
    expect((await opened(17)).slice(0, 6)).toEqual([10, 19, 27, 34, 40, 45]);
    expect(called).toEqual(balances(80));
  });

  it("in the order in which they came, whatever joins them", async () => {
    const queued = balances(7);
    submit(queued, "nobody");
    submit(queued.slice(0, 3), "nobody");
    await opened(3);
    expect(called).toEqual(queued);
    expect(operations).toEqual([2, 2, 2, 1, 1, 1, 1]);
  });

  it("with those of clients as soon as a client waits for something in them", async () => {
    const queued = balances(6);
    submit(queued, "nobody");
    submit(queued.slice(5), "client");
    expect(await opened(3)).toEqual([4, 6, 6]);
    expect(called.at(0)).toBe(queued.at(5));
  });

  it("between two calls of one that has more than a call takes", async () => {
    const [hot, other] = [balances(1, "hot"), balances(1, "other")];
    const done: Promise<unknown>[] = [];
    answer = (count) => {
      if (called.length === 2) submit(other, "client");
      const answers = Array.from({ length: count }, () => ({ outcome: "reserved" }) as const);
      return Promise.resolve({ answers, snapshot: null });
    };
    for (let n = 0; n < 101; n += 1)
      done.push(lanes.submit("bln_hot0", { kind: "probe", op: `probe-${n}` }, "client"));
    await Promise.all(done);
    expect(called).toEqual([...hot, ...hot, ...other, ...hot]);
    expect(operations).toEqual([1, 50, 1, 50]);
  });
});
