import { beforeEach, describe, expect, it } from "vitest";
import type { BalanceId } from "../../src/domain/ids";
import { Entrance } from "../../src/durable/journal/entrance";
import { Turn } from "../../src/durable/turn";

const HOT = "bln_hot";

describe("who queues begins", () => {
  let turn: Turn;
  let entrance: Entrance;
  let begun: string[];
  beforeEach(() => {
    turn = new Turn();
    entrance = new Entrance(turn);
    begun = [];
  });

  const come = (name: string, balanceIds: readonly BalanceId[], count = 1) => {
    const list = begun;
    for (let n = 0; n < count; n += 1) {
      void entrance.pass(balanceIds).then(() => list.push(`${name}${n}`));
    }
  };
  /** How many had begun after each of so many turns. */
  async function inTurns(count: number): Promise<number[]> {
    const counts: number[] = [];
    for (let passed = 0; passed < count; passed += 1) {
      await turn.next();
      // What goes on in a turn needs some steps.
      for (let step = 0; step < 8; step += 1) await null;
      counts.push(begun.length);
    }
    return counts;
  }
  const numbered = (name: string, count: number) =>
    Array.from({ length: count }, (_none, n) => `${name}${n}`);

  it("together with all that came in the same turn", async () => {
    come("hot", [HOT, "bln_a"], 48);
    come("other", ["bln_b", "bln_c"]);
    expect(await inTurns(1)).toEqual([49]);
  });

  it("one in five turns where there is a crowd for a balance, in the order in which they came, until it is none", async () => {
    come("hot", [HOT, "bln_a"], 51);
    come("quiet", ["bln_b", "bln_c"], 32);
    expect(await inTurns(5)).toEqual([33, 33, 33, 33, 33]);
    expect(await inTurns(6)).toEqual([34, 34, 34, 34, 34, 83]);
    expect(begun.filter((name) => name.startsWith("hot"))).toEqual(numbered("hot", 51));
  });

  it("and who comes later waits behind them, unless it is for another balance", async () => {
    come("hot", [HOT, "bln_a"], 62);
    await inTurns(5);
    come("late", ["bln_b", HOT]);
    come("quiet", ["bln_b", "bln_c"]);
    expect(await inTurns(1)).toEqual([3]);
    expect(begun).toEqual(["hot0", "hot1", "quiet0"]);
    await inTurns(75);
    expect(begun.at(-1)).toBe("late0");
  });

  it("at once, to be turned away, when very many wait", async () => {
    come("hot", [HOT, "bln_a"], 499);
    expect(entrance.isFull([HOT])).toBe(false);
    come("last", [HOT, "bln_a"]);
    expect(entrance.isFull(["bln_b", HOT])).toBe(true);
    expect(entrance.isFull(["bln_b"])).toBe(false);
    come("more", [HOT, "bln_b"]);
    await inTurns(1);
    expect(begun).toEqual(["hot0", "more0"]);
    expect(entrance.isFull([HOT])).toBe(false);
  });

  it("and nothing is left of a crowd that has passed", async () => {
    come("hot", [HOT, "bln_a"], 72);
    await inTurns(130);
    expect(begun).toEqual(numbered("hot", 72));
    come("hot", [HOT, "bln_a"], 48);
    expect(await inTurns(1)).toEqual([120]);
  });
});
