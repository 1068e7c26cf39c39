import { z } from "@hono/zod-openapi";
import type { Finding } from "../domain/finding";
import { integerOut } from "./common";

export const IntegrityBody = z
  .object({
    part: z.string().openapi({ description: "Which part of the walk this was." }),
    checked: z.object({ transactions: z.int(), balances: z.int(), entries: z.int() }),
    findings: z.array(
      z
        .object({
          code: z.string().openapi({ example: "entry_altered" }),
          id: z.string().openapi({ description: "The balance, transaction or currency." }),
          store: z.enum(["balance", "journal", "d1"]),
          version: z.int().nullable().openapi({ description: "Of the entry, if it is about one." }),
          message: z.string(),
        })
        .openapi("Finding"),
    ),
    backlog: z
      .object({
        waiting: z.int().openapi({
          description: "Transactions not at their end, counted up to a hundred.",
        }),
        oldest_at: z.string().nullable(),
        oldest_seconds: z.int().nullable(),
      })
      .nullable()
      .openapi({ description: "Of a shard, when the walk comes to it." }),
    sums: z
      .array(
        z.object({
          currency: z.string(),
          sum: integerOut,
          moved: z.boolean().openapi({
            description: "Money of it moved during the walk: the sum means nothing.",
          }),
        }),
      )
      .nullable()
      .openapi({ description: "All balances of a currency together, at the end of the walk." }),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: "Send it as `cursor` to go on; null at the end of the walk." }),
  })
  .openapi("IntegrityStep");

/** What one step of a walk looked at. */
export interface Checked {
  readonly transactions: number;
  readonly balances: number;
  readonly entries: number;
}

/** The sum of all balances of a currency, in minor units. */
export interface CurrencySum {
  readonly currency: string;
  readonly sum: bigint;
  /** Whether money of it moved during the walk: then the sum means nothing. */
  readonly moved: boolean;
}

/** What a shard had still to do when the walk came by. */
export interface ShardBacklog {
  readonly waiting: number;
  readonly oldestAt: string | null;
}

/** One step of a walk over all that is stored. */
export interface IntegrityStep {
  /** Where in its walk the step was. */
  readonly part: string;
  readonly checked: Checked;
  readonly findings: readonly Finding[];
  /** At the beginning of a shard; null otherwise. */
  readonly backlog: ShardBacklog | null;
  /** At the end of the walk; null before. */
  readonly sums: readonly CurrencySum[] | null;
  /** Where the walk goes on; null at its end. */
  readonly nextCursor: string | null;
}

/** A step of the walk for the wire. */
export function toIntegrityBody(step: IntegrityStep, nowMs: number): z.infer<typeof IntegrityBody> {
  const { part, checked, findings, backlog, sums, nextCursor } = step;
  return {
    part,
    checked,
    findings: [...findings],
    backlog:
      backlog === null
        ? null
        : {
            waiting: backlog.waiting,
            oldest_at: backlog.oldestAt,
            oldest_seconds:
              backlog.oldestAt === null
                ? null
                : Math.max(0, Math.round((nowMs - Date.parse(backlog.oldestAt)) / 1000)),
          },
    sums:
      sums?.map(({ currency, sum, moved }) => ({
        currency,
        sum: JSON.rawJSON(sum.toString()),
        moved,
      })) ?? null,
    next_cursor: nextCursor,
  };
}
