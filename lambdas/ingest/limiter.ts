// Lets a few tasks run at the same time; the others wait their turn.

export function limiter(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      // The place goes to the next one as it is, so nobody can come between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
