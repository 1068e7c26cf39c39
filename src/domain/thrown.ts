const MESSAGE_MAX = 1_000;
const FRAMES_MAX = 3_000;

/** What a thrown thing says about itself, for the log: bounded, and without the values of a database statement. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return bounded(String(error));
  const { cause } = error;
  const reason = bounded(withoutValues(error.message));
  return cause instanceof Error ? `${reason} (${reasonOfCause(cause)})` : reason;
}

/** The same, and where it was thrown. */
export function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return reasonOf(error);
  return `${error.name}: ${reasonOf(error)}${framesOf(error)}`;
}

const reasonOfCause = (cause: Error): string => bounded(withoutValues(cause.message));

/** Drizzle writes the statement, and after it all values that were given to it. */
const withoutValues = (message: string): string => {
  const values = message.indexOf("\nparams: ");
  return values < 0 ? message : message.slice(0, values);
};

const bounded = (text: string): string =>
  text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}…` : text;

/** A stack without its head, which is the message once more. */
function framesOf({ message, stack = "" }: Error): string {
  const head = stack.indexOf(message);
  return head < 0 ? "" : stack.slice(head + message.length).slice(0, FRAMES_MAX);
}
