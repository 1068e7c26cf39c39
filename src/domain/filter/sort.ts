import { refusal } from "../error";
import { err, ok, type Result } from "../result";
import { invalid } from "./check";
import type { ListQuery } from "./list-query";
import type { ListedResource } from "./resources";

/** The order of every list that asks for none. It is the one that cursors know. */
const STABLE_ORDER = "created_at";

/** An order as a client wrote it, "" where it wrote nothing. */
export interface AskedOrder {
  readonly sortBy: string;
  readonly sortOrder: string;
  /** Whether a cursor was sent. */
  readonly isPositioned: boolean;
}

/** The order of a list: an unknown `sort_by` is refused, an unknown `sort_order` is `desc`, as in Blnk. */
export function checkOrder(
  { fields, table }: ListedResource,
  { sortBy, sortOrder, isPositioned }: AskedOrder,
): Result<Pick<ListQuery, "sortBy" | "direction">> {
  const name = sortBy.trim().toLowerCase() || STABLE_ORDER;
  const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (kind === undefined || kind === "side" || kind === "side-indicator") {
    return invalid(`cannot sort ${table} by '${sortBy.trim()}' (sort_by)`);
  }
  if (isPositioned && name !== STABLE_ORDER) {
    return err(
      refusal("GEN_VALIDATION_ERROR", `a cursor continues a list by ${STABLE_ORDER} alone`),
    );
  }
  return ok({ sortBy: name, direction: sortOrder.trim().toLowerCase() === "asc" ? "asc" : "desc" });
}
