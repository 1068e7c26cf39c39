/** What the journal's shards sent to the queues, by instance and method, oldest first. One module for tests and objects. */
const sent = new Map<string, unknown[]>();

const keyOf = (instance: string, method: string): string => `${instance} ${method}`;

/** Called by the test Worker's objects; `name` is the sender's, which starts with its instance. */
export function remember(name: string, method: string, bodies: readonly unknown[]): void {
  const key = keyOf(name.slice(0, name.indexOf("/")), method);
  const kept = sent.get(key) ?? [];
  sent.set(key, kept);
  kept.push(...bodies);
}

/** The bodies that an instance's shards handed to a queue so far. */
export const outgoing = (instance: string, method: string): readonly unknown[] =>
  sent.get(keyOf(instance, method)) ?? [];
