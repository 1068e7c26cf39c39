import { refusal } from "../domain/error";
import { err, ok, type Result } from "../domain/result";

const isOverloaded = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;

/**
 * The answer of a call to the ledger's objects, or what the client is told when it threw. Thrown means unknown, never no:
 * the same request, sent again, finds out, and happens at most once.
 */
export async function outcomeOf<T>(call: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await call);
  } catch (error) {
    if (isOverloaded(error)) {
      return err(refusal("GEN_OVERLOADED", "too much at once: send the same request again"));
    }
    console.error({
      event: "ledger.in_trouble",
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return err(
      refusal(
        "GEN_OUTCOME_UNKNOWN",
        "the outcome is not known: send the same request again, it happens at most once",
      ),
    );
  }
}
