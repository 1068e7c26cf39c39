const ATTEMPTS = 4;
const FIRST_WAIT_MS = 25;

const isOverloaded = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;

/**
 * Makes a repeatable call until it is answered, a few times with growing waits: a thrown call may or may not have
 * happened. `stub` is made anew for each attempt. Throws the last error; overload at once.
 */
export async function patiently<S, T>(stub: () => S, call: (stub: S) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(stub());
    } catch (error) {
      if (attempt === ATTEMPTS || isOverloaded(error)) throw error;
      const wait = FIRST_WAIT_MS * 4 ** (attempt - 1) * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

const LONGEST_WAIT_MS = 5_000;

/**
 * Makes a repeatable call until it is answered, however long it takes: for what has been decided and must happen.
 * Never throws.
 */
export async function persistently<S, T>(stub: () => S, call: (stub: S) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(stub());
    } catch {
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    }
  }
}
