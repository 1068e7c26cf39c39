import type { Action } from "./balance";
import { sha256Hex } from "./digest";
import { type Fund, type Piece, received, released } from "./lineage";

/** A change as far as it tells what becomes of the funds that it moved. */
export interface FundChange {
  readonly side: string;
  readonly action: Action;
  readonly pieces: readonly Piece[];
}

/** What changes make of funds, from nothing, by provider. It does not matter in which order they came. */
export function fundsOf(changes: readonly FundChange[]): Fund[] {
  const funds = new Map<string, Fund>();
  for (const { side, action, pieces } of changes) {
    const moved = side === "source" ? released : received;
    for (const { provider, amount } of pieces) {
      const fund = funds.get(provider) ?? { provider, credited: 0n, spent: 0n, held: 0n };
      funds.set(provider, moved(fund, action, amount));
    }
  }
  return [...funds.values()];
}

/**
 * One number for the funds of many providers. The numbers of parts add up to that of the whole, and no other funds have it,
 * unless somebody has looked for such with the same salt.
 */
export const fundSum = (salt: string, funds: readonly Fund[]): bigint =>
  funds.reduce(
    (sum, { provider, credited, spent, held }) =>
      sum +
      weightOf(salt, provider, "credited") * credited +
      weightOf(salt, provider, "spent") * spent +
      weightOf(salt, provider, "held") * held,
    0n,
  );

const weightOf = (...what: string[]): bigint => BigInt(`0x${sha256Hex(JSON.stringify(what))}`);
