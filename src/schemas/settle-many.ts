import { z } from "@hono/zod-openapi";
import type { SettledItem } from "../domain/bulk-settlement";
import { bodyOf, wireDecimalText } from "./common";
import { minorUnits } from "./transaction";

const skipQueue = z.boolean().optional();
const dryRun = z.boolean().optional();

/** The body of `POST /transactions/inflight/bulk/commit`. */
export const CommitManyRequest = bodyOf({
  transactions: z
    .array(
      bodyOf({
        transaction_id: z.string().optional(),
        amount: wireDecimalText
          .optional()
          .openapi({ description: "Major units; 0 or absent is all that remains." }),
        precise_amount: minorUnits.optional(),
      }),
    )
    .optional(),
  skip_queue: skipQueue,
  dry_run: dryRun,
}).openapi("CommitManyRequest");

/** The body of `POST /transactions/inflight/bulk/void`. */
export const VoidManyRequest = bodyOf({
  transaction_ids: z.array(z.string()).optional(),
  skip_queue: skipQueue,
  dry_run: dryRun,
}).openapi("VoidManyRequest");

/** What became of many commits or voids. */
export const SettledManyBody = z
  .object({
    succeeded: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    results: z.array(
      z.object({
        transaction_id: z.string(),
        status: z.enum(["queued", "succeeded", "failed"]),
        code: z
          .enum([
            "QUEUED",
            "ALREADY_QUEUED",
            "NOT_FOUND",
            "ALREADY_COMMITTED",
            "ALREADY_VOIDED",
            "NOT_INFLIGHT",
            "INVALID_AMOUNT",
            "LOCKED",
            "INTERNAL_ERROR",
          ])
          .optional(),
        message: z.string().optional(),
      }),
    ),
  })
  .openapi("SettledMany");

export type SettledManyBody = z.output<typeof SettledManyBody>;

/** The results for the wire, counted; what waits in the queue counts as a success (contract/transactions.md section 7.6). */
export function toSettledManyBody(items: readonly SettledItem[]): SettledManyBody {
  const failed = items.filter(({ status }) => status === "failed").length;
  return {
    succeeded: items.length - failed,
    failed,
    results: items.map(({ id, status, code, message }) => ({
      transaction_id: id,
      status,
      ...(code === "" ? {} : { code }),
      ...(message === "" ? {} : { message }),
    })),
  };
}
