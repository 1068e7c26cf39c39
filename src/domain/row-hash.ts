import { plainDecimal } from "./amount";
import { sha256Hex } from "./ids";

/**
 * The row hash of Blnk: SHA-256 over the posted values, joined without a separator
 * (contract/transactions.md section 13.1). Nothing verifies it; it is kept for equality.
 */
export function rowHash(values: {
  /** Major units as decimal text; "0" when the client sent `precise_amount`. */
  readonly amount: string;
  readonly reference: string;
  readonly currency: string;
  /** As posted: `@world` stays `@world`. */
  readonly source: string;
  readonly destination: string;
}): string {
  const { amount, reference, currency, source, destination } = values;
  return sha256Hex(plainDecimal(amount) + reference + currency + source + destination);
}
