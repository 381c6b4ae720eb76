// Does something for every item of a stream, a few at a time, holding no more of the stream than that.

/** Rejects with the first failure, after all that had begun has ended. */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  most: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  try {
    for await (const item of items) {
      const one = run(item)
        .catch((error) => {
          failure ??= { error }
        })
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= most) await Promise.race(running)
      if (failure) break
    }
  } catch (error) {
    // The stream itself failed: whoever is told may close what the others still work on.
    failure ??= { error }
  }
  await Promise.all(running)
  if (failure) throw failure.error
}
