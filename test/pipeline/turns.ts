// A seeded scheduler: many async tasks, of which exactly one runs at any time. A task waits for its turn before each step;
// when all tasks wait, the seed decides who is next. So one number gives one interleaving, each time the same.

/** Small numbers from a seed (mulberry32). */
export interface Random {
  /** 0 ≤ x < 1. */
  next(): number
  below(limit: number): number
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T
}

export function randomFrom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (share) => next() < share,
    pick: <T>(from: readonly T[]): T => from[below(from.length)] as T,
  }
}

export type Turn = () => Promise<void>

/** The tasks took so many turns that they are taken to run without end. */
export class Endless extends Error {
  override name = 'Endless'

  constructor(turns: number) {
    super(`did not end within ${turns} turns`)
  }
}

/** Runs the tasks to their end, interleaved at their turns. The first failure is thrown when all have ended. */
export async function interleave(
  random: Random,
  tasks: ((turn: Turn) => Promise<void>)[],
  mostTurns: number,
): Promise<void> {
  const waiting: { task: number; go: () => void }[] = []
  let turns = 0
  let live = tasks.length
  // Fair turns hide what shows only when one worker stands still while the others go a long way: so some are slow for a
  // while, and who is slow changes now and then.
  const restless = random.pick([0, 0.01, 0.04])
  let weights = tasks.map(() => 1)
  const next = () => {
    if (live === 0 || waiting.length < live) return
    waiting.sort((a, b) => a.task - b.task)
    if (random.chance(restless)) weights = tasks.map(() => random.pick([1, 1, 0.3, 0.01]))
    let left = random.next() * waiting.reduce((sum, { task }) => sum + (weights[task] ?? 1), 0)
    let index = 0
    for (const [place, { task }] of waiting.entries()) {
      index = place
      left -= weights[task] ?? 1
      if (left < 0) break
    }
    const [chosen] = waiting.splice(index, 1)
    chosen?.go()
  }
  const running = tasks.map(async (run, task) => {
    const turn = async () => {
      if (++turns > mostTurns) throw new Endless(mostTurns)
      await new Promise<void>((go) => {
        waiting.push({ task, go })
        next()
      })
    }
    try {
      await turn()
      await run(turn)
    } finally {
      live--
      next()
    }
  })
  for (const result of await Promise.allSettled(running)) if (result.status === 'rejected') throw result.reason
}
