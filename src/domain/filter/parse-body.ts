import { refusal } from "../error";
import { err, ok, type Result } from "../result";
import { type Asked, checkConditions } from "./check";
import { eventualOf, type ListQuery, WRONG_CONSISTENCY } from "./list-query";
import type { Operand } from "./operand";
import { boundedLimit, combineOf, readCursor } from "./parse-query";
import { FILTER_BODY_LIMIT, type ListedResource } from "./resources";
import { checkOrder } from "./sort";

/** A filter of a body: one value, or several in `values`. */
export interface AskedFilter {
  readonly field: string;
  readonly operator: string;
  /** Null when there is none. */
  readonly value: Operand | null;
  readonly values: readonly Operand[];
}

/** The body of `POST /<resource>/filter`, its shape checked; "" and 0 stand for what was not sent. */
export interface FilterRequest {
  readonly filters: readonly AskedFilter[];
  readonly logicalOperator: string;
  readonly limit: number;
  readonly offset: number;
  readonly sortBy: string;
  readonly sortOrder: string;
  readonly includeCount: boolean;
  readonly cursor: string;
  readonly consistency: string;
}

/** The question of a `POST` filter (contract/core.md section 10.4). */
export function parseFilterBody(
  resource: ListedResource,
  request: FilterRequest,
): Result<ListQuery> {
  const combine = combineOf(request.logicalOperator);
  if (combine === null) {
    const text = "invalid logical_operator: must be 'and' or 'or'";
    return err(refusal("GEN_VALIDATION_ERROR", text));
  }
  const eventual = eventualOf(request.consistency);
  if (eventual === undefined) return err(refusal("GEN_VALIDATION_ERROR", WRONG_CONSISTENCY));
  const conditions = checkConditions(resource, request.filters.map(asked));
  if (!conditions.ok) return conditions;
  const after = readCursor(request.cursor, request.offset);
  if (!after.ok) return after;
  const order = checkOrder(resource, { ...request, isPositioned: after.value !== null });
  if (!order.ok) return order;
  return ok({
    ...order.value,
    conditions: conditions.value,
    combine,
    limit: boundedLimit(FILTER_BODY_LIMIT, request.limit),
    offset: Math.max(0, request.offset),
    after: after.value,
    count: request.includeCount,
    eventual,
  });
}

function asked({ field, operator, value, values }: AskedFilter): Asked {
  const isList = operator === "in" || operator === "between";
  const one = value === null ? [] : [value];
  return { field, operator, operands: isList ? values : one };
}
