import { z } from "@hono/zod-openapi";

/** What `consistency` means. */
export const CONSISTENCY =
  "`eventual` does without the caller's own latest writes, `strong` waits for them: the default, unless the instance has more than 16 journal shards.";

const parameter = (description: string) =>
  z.unknown().optional().openapi({ type: "string", description });

/**
 * The parameters that every list has. They are read by `parseListQuery`, since the names of filters are
 * not fixed; here they are documented.
 */
export const ListParameters = z.looseObject({
  limit: parameter("How many rows at most."),
  offset: parameter("How many rows to skip."),
  cursor: parameter("The last answer's `X-Next-Cursor`, to go on where it ended."),
  sort_by: parameter("A filter field; `created_at` unless given."),
  sort_order: parameter("`asc`, or `desc` (default)."),
  include_count: parameter("`true` puts the number of all rows that fit in `X-Total-Count`."),
  logical_operator: parameter("How filters are combined: `and` (default) or `or`."),
  consistency: parameter(CONSISTENCY),
});

/** What filters are, for the description of a list. */
export const describeFilters = (fields: readonly string[]): string =>
  `Filters are parameters \`<field>_<operator>=<value>\`, 20 at most, with the operators eq, ne, gt, gte, lt, lte, in (\`a,b\`), between (\`a|b\`), like, ilike, isnull, isnotnull. A date matches the whole unit that is written. A parameter that is not understood is refused. Fields: ${fields.map((field) => `\`${field}\``).join(", ")}, and \`meta_data.<key>\`.`;

const headers = z.object({
  "X-Next-Cursor": z.string().optional().openapi({
    description:
      "Continues the list as `cursor`; absent at its end, and for an order that is not by `created_at`.",
  }),
  "X-Purser-Behind": z.string().optional().openapi({
    description: "`true` when the records are behind and the newest changes may be missing.",
  }),
  "X-Total-Count": z.string().optional(),
});

/** A bare list, in the OpenAPI document. */
export const listResponse = <Schema extends z.ZodType>(row: Schema) => ({
  description: "The rows, newest first unless sorted otherwise; `[]` when there are none.",
  headers,
  content: { "application/json": { schema: z.array(row) } },
});

/** The answer to a filter, in the OpenAPI document. */
export const filterResponse = <Schema extends z.ZodType>(row: Schema) => ({
  description: "The rows; with `include_count` in an envelope with the number of all that fit.",
  headers,
  content: {
    "application/json": {
      schema: z.union([
        z.array(row),
        z.object({ data: z.array(row), total_count: z.int().nonnegative() }),
      ]),
    },
  },
});
