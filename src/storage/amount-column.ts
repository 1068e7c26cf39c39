import { customType } from "drizzle-orm/sqlite-core";
import { fromSortable, sortableDecimal } from "../domain/amount";

/**
 * A whole number of any size, as TEXT whose order is the order of the numbers: SQLite's integers end at 64 bits, and
 * reach a Worker as doubles. So an amount is compared and sorted by comparing text.
 */
export const amountColumn = customType<{ data: bigint; driverData: string }>({
  dataType: () => "text",
  toDriver: (amount) => storedAmount(amount),
  fromDriver: fromSortable,
});

/** An amount as it is stored. */
export const storedAmount = (amount: bigint): string => sortableDecimal(amount.toString());
