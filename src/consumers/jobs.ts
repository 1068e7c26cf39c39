import { reasonOf } from "../domain/thrown";
import { type JobMessage, jobMessage } from "../queues/jobs";
import { log } from "./log";
import { retryDelaySeconds } from "./retry-delay";

/** What the consumer of the queue `jobs` needs. */
export interface JobsContext {
  /** Does a job, or goes on with it. Repeatable; throws when it could not be done now. */
  doJob(job: JobMessage): Promise<void>;
}

/** Does long work. What fails comes again; what nobody understands ends in the dead-letter queue. */
export async function consumeJobs(batch: MessageBatch, context: JobsContext): Promise<void> {
  for (const message of batch.messages) {
    const parsed = jobMessage.safeParse(message.body);
    try {
      if (!parsed.success) throw new Error("the job is not understood");
      await context.doJob(parsed.data);
      message.ack();
    } catch (error) {
      log("job.failed", { message_id: message.id, reason: reasonOf(error) });
      message.retry({ delaySeconds: retryDelaySeconds(message.attempts, Math.random()) });
    }
  }
}
