import { drizzle } from "drizzle-orm/d1";
import { deadLetters } from "./tables";

/** A queue message that no consumer could do. */
export interface StoredLetter {
  readonly messageId: string;
  readonly queue: string;
  /** JSON text. */
  readonly body: string;
  readonly sentAt: string;
}

/** Keeps messages for people to look at; one that is kept already stays as it is. */
export async function keepLetters(
  d1: D1Database,
  instanceId: string,
  letters: readonly StoredLetter[],
): Promise<void> {
  const db = drizzle(d1);
  const [first, ...rest] = letters.map((letter) =>
    db
      .insert(deadLetters)
      .values({ instanceId, ...letter })
      .onConflictDoNothing(),
  );
  if (first !== undefined) await db.batch([first, ...rest]);
}
