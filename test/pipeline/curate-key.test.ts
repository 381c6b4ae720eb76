// An entity table whose contract has another key now, over rows that came under the former one.

import { afterEach, expect, it } from 'vitest'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { keyedPlan } from './curate-standin.ts'
import { type CuratedBench, openCurated } from './curated.ts'

let open: CuratedBench | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const former = keyedPlan('orders', { mode: 'merge' })
const later = {
  ...keyedPlan('orders', { mode: 'merge' }, { required: ['day'], version: '2.0.0' }),
  primaryKey: ['day'],
}
const [monday, tuesday] = ['2026-01-05', '2026-01-06']

it.each([
  ['no value in it', [{ k: 'x', day: '', amount: 1 }]],
  [
    'the same as another one of their file',
    [
      { k: 'x', day: monday, amount: 1 },
      { k: 'y', day: monday, amount: 2 },
    ],
  ],
])('is not made while rows have %s, and then is', async (_, rows) => {
  open = await openCurated([former])
  await open.drop('orders/a.csv', rows)
  await open.drop('orders/b.csv', [{ k: 'z', day: tuesday, amount: 3 }])
  await curate(open.context)
  const before = await open.rows('SELECT k, day FROM curated.orders ORDER BY k')
  const next = await open.with([later])
  const [refused] = await curate(next)
  expect(refused?.run?.reason).toEqual({
    code: 'schema_change',
    message: expect.stringMatching(
      /^curated\.orders cannot have the key day yet: .* \(1 case\)\. Nothing was touched\.$/,
    ),
    advice: expect.stringMatching(/weir replay --dataset orders$/),
  })
  expect(await open.rows('SELECT k, day FROM curated.orders ORDER BY k')).toEqual(before)
  await open.drop('orders/a.csv', [{ k: 'x', day: monday, amount: 1 }])
  expect(await curate(next)).toMatchObject([{ outcome: 'published', why: 'its contract has a new major version' }])
  expect(await open.rows('SELECT k, day FROM curated.orders ORDER BY k')).toEqual([
    ['x', monday],
    ['z', tuesday],
  ])
})

it('is not made for the first time while rows that came without a key are there', async () => {
  open = await openCurated([
    { ...former, settings: { ...former.settings, curated: { ...former.settings.curated, mode: 'none' as const } } },
  ])
  await open.drop('orders/a.csv', [{ k: 'x', day: '', amount: 1 }])
  await open.drop('orders/b.csv', [{ k: 'z', day: tuesday, amount: 3 }])
  const next = await open.with([later])
  expect(await curate(next)).toMatchObject([
    { outcome: 'failed', run: { reason: { code: 'schema_change', message: expect.stringContaining('(1 case)') } } },
  ])
  await open.drop('orders/a.csv', [{ k: 'x', day: monday, amount: 1 }])
  expect(await curate(next)).toMatchObject([{ outcome: 'published', why: 'there is no table yet' }])
})
