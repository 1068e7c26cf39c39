import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BalanceId } from "../../src/domain/ids";
import type { ExecuteAnswer } from "../../src/durable/balance/protocol";
import { Gathering } from "../../src/durable/journal/gathering";
import { Lanes } from "../../src/durable/journal/lanes";
import { Turn } from "../../src/durable/journal/turn";

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

describe("lanes", () => {
  it("open a few in a turn, so that a large group keeps nobody else from theirs", async () => {
    const turn = new Turn();
    const called: BalanceId[] = [];
    const lanes = new Lanes({
      turn,
      host: {
        execute: (balanceId) => {
          called.push(balanceId);
          return new Promise<ExecuteAnswer>(() => undefined);
        },
        observed: () => undefined,
        troubled: () => undefined,
      },
    });
    const ids = Array.from({ length: 40 }, (_none, n): BalanceId => `bln_${n}`);
    for (const id of ids) void lanes.submit(id, { kind: "probe", op: "probe" });
    const opened: number[] = [];
    for (let turns = 0; turns < 4; turns += 1) {
      await turn.next();
      opened.push(called.length);
    }
    expect(opened).toEqual([16, 32, 40, 40]);
    expect(called).toEqual(ids);
  });
});
