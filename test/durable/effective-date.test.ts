import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import { instantOfMicros } from "../../src/domain/time";
import { anonymous, postingFor } from "../support/postings";
import { World } from "../support/world";

const EFFECTIVE = instantOfMicros(Date.UTC(2020, 1, 29, 21) * 1000);

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 100n);
});

/** The effective dates of all entries of a balance but its first, oldest first. */
const datesIn = (indicator: string): Promise<string[]> =>
  runInDurableObject(world.balance(indicator), (_balance, { storage }) =>
    storage.sql
      .exec<{ effective_date: string }>(
        "SELECT effective_date FROM entries WHERE transaction_id = ? ORDER BY version",
        world.idOf("t"),
      )
      .toArray()
      .map(({ effective_date }) => effective_date),
  );

it.each([true, false])(
  "an effective date is in the entries of both balances (skip_queue %s), after a restart too",
  async (skipQueue) => {
    const transfer = { reference: "t", from: "@card", to: "@shop", amount: 70n, skipQueue };
    const posting = { ...postingFor(world.instance, transfer), effectiveDate: EFFECTIVE };
    await world.journal.record({ posting, operation: anonymous() });
    await abortAllDurableObjects();
    await world.shardOf("t").applyMany({ ids: [world.idOf("t")] });
    expect(await world.amounts("@shop")).toEqual([70n, 0n, 0n, 0n]);
    expect(await world.read("t")).toMatchObject({ status: "APPLIED", effectiveDate: EFFECTIVE });
    expect([await datesIn("@card"), await datesIn("@shop")]).toEqual([[EFFECTIVE], [EFFECTIVE]]);
  },
);
