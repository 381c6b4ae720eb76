// Models in the face of contracts and tables that change under them.

import { afterEach, expect, it } from 'vitest'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { curateTable } from '../../lib/pipeline/curate/run.ts'
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

it('a model that failed its tests is tried again when a table that only its tests look at has changed, and else left alone', async () => {
  const plans = ['orders', 'keys', 'days'].map((dataset) => keyedPlan(dataset, { mode: 'merge' }))
  const KNOWN = `/*---
description: Days that are known.
materialized: view
---*/
SELECT day FROM curated.days
`
  const CHECKED = `/*---
description: Orders whose key is known.
materialized: table
tests:
  - relationships: { column: k, to: curated.keys.k }
  - sql: SELECT day FROM curated.checked WHERE day NOT IN (SELECT day FROM curated.known_days)
---*/
SELECT k, day FROM curated.orders
`
  const texts = { checked: CHECKED, known_days: KNOWN }
  open = await openCurated(plans, texts)
  const { context, drop, rows } = open
  const [checked] = context.models.filter(({ name }) => name === 'checked')
  expect(checked).toMatchObject({
    reads: ['curated.orders'],
    testReads: ['curated.days', 'curated.keys', 'curated.known_days'],
  })
  await drop('orders/a.csv', [{ k: 'x', day: '2026-01-01', amount: 1 }])
  expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'published', dependents: ['checked'] })
  // What its tests look at is there before it.
  const first = await curateTable(context, 'checked')
  expect(first).toMatchObject({
    outcome: 'waiting',
    why: 'curated.days, curated.keys, curated.known_days are not there yet',
    dependents: ['days', 'keys', 'known_days'],
  })
  await drop('keys/a.csv', [{ k: 'y', day: '2026-01-01', amount: 1 }])
  await drop('days/a.csv', [{ k: 'a', day: '2026-01-01', amount: 1 }])
  expect((await curate(context, { tables: ['checked'] })).at(-1)).toMatchObject({
    table: 'checked',
    outcome: 'failed_tests',
  })
  expect(await curateTable(context, 'checked')).toMatchObject({
    outcome: 'nothing',
    why: expect.stringContaining('failed'),
  })
  await drop('keys/b.csv', [{ k: 'x', day: '2026-01-01', amount: 1 }])
  // As the queue of a deployed lake goes on: from each table to what it concerns.
  expect(await curateTable(context, 'keys')).toMatchObject({ outcome: 'published', dependents: ['checked'] })
  expect(await curateTable(context, 'checked')).toMatchObject({ outcome: 'published' })
  expect(await rows('SELECT k FROM curated.checked')).toEqual([['x']])
  // Its rows are as its tests found them, whatever becomes of the other table.
  await drop('keys/b.csv', [{ k: 'z', day: '2026-01-01', amount: 1 }])
  expect((await curate(context)).at(-1)).toMatchObject({ table: 'checked', outcome: 'nothing' })
  // Of a view the tables behind it count.
  await drop('orders/b.csv', [{ k: 'z', day: '2026-01-09', amount: 1 }])
  await drop('orders/a.csv', [{ k: 'y', day: '2026-01-09', amount: 1 }])
  expect((await curate(context, { datasets: ['orders'] })).at(-1)).toMatchObject({ outcome: 'failed_tests' })
  await drop('days/b.csv', [{ k: 'b', day: '2026-01-09', amount: 1 }])
  expect((await curate(context, { datasets: ['days'] })).at(-1)).toMatchObject({
    table: 'checked',
    outcome: 'published',
  })
})
