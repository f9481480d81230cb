/**
 * Does work on every item, a few at one time, begun in their order. When one fails, no other is begun.
 *
 * @param atOnce at least 1.
 * @returns the results in the order of the items.
 * @throws what the earliest item that failed threw, when all that had begun has ended.
 */
export async function mapInOrder<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures = new Map<number, unknown>();
  let next = 0;
  const lane = async () => {
    while (next < items.length && failures.size === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        failures.set(index, error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  return results;
}
