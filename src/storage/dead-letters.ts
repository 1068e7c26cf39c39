import { drizzle } from "drizzle-orm/d1";
import { deadLetters } from "./tables";

/** A queue message that no consumer could do. */
export interface StoredLetter {
  /** "" when the message does not say whose it is. */
  readonly instanceId: string;
  /** Its id in the queue: keeping it twice keeps it once. */
  readonly messageId: string;
  readonly queue: string;
  /** JSON text. */
  readonly body: string;
  /** RFC 3339. */
  readonly sentAt: string;
}

/** Keeps messages for people to look at; one that is kept already stays as it is. */
export async function keepLetters(d1: D1Database, letters: readonly StoredLetter[]): Promise<void> {
  const db = drizzle(d1);
  const [first, ...rest] = letters.map((letter) =>
    db.insert(deadLetters).values(letter).onConflictDoNothing(),
  );
  if (first !== undefined) await db.batch([first, ...rest]);
}
