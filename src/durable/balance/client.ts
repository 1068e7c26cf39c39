import type { BalanceId } from "../../domain/ids";
import type { BalanceObject } from "./object";

type Balances = DurableObjectNamespace<BalanceObject>;

/** A new stub of a balance: one that threw stays broken, so every attempt takes its own. */
export const balanceStub = (
  balances: Balances,
  instance: string,
  balanceId: BalanceId,
): DurableObjectStub<BalanceObject> => balances.getByName(`${instance}/${balanceId}`);
