import type { BalanceSnapshot } from "../../domain/balance-record";
import { type BalanceId, isBalanceId } from "../../domain/ids";
import { patiently } from "../patiently";
import { Turn } from "../turn";
import type { BalanceObject } from "./object";

type Balances = DurableObjectNamespace<BalanceObject>;

/** Where balances are found: those of an instance. */
interface BalancesOf {
  readonly balances: Balances;
  readonly instance: string;
}

/** A new stub of a balance: one that threw stays broken, so every attempt takes its own. */
export const balanceStub = (
  balances: Balances,
  instance: string,
  balanceId: BalanceId,
): DurableObjectStub<BalanceObject> => balances.getByName(`${instance}/${balanceId}`);

/** Asks a balance, a few times if need be; null when the id is none. */
export function askBalance<T>(
  { balances, instance }: BalancesOf,
  id: string,
  call: (stub: DurableObjectStub<BalanceObject>) => Promise<T>,
): Promise<T | null> {
  if (!isBalanceId(id)) return Promise.resolve(null);
  return patiently(() => balanceStub(balances, instance, id), call);
}

/**
 * The balance as it stands, or with the amounts of an earlier version; null when there is none. It begins with a turn, so that
 * no reader is served over and over while others wait.
 */
export async function readInTurn(
  parts: BalancesOf,
  id: string,
  version?: number,
): Promise<BalanceSnapshot | null> {
  await new Turn().next();
  return askBalance(parts, id, async (stub) => stub.read(version === undefined ? {} : { version }));
}
