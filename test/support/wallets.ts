import { type BalanceId, indicatorBalanceId } from "../../src/domain/ids";
import type { Strategy } from "../../src/domain/lineage";
import { MADE_AT } from "./records";
import { named, type World } from "./world";

/** The id of somebody's wallet: the same in every run of an instance. */
export const walletId = (world: World, owner: string): BalanceId =>
  indicatorBalanceId(world.instance, `wallet of ${owner}`, "USD");

/** A balance that tracks whose money it has. */
export const makeWallet = (world: World, owner: string, strategy: Strategy = "FIFO") =>
  world.journal.createBalance({
    balanceId: walletId(world, owner),
    ledgerId: "ldg_of_a_test",
    identityId: `idt_${owner}`,
    currency: "USD",
    indicator: "",
    createdAt: MADE_AT,
    metaData: null,
    trackFundLineage: true,
    allocationStrategy: strategy,
  });

/** Brings money of a provider from outside into a wallet. */
export const bring = (
  world: World,
  {
    to,
    provider,
    amount,
    reference,
  }: {
    readonly to: string;
    readonly provider: string;
    readonly amount: bigint;
    readonly reference: string;
  },
) =>
  world.post(
    {
      reference,
      from: "@world",
      to: walletId(world, to),
      amount,
      metaData: JSON.stringify({ BLNK_LINEAGE_PROVIDER: provider }),
    },
    named(reference),
  );

/** The wallets of ada and bob, the first with 50 of visa and then 50 of swift. */
export async function makeWallets(world: World): Promise<void> {
  await world.register();
  await makeWallet(world, "ada");
  await makeWallet(world, "bob");
  await bring(world, { to: "ada", provider: "visa", amount: 50n, reference: "visa" });
  await bring(world, { to: "ada", provider: "swift", amount: 50n, reference: "swift" });
}
