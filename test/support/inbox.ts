import { EVENTS_PATH, RECEIVER, type Received } from "./receiver";

const PATIENCE_MS = 20_000;
const ASK_EVERY_MS = 50;

/** What the tests' receiver got at a path so far, oldest first. */
export async function receivedAt(path: string): Promise<readonly Received[]> {
  const answer = await fetch(`${RECEIVER}${path}`);
  return answer.json<Received[]>();
}

/** The events that contain a text, as soon as there are as many as wanted. Throws when they don't come in time. */
export async function eventsWith(text: string, count: number): Promise<readonly Received[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = (await receivedAt(EVENTS_PATH)).filter(({ body }) => body.includes(text));
    if (found.length >= count) return found;
    if (Date.now() > deadline) throw new Error(`${found.length} of ${count} events with ${text}`);
    await scheduler.wait(ASK_EVERY_MS);
  }
}
