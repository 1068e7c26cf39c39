import { type LedgerError, refusal } from "../domain/error";
import { err, ok, type Result } from "../domain/result";
import { traceOf } from "../domain/thrown";
import type { Reply } from "../durable/journal/protocol";

const isOverloaded = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;

/** An object that the platform finds overloaded is given this long, in seconds. */
const OVERLOADED_SECONDS = 2;

/** What a client is told when a call threw: its outcome is not known, and asking again finds out. */
function told(error: unknown): LedgerError {
  // The platform turns a call away before it arrives, as a rule; that it never does otherwise is not promised.
  if (isOverloaded(error)) return { ...unknown, retryAfterSeconds: OVERLOADED_SECONDS };
  console.error(JSON.stringify({ event: "ledger.in_trouble", error: traceOf(error) }));
  return unknown;
}

const unknown = refusal(
  "GEN_OUTCOME_UNKNOWN",
  "the outcome is not known: send the same request again, it happens at most once",
);

/** The answer of a call to the ledger's objects. Thrown means unknown, never no (503, to be sent again). */
export async function outcomeOf<T>(call: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await call);
  } catch (error) {
    return err(told(error));
  }
}

/** The same for a call that answers a reply of the journal. */
export async function replyOf<T>(call: Promise<Reply<T>>): Promise<Reply<T>> {
  try {
    return await call;
  } catch (error) {
    return { ...err(told(error)), replayed: false };
  }
}
