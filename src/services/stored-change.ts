import { refusal } from "../domain/error";
import { err, ok, type Result } from "../domain/result";

/** Each round at least one of the writers gets through, so this is how many may write one record at once. */
const ROUNDS_MAX = 100;

/** A change of a record that others may change at the same time. */
export interface StoredChange<Stored> {
  read(): Promise<Stored | null>;
  /** The record after the change, or why it is refused. */
  change(stored: Stored): Result<Stored>;
  /** False when the record is no longer what was read. */
  write(after: Stored): Promise<boolean>;
}

/**
 * Changes a record so that no concurrent change is lost: when another was faster, it starts again from that one's result.
 * Answers the changed record, or null when there is none; `GEN_OVERLOADED` when it never gets through.
 */
export async function changeStored<Stored>({
  read,
  change,
  write,
}: StoredChange<Stored>): Promise<Result<Stored | null>> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = await read();
    if (before === null) return ok(null);
    const after = change(before);
    if (!after.ok || (await write(after.value))) return after;
  }
  return err(refusal("GEN_OVERLOADED", "too many change this record at once: send it again"));
}
