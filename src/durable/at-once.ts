/** Calls for every element, at most `limit` of them under way at once; the results in order. The first to throw ends it. */
export async function atOnce<T, R>(
  limit: number,
  list: readonly T[],
  call: (each: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const entries = list.entries();
  const worker = async (): Promise<void> => {
    for (const [index, each] of entries) results[index] = await call(each);
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, worker));
  return results;
}
