import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { shardOf } from "../../src/domain/ids";
import { type Answer, field } from "../support/api";
import { type App, appOf } from "../support/app";
import { workLeft } from "../support/audit";
import { calledMethods, clearFaults, passedSteps, setFaults, WELL } from "../support/faults";
import { Moment } from "../support/moment";
import { World } from "../support/world";

/*
 * Groups that want each other's references: whatever the order in which they take them, all of them come to an end.
 */

let world: World;
let app: App;
beforeEach(async () => {
  world = new World("collisions", 2);
  app = appOf(world);
  await world.fund("@alice", 1_000n);
});

const plain = {
  precision: 100,
  currency: "USD",
  description: "of a group",
  source: "@alice",
  skip_queue: true,
};

const sendSplit = (reference: string, more: object = {}) =>
  app("POST", "/transactions", {
    body: {
      ...plain,
      reference,
      precise_amount: 60,
      destinations: [
        { identifier: "@bob", distribution: "50%" },
        { identifier: "@carl", distribution: "left" },
      ],
      ...more,
    },
    key: `key of ${reference}`,
  });

const sendBatch = (references: readonly string[], more: object = {}) => {
  const item = { ...plain, precise_amount: 10, destination: "@dora", ...more };
  const transactions = references.map((reference) => ({ ...item, reference }));
  const body = { transactions, atomic: true, skip_queue: true };
  return app("POST", "/transactions/bulk", { body });
};

const codeIn = (answer: Answer) =>
  field({ ...answer, body: field(answer, "error_detail") }, "code");

/** How often something was passed or called since the faults were set. */
const count = (list: readonly string[], name: string): number =>
  list.filter((each) => each === name).length;

const claims = () => count(calledMethods(world.instance), "journal.claimReferences");

const statusOf = async (reference: string) => (await world.read(reference))?.status;

/** The reference of a split whose own is taken after that of its first leg by who takes both in order. */
function splitReference(): string {
  const shardOfReference = (reference: string) => shardOf(world.idOf(reference), 2);
  const names = Array.from({ length: 256 }, (_none, index) => `s${index}`);
  const fits = (name: string) =>
    shardOfReference(`${name}-1`) === 0 && shardOfReference(name) === 1;
  return names.find(fits) ?? "";
}

describe("L6: a batch and a split that want each other's references", () => {
  it.each([
    ["", false],
    [" also after a restart", true],
  ])(
    "come to an end:%s the batch is carried out, of the split nothing was done",
    async (_when, restarts) => {
      const s = splitReference();
      const opened = new Moment();
      setFaults(world.instance, {
        // The batch has the reference of the leg, and is on its way to that of the split.
        call: ({ method, name }) =>
          method === "journal.claimReferences" && name.endsWith("/1")
            ? { kind: "slow", until: () => opened.came() }
            : WELL,
      });
      const batch = sendBatch([`${s}-1`, s]);
      await expect.poll(() => passedSteps(world.instance)).toContain("claim:taken");
      const split = sendSplit(s);
      await expect.poll(() => passedSteps(world.instance)).toContain("record:inserted");
      opened.comes();
      if (restarts) {
        // Both wait for each other now.
        await expect.poll(claims).toBeGreaterThanOrEqual(3);
        await abortAllDurableObjects();
        await world.ring();
      }

      const answers = await Promise.all([batch, split]);

      clearFaults(world.instance);
      if (!restarts) {
        expect(answers.map(({ status }) => status)).toEqual([201, 503]);
        expect(codeIn(answers[1])).toBe("GEN_OVERLOADED");
      }
      await expect.poll(() => statusOf(s), { timeout: 10_000 }).toBe("APPLIED");
      expect(await statusOf(`${s}-1`)).toBe("APPLIED");
      // That it was turned away is not kept for its key: now the batch has the reference.
      expect(codeIn(await sendSplit(s))).toBe("TXN_DUPLICATE_REFERENCE");
      expect(await world.amounts("@alice")).toEqual([1_000n, 20n, 0n, 0n]);
      expect(await world.amounts("@carl")).toEqual([0n, 0n, 0n, 0n]);
      await expect.poll(() => world.journal.barrier(), { timeout: 10_000 }).toBe(true);
      expect(await workLeft(world)).toBe(0);
    },
  );
});

it("L4: of two splits that wait for a batch, the one that was queued waits as long as it takes", async () => {
  const goesOn = new Moment();
  const isFirst = (step: string) => count(passedSteps(world.instance), step) === 1;
  // The batch has taken its references, and is not decided yet.
  setFaults(world.instance, {
    step: (step) => (step === "group:reserved" && isFirst(step) ? goesOn.came() : undefined),
  });
  const batch = sendBatch(["at-once-1", "queued_1"], { source: "@poor" });
  await expect.poll(() => passedSteps(world.instance)).toContain("group:reserved");
  expect((await sendSplit("queued", { skip_queue: false })).status).toBe(201);
  const queued = world.shardOf("queued").applyMany({ ids: [world.idOf("queued")] });

  const turnedAway = await sendSplit("at-once");

  expect([turnedAway.status, turnedAway.headers.get("Retry-After")]).toEqual([503, "1"]);
  expect(await world.read("at-once")).toBe(null);
  expect(await statusOf("queued")).toBe("QUEUED");
  goesOn.comes();
  expect((await batch).status).toBe(400);
  await queued;
  await expect.poll(() => statusOf("queued")).toBe("APPLIED");
  // The same request again, under the same key.
  expect((await sendSplit("at-once")).status).toBe(201);
  expect(await world.amounts("@bob")).toEqual([60n, 0n, 0n, 0n]);
});
