import { EVENTS_PATH, RECEIVER, type Received } from "./receiver";
import { until } from "./until";

/** What the tests' receiver got at a path so far, oldest first. */
export async function receivedAt(path: string): Promise<readonly Received[]> {
  const answer = await fetch(`${RECEIVER}${path}`);
  return answer.json<Received[]>();
}

/** The events that contain a text, as soon as there are as many as wanted. Throws when they don't come in time. */
export async function eventsWith(text: string, count: number): Promise<readonly Received[]> {
  return until(
    async () => (await receivedAt(EVENTS_PATH)).filter(({ body }) => body.includes(text)),
    (found) => found.length >= count,
    (found) => `${found.length} of ${count} events with ${text}`,
  );
}
