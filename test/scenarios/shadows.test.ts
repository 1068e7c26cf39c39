import { describe, expect, it } from "vitest";
import { field, get, listOf, put, textOf } from "../support/api";
import { amountsOf, hold, moveNow, unique } from "../support/ledger";
import {
  bring,
  fundsOf,
  idOfIndicator,
  lineageOf,
  newOwner,
  newWallet,
  partsOf,
  shadowIds,
} from "../support/lineage";

describe("the shadow balances of a wallet", () => {
  it("are its own: another wallet of its owner, and of somebody of the same name, has others", async () => {
    const owner = await newOwner("Ada");
    const wallets = [await newWallet({ owner }), await newWallet({ owner }), await newWallet()];
    for (const wallet of wallets) await bring(wallet, 100n, "visa");
    const [first = "", second = ""] = wallets;
    await moveNow({ from: first, to: "@Shop", amount: 60n });

    expect(await Promise.all(wallets.map(fundsOf))).toEqual([
      ["visa: 100 = 40 + 60"],
      ["visa: 100 = 100 + 0"],
      ["visa: 100 = 100 + 0"],
    ]);
    const ids = await Promise.all(
      [first, second].map(async (wallet) => {
        const answer = await get(`/balances/${wallet}/lineage`);
        const providers = partsOf(answer, "providers");
        return [
          textOf(answer, "aggregate_balance_id"),
          ...providers.map((each) => textOf(each, "shadow_balance_id")),
        ];
      }),
    );
    expect(new Set(ids.flat()).size).toBe(4);
  });

  it("stay when the owner's name changes", async () => {
    const owner = await newOwner("Ada");
    const wallet = await newWallet({ owner });
    await bring(wallet, 100n, "visa");
    const before = await get(`/balances/${wallet}/lineage`);
    await put(`/identities/${owner}`, { first_name: "Augusta" });
    await bring(wallet, 50n, "visa");

    const after = await get(`/balances/${wallet}/lineage`);
    expect(field(after, "aggregate_balance_id")).toBe(field(before, "aggregate_balance_id"));
    expect(await fundsOf(wallet)).toEqual(["visa: 150 = 150 + 0"]);
  });

  it("show what the wallet has of each provider, once all is told", async () => {
    const wallet = await newWallet();
    await bring(wallet, 100n, "visa");
    const spent = textOf(
      await moveNow({ from: wallet, to: "@Shop", amount: 30n }),
      "transaction_id",
    );
    const held = textOf(await hold({ from: wallet, to: "@Shop", amount: 20n }), "transaction_id");
    await Promise.all([spent, held].map(lineageOf));

    expect(await amountsOf(await idOfIndicator(`@visa_${wallet}_lineage`))).toEqual({
      balance: -70n,
      credit: 30n,
      debit: 100n,
      inflightCredit: 20n,
      inflightDebit: 0n,
    });
    expect(await amountsOf(await idOfIndicator(`@${wallet}_lineage`))).toMatchObject({
      balance: 70n,
      inflightDebit: 20n,
    });
  });
});

describe("a shadow transaction", () => {
  it("takes another reference when a client has used its own", async () => {
    const wallet = await newWallet();
    const reference = unique("bring");
    const taken = { reference: `${reference}_shadow_visa`, amount: 1n };
    await moveNow({ from: "@World", to: "@Shop", ...taken, options: { allow_overdraft: true } });
    const id = await bring(wallet, 100n, "visa", reference);

    const { shadows } = await lineageOf(id);
    expect(shadows.map((shadow) => textOf(shadow, "reference"))).toEqual([`${id}_shadow_visa`]);
  });

  it("is a transaction like any other: in lists, by its reference, and announced", async () => {
    const wallet = await newWallet();
    const reference = unique("bring");
    const [shadow = ""] = await shadowIds(await bring(wallet, 100n, "visa", reference));

    const byReference = await get(`/transactions/reference/${reference}_shadow_visa`);
    expect(textOf(byReference, "transaction_id")).toBe(shadow);
    const listed = await get(`/transactions?transaction_id_eq=${shadow}`);
    expect(listOf(listed)).toHaveLength(1);
    const indicators = listOf(await get(`/balances?indicator_eq=@visa_${wallet}_lineage`));
    expect(indicators).toHaveLength(1);
  });
});

it("a long name of a provider stands in references and indicators as its digest", async () => {
  const wallet = await newWallet();
  const provider = "v".repeat(255);
  const id = await bring(wallet, 100n, provider);

  expect(await fundsOf(wallet)).toEqual([`${provider}: 100 = 100 + 0`]);
  const [shadow] = (await lineageOf(id)).shadows;
  expect(shadow === undefined ? "" : textOf(shadow, "reference")).toMatch(/_shadow_[0-9a-f]{64}$/);
});
