import { beforeEach, expect, it } from "vitest";
import { setFaults } from "../support/faults";
import { Moment } from "../support/moment";
import { named, World } from "../support/world";

let world: World;
beforeEach(async () => {
  world = new World();
  await world.fund("@card", 100n);
});

it("a hold that is committed before it is answered is answered as its repeats are", async () => {
  const hold = { reference: "h", from: "@card", to: "@shop", amount: 60n, inflight: true } as const;
  const committed = new Moment();
  const written = new Moment();
  setFaults(world.instance, {
    step: (step) => {
      if (step !== "record:inserted") return undefined;
      written.comes();
      return committed.came();
    },
  });

  const first = world.post(hold, named("k"));
  await written.came();
  await world.commit("h");
  committed.comes();

  expect(await first).toMatchObject({ ok: true, value: { inflightRemaining: 60n } });
  expect(await world.post(hold, named("k"))).toMatchObject({
    ok: true,
    value: { inflightRemaining: 60n },
  });
});

it("a commit by the queue of a hold that was rejected since is answered as before", async () => {
  const hold = {
    reference: "h",
    from: "@card",
    to: "@shop",
    amount: 900n,
    inflight: true,
  } as const;
  await world.post({ ...hold, skipQueue: false });
  const how = { skipQueue: false, operation: named("k") };

  const first = await world.commit("h", null, how);
  await world.shardOf("h").applyMany({ ids: [world.idOf("h")] });
  expect(await world.read("h")).toMatchObject({ status: "REJECTED" });
  const again = await world.commit("h", null, how);

  const whatItWas = { ok: true, value: { transaction: { status: "QUEUED", rejectionReason: "" } } };
  expect(first).toMatchObject(whatItWas);
  expect(again).toMatchObject(whatItWas);
});
