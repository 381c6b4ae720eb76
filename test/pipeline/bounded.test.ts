// A few at a time: never more, every one, and nothing still at work when it is over.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { forEachBounded } from '../../lib/pipeline/bounded.ts'

function counted() {
  const seen = { now: 0, most: 0, done: [] as number[] }
  const run = async (item: number) => {
    seen.most = Math.max(seen.most, ++seen.now)
    await sleep(1 + (item % 3))
    seen.now--
    if (item === 13) throw new Error('thirteen')
    seen.done.push(item)
  }
  return { seen, run }
}

it('does every item, so many at a time', async () => {
  const { seen, run } = counted()
  await forEachBounded([1, 2, 3, 4, 5, 6, 7], 3, run)
  expect(seen.most).toBe(3)
  expect(seen.done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
})

it('ends with the first failure, of an item or of the stream, and not before what had begun has ended', async () => {
  const { seen, run } = counted()
  await expect(forEachBounded([1, 13, 2, 3, 4, 5, 6, 7, 8], 2, run)).rejects.toThrow('thirteen')
  expect(seen.now).toBe(0)
  expect(seen.done).not.toContain(8)

  async function* breaking() {
    yield 1
    yield 2
    throw new Error('the listing broke')
  }
  await expect(forEachBounded(breaking(), 5, run)).rejects.toThrow('the listing broke')
  expect(seen.now).toBe(0)
  expect(seen.done.filter((item) => item === 2)).not.toEqual([])
})
