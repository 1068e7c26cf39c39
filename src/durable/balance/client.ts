import { type BalanceId, isBalanceId } from "../../domain/ids";
import { patiently } from "../patiently";
import type { BalanceObject } from "./object";

type Balances = DurableObjectNamespace<BalanceObject>;

/** A new stub of a balance: one that threw stays broken, so every attempt takes its own. */
export const balanceStub = (
  balances: Balances,
  instance: string,
  balanceId: BalanceId,
): DurableObjectStub<BalanceObject> => balances.getByName(`${instance}/${balanceId}`);

/** Asks a balance, a few times if need be; null when the id is none. */
export function askBalance<T>(
  { balances, instance }: { readonly balances: Balances; readonly instance: string },
  id: string,
  call: (stub: DurableObjectStub<BalanceObject>) => Promise<T>,
): Promise<T | null> {
  if (!isBalanceId(id)) return Promise.resolve(null);
  return patiently(() => balanceStub(balances, instance, id), call);
}
