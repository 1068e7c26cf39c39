import { consumeDeadLetters, type DeadLetterContext } from "./dead-letter";

/** Nothing sends jobs yet, so whatever comes is kept for people to look at, as a message that nobody could do. */
export const consumeJobs = (batch: MessageBatch, context: DeadLetterContext): Promise<void> =>
  consumeDeadLetters(batch, context);
