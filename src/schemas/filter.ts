import { z } from "@hono/zod-openapi";
import type { Operand } from "../domain/filter/operand";
import type { AskedFilter, FilterRequest } from "../domain/filter/parse-body";
import { bodyOf } from "./common";
import { numberText } from "./json";
import { CONSISTENCY } from "./list";

const condition = bodyOf({
  field: z.string().optional().openapi({ example: "currency" }),
  operator: z.string().optional().openapi({ example: "eq" }),
  value: z.unknown().optional(),
  values: z.array(z.unknown()).optional().openapi({ description: "For `in` and `between`." }),
});

/** The body of `POST /<resource>/filter` (contract/core.md section 10.4). */
export const FilterBody = bodyOf({
  filters: z.array(condition).optional(),
  logical_operator: z.string().optional().openapi({ description: "`and` (default) or `or`." }),
  limit: z.int().optional().openapi({ description: "1 to 100; 20 for any other." }),
  offset: z.int().optional(),
  sort_by: z.string().optional().openapi({ description: "`created_at` unless given." }),
  sort_order: z.string().optional().openapi({ description: "`asc`, or `desc` (default)." }),
  include_count: z
    .boolean()
    .optional()
    .openapi({ description: "Answers `{data, total_count}` instead of a list." }),
  cursor: z
    .string()
    .optional()
    .openapi({ description: "The last answer's `X-Next-Cursor`, to go on where it ended." }),
  consistency: z.string().optional().openapi({ description: CONSISTENCY }),
}).openapi("Filter");

/** A filter's body as the domain reads it. */
export function toFilterRequest(body: z.output<typeof FilterBody>): FilterRequest {
  return {
    filters: (body.filters ?? []).map(toAskedFilter),
    logicalOperator: body.logical_operator ?? "",
    limit: body.limit ?? 0,
    offset: body.offset ?? 0,
    sortBy: body.sort_by ?? "",
    sortOrder: body.sort_order ?? "",
    includeCount: body.include_count ?? false,
    cursor: body.cursor ?? "",
    consistency: body.consistency ?? "",
  };
}

const toAskedFilter = (body: z.output<typeof condition>): AskedFilter => ({
  field: body.field ?? "",
  operator: body.operator ?? "",
  value: body.value === undefined ? null : toOperand(body.value),
  values: (body.values ?? []).map(toOperand),
});

function toOperand(value: unknown): Operand {
  if (typeof value === "string") return { type: "text", text: value };
  if (typeof value === "boolean") return { type: "boolean", text: String(value) };
  const text = numberText(value);
  return text === null ? { type: "other" } : { type: "number", text };
}
