import { z } from "@hono/zod-openapi";

export const RebuildBody = z
  .object({
    part: z.string().openapi({ description: "Which part of the rebuild this was." }),
    shard: z.int().nullable().openapi({ description: "Null where it goes through D1." }),
    shards: z.int(),
    checked: z.int().openapi({ description: "Rows that were compared." }),
    written: z.int().openapi({ description: "Rows that were missing or different." }),
    removed: z.int().openapi({ description: "Rows that no object knew." }),
    unreadable: z.array(z.string()).openapi({
      description: "Transactions that cannot be read in their shard: their rows are left alone.",
    }),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: "Send it as `cursor` to go on; null at the end." }),
  })
  .openapi("RebuildStep");

/** A step of a rebuild for the wire. */
export function toRebuildBody(step: {
  readonly part: string;
  readonly shard: number | null;
  readonly shards: number;
  readonly checked: number;
  readonly written: number;
  readonly removed: number;
  readonly unreadable: readonly string[];
  readonly nextCursor: string | null;
}): z.infer<typeof RebuildBody> {
  const { nextCursor, unreadable, ...rest } = step;
  return { ...rest, unreadable: [...unreadable], next_cursor: nextCursor };
}
