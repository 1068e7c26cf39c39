const ASK_EVERY_MS = 20;
const PATIENCE_MS = 20_000;

/**
 * Asks until the answer is the one that is waited for. In between it rests: the runtime looks at timers when nothing else is to
 * be done, so who asks on and on keeps the objects from their work. Throws `inVain`'s words when it does not come in
 * time.
 */
export async function until<T>(
  ask: () => Promise<T>,
  isIt: (answer: T) => boolean,
  inVain: (last: T) => string,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    if (Date.now() > deadline) throw new Error(inVain(answer));
    await scheduler.wait(ASK_EVERY_MS);
  }
}
