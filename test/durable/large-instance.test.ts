import { afterEach, expect, it } from "vitest";
import { parseListQuery } from "../../src/domain/filter/parse-query";
import { balanceList } from "../../src/domain/filter/resources";
import { listBalances } from "../../src/services/balances/list";
import { contextOf } from "../support/context";
import { clearFaults, setFaults, WELL } from "../support/faults";
import { World } from "../support/world";

let world = new World("large");
afterEach(() => clearFaults(world.instance));

/** Whether a list says that it may be behind, while D1 cannot be written. */
async function isBehind(shards: number, consistency: string): Promise<boolean> {
  world = new World("large", shards);
  const lost = { kind: "lost" } as const;
  setFaults(world.instance, { call: ({ method }) => (method === "d1.batch" ? lost : WELL) });
  await world.fund("@card", 1n);
  const query = parseListQuery(balanceList, new Map([["consistency", consistency]]));
  if (!query.ok) throw new Error(query.error.message);
  return (await listBalances(contextOf(world), query.value)).isBehind;
}

it.each([
  [16, "", true],
  [16, "eventual", false],
  [17, "", false],
  [17, "strong", true],
])(
  "with %i shards a list asked for with consistency '%s' waits: %s",
  async (shards, asked, waits) => {
    expect(await isBehind(shards, asked)).toBe(waits);
  },
);
