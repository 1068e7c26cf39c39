import { EVENTS_PATH, RECEIVER, type Received } from "./receiver";
import { until } from "./until";

/** What the tests' receiver got at a path so far, oldest first. */
export const receivedAt = (path: string): Promise<readonly Received[]> => ask(path);

const ask = async <T>(question: string): Promise<T> =>
  (await fetch(`${RECEIVER}${question}`)).json<T>();

/** Events that came before these tests: all files of a run share the receiver, and some send thousands. */
const before = await ask<number>(`${EVENTS_PATH}?count`);
const events: Received[] = [];

/** The events that came since these tests began, oldest first. */
export async function eventsSoFar(): Promise<readonly Received[]> {
  const known = events.length;
  const news = await receivedAt(`${EVENTS_PATH}?after=${before + known}`);
  // Others may have asked meanwhile.
  for (const [index, each] of news.entries()) events[known + index] = each;
  return events;
}

/** The events that contain a text, as soon as there are as many as wanted. Throws when they don't come in time. */
export async function eventsWith(text: string, count: number): Promise<readonly Received[]> {
  return until(
    async () => (await eventsSoFar()).filter(({ body }) => body.includes(text)),
    (found) => found.length >= count,
    (found) => `${found.length} of ${count} events with ${text}`,
  );
}
