// Models in the face of contracts and tables that change under them.

import { afterEach, expect, it } from 'vitest'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { keyedPlan } from './curate-standin.ts'
import { type CuratedBench, openCurated } from './curated.ts'

let open: CuratedBench | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

const DAILY = `/*---
description: Orders of each day.
materialized: incremental
uniqueKey: day
---*/
SELECT day, count(*) AS orders FROM curated.orders GROUP BY day
`

it('an incremental model sees a row without a key that an old upload brings back, although its column is required now', async () => {
  const optional = keyedPlan('orders', { mode: 'merge' })
  const required = keyedPlan('orders', { mode: 'merge' }, { required: ['day'], version: '1.1.0' })
  open = await openCurated([optional], { daily: DAILY })
  await open.drop('orders/a.csv', [{ k: 'x', day: '', amount: 1 }])
  await open.drop('orders/b.csv', [{ k: 'x', day: '2026-01-01', amount: 2 }])
  const next = await open.with([required], { daily: DAILY })
  expect((await curate(next)).map(({ outcome }) => outcome)).toEqual(['published', 'published'])
  // The newer upload has x no more, and the row of the older one counts again.
  await open.drop('orders/b.csv', [{ k: 'y', day: '2026-01-02', amount: 3 }])
  expect((await curate(next)).at(-1)).toMatchObject({ table: 'daily', outcome: 'failed_tests' })
  expect(await open.rows('SELECT * FROM curated.daily')).toEqual([['2026-01-01', '1']])
  // … as it is when all is made anew.
  expect((await curate(next, { tables: ['daily'], full: true })).at(-1)).toMatchObject({
    outcome: 'failed',
    run: { reason: { message: expect.stringContaining('gives 1 row without a key: day is NULL') } },
  })
})
