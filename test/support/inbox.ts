import type { Received } from "./receiver";
import { RECEIVER } from "./receiver";

/** What the tests' receiver got at a path so far, oldest first. */
export async function receivedAt(path: string): Promise<readonly Received[]> {
  const answer = await fetch(`${RECEIVER}${path}`);
  return answer.json<Received[]>();
}
