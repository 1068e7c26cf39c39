/** Thrown when a drive outlasts the patience of a request: the row lives on, its outcome is not known yet. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}

/** The value of a promise, or `OutcomeUnknown` when it takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new OutcomeUnknown("the outcome is not known yet")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
