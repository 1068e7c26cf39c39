import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { textOf } from "../support/api";
import { type App, appOf } from "../support/app";
import { clearFaults, setFaults, WELL } from "../support/faults";
import { faultyReads } from "../support/faulty-reads";
import { Moment } from "../support/moment";
import { World } from "../support/world";

const makeBalance = (app: App, ledger: string, owner?: string) =>
  app("POST", "/balances", {
    body: {
      ledger_id: ledger,
      currency: "USD",
      ...(owner === undefined ? {} : { identity_id: owner }),
    },
  });

it.each([
  ["made for", (app: App, ledger: string, owner: string) => makeBalance(app, ledger, owner)],
  [
    "given to",
    (app: App, _ledger: string, owner: string, balance: string) =>
      app("PUT", `/balances/${balance}/identity`, { body: { identity_id: owner } }),
  ],
])("an identity stays when a balance is %s it while it is deleted", async (_how, take) => {
  const world = new World("owners", 1);
  await world.register();
  const [app, deleting] = [appOf(world), appOf(world, faultyReads(env.DB, world.instance))];
  const ledger = textOf(await app("POST", "/ledgers", { body: { name: "x" } }), "ledger_id");
  const owner = textOf(
    await app("POST", "/identities", { body: { first_name: "Ada" } }),
    "identity_id",
  );
  const balance = textOf(await makeBalance(app, ledger), "balance_id");
  expect(await world.journal.barrier()).toBe(true);
  const [looked, deletes, told] = [new Moment(), new Moment(), new Moment()];
  let reads = 0;
  setFaults(world.instance, {
    call: ({ method }) => {
      // D1 hears of the balance late; the identity has been read, and is deleted in the next statement.
      if (method === "d1.batch") return { kind: "slow", until: () => told.came() };
      if (method !== "d1.read" || ++reads !== 2) return WELL;
      looked.comes();
      return { kind: "slow", until: () => deletes.came() };
    },
  });
  const deleted = deleting("DELETE", `/identities/${owner}`);
  await looked.came();
  expect((await take(app, ledger, owner, balance)).status).toBeLessThan(300);
  deletes.comes();
  await expect.poll(() => reads).toBe(2);
  told.comes();
  expect((await deleted).status).toBe(409);
  clearFaults(world.instance);
  const kept = await app("GET", `/identities/${owner}`);
  expect(kept.body).toMatchObject({ first_name: "Ada" });
});
