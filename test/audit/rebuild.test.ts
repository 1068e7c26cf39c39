import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { call, codeOf } from "../support/api";
import { everyKind } from "../support/every-kind";
import { dump, rebuild } from "../support/rebuild";

it("a rebuild of D1 changes nothing in a sound one, and restores what is lost, altered or made up", async () => {
  await everyKind();
  const sound = await dump();
  expect(sound.length).toBeGreaterThan(30);

  expect(await rebuild()).toMatchObject({ written: 0, removed: 0 });
  expect(await dump()).toEqual(sound);

  await env.DB.batch([
    env.DB.prepare("DELETE FROM transactions"),
    env.DB.prepare("DELETE FROM balances"),
  ]);
  expect(await rebuild(7)).toMatchObject({ written: sound.length, removed: 0 });
  expect(await dump()).toEqual(sound);

  await env.DB.batch([
    env.DB.prepare("UPDATE transactions SET revision = revision + 5, description = 'forged'"),
    env.DB.prepare("UPDATE balances SET version = version + 5, credit_balance = debit_balance"),
    env.DB.prepare(
      "UPDATE transactions SET transaction_id = 'txn_' || transaction_id WHERE transaction_id = (SELECT min(transaction_id) FROM transactions)",
    ),
    env.DB.prepare(
      "UPDATE balances SET balance_id = 'bln_' || balance_id WHERE balance_id = (SELECT min(balance_id) FROM balances)",
    ),
  ]);
  expect(await rebuild()).toMatchObject({ written: sound.length, removed: 2 });
  expect(await dump()).toEqual(sound);
});

it("a rebuild refuses a cursor that is none, and a limit out of bounds", async () => {
  for (const query of ["cursor=nonsense", "limit=0", "limit=401"]) {
    const answer = await call("POST", `/admin/rebuild?${query}`);
    expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
  }
});
