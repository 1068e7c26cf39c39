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

/** What one step of a rebuild did. */
export interface RebuildStep {
  readonly part: string;
  /** The shard that it was at; null where it goes through D1. */
  readonly shard: number | null;
  readonly shards: number;
  /** Rows that it compared. */
  readonly checked: number;
  /** Rows that were missing or different, and are written as the objects have them. */
  readonly written: number;
  /** Rows that no object knew, and that are gone. */
  readonly removed: number;
  /** Ids of transactions that cannot be read in their shard: their rows are left as they are. */
  readonly unreadable: readonly string[];
  /** Where the rebuild goes on; null at its end. */
  readonly nextCursor: string | null;
}

/** A step of a rebuild for the wire. */
export function toRebuildBody(step: RebuildStep): z.infer<typeof RebuildBody> {
  const { nextCursor, unreadable, ...rest } = step;
  return { ...rest, unreadable: [...unreadable], next_cursor: nextCursor };
}
