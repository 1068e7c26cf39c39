import { z } from "zod";
import { type BatchId, isBatchId } from "../domain/ids";

const batchId = z.custom<BatchId>((value) => typeof value === "string" && isBatchId(value));

/** Long work for outside a request. It carries names, never items: those are in the shard that does the work. */
export const jobMessage = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("batch"),
    instance: z.string().min(1),
    shard: z.int().nonnegative(),
    batchId,
  }),
]);

export type JobMessage = z.infer<typeof jobMessage>;

/** Asks for a job to be done. Asking again changes nothing: the work knows how far it is. */
export async function sendJob(queue: Queue<JobMessage>, job: JobMessage): Promise<void> {
  await queue.send(job);
}
