// The curated zone on the embedded lake, with real Parquet and the real DuckDB: what readers find after drops, corrections,
// retractions, changed contracts and failed tests.

import { afterEach, describe, expect, it } from 'vitest'
import type { Lake } from '../../lib/lake/ports.ts'
import { readTableState } from '../../lib/lake/table-state.ts'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { curateTable } from '../../lib/pipeline/curate/run.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { keyedPlan } from './curate-standin.ts'
import { type CuratedBench, openCurated } from './curated.ts'

let bench: CuratedBench
const open = async (...how: Parameters<typeof openCurated>): Promise<CuratedBench> => {
  bench = await openCurated(...how)
  return bench
}
afterEach(() => bench.close())

const row = (k: string, amount: number, day = '2026-01-01') => ({ k, day, amount })
const ALL = 'SELECT k, amount FROM curated.orders ORDER BY k, amount'
const merge = keyedPlan('orders', { mode: 'merge' })
const append = keyedPlan('orders', { mode: 'append' })

describe('an entity table that is merged', () => {
  it('has the newest row of each key, whatever the order in which files were taken in', async () => {
    const { drop, rows, context } = await open([merge])
    await drop('orders/a.csv', [row('x', 1), row('y', 1)])
    expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'published', run: { scope: 'full' } })
    await drop('orders/b.csv', [row('y', 2), row('z', 2)])
    expect(await curateTable(context, 'orders')).toMatchObject({
      outcome: 'published',
      why: '1 upload came, 0 uploads left',
      run: { scope: 'change', rows: { written: 2, removed: 0, total: 3 }, uploads: { came: 1, left: 0 } },
    })
    expect(await rows(ALL)).toEqual([
      ['x', '1'],
      ['y', '2'],
      ['z', '2'],
    ])
    // An older file that is taken in late changes only what nobody newer has.
    await drop('orders/late.csv', [row('x', 9), row('y', 9), row('v', 9)], 60)
    expect(await curateTable(context, 'orders')).toMatchObject({ run: { rows: { written: 1, removed: 0, total: 4 } } })
    expect(await rows(ALL)).toEqual([
      ['v', '9'],
      ['x', '1'],
      ['y', '2'],
      ['z', '2'],
    ])
    expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'nothing' })
  })

  it('follows a replaced source: keys it no longer has fall back to the newest other source, or go', async () => {
    const { drop, rows, context } = await open([merge])
    await drop('orders/a.csv', [row('x', 1), row('y', 1)])
    await drop('orders/b.csv', [row('x', 2), row('w', 2)])
    await curate(context)
    await drop('orders/b.csv', [row('z', 3)])
    expect(await curate(context)).toMatchObject([
      { outcome: 'published', run: { scope: 'change', rows: { written: 2, removed: 1, total: 3 } } },
    ])
    expect(await rows(ALL)).toEqual([
      ['x', '1'],
      ['y', '1'],
      ['z', '3'],
    ])
  })

  it('follows a retraction in one version', async () => {
    const { drop, rows, context } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    await drop('orders/b.csv', [row('x', 2), row('y', 2)])
    await curate(context)
    await retract(context, 'orders/b.csv')
    await curate(context)
    expect(await rows(ALL)).toEqual([['x', '1']])
    await retract(context, 'orders/a.csv')
    await curate(context)
    expect(await rows(ALL)).toEqual([])
  })

  it('keeps the row of a newer source when an older one changes place', async () => {
    const { drop, rows, context } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    await drop('orders/b.csv', [row('x', 2)])
    // Only b is known to the table so far; a comes to it later, and is older.
    await retract(context, 'orders/a.csv')
    await curate(context)
    await drop('orders/c.csv', [row('x', 3)])
    await curate(context)
    await retract(context, 'orders/c.csv')
    await curate(context)
    expect(await rows(ALL)).toEqual([['x', '2']])
  })

  it('takes many uploads in at once', async () => {
    const { drop, rows, context, runs } = await open([merge])
    for (let n = 0; n < 5; n++) await drop(`orders/${n}.csv`, [row('x', n), row(`k${n}`, n)])
    await curate(context)
    expect(runs).toHaveLength(1)
    expect(await rows("SELECT count(*), max(amount) FILTER (WHERE k = 'x') FROM curated.orders")).toEqual([['6', '4']])
  })
})

describe('an entity table that adds up', () => {
  it('has all rows of all sources, and follows them', async () => {
    const { drop, rows, context } = await open([append])
    await drop('orders/a.csv', [row('x', 1), row('x', 1)])
    await drop('orders/b.csv', [row('x', 2)])
    await curate(context)
    expect(await rows(ALL)).toEqual([
      ['x', '1'],
      ['x', '1'],
      ['x', '2'],
    ])
    await drop('orders/a.csv', [row('x', 3)])
    await curate(context)
    expect(await rows(ALL)).toEqual([
      ['x', '2'],
      ['x', '3'],
    ])
    await retract(context, 'orders/b.csv')
    expect(await curate(context)).toMatchObject([{ run: { rows: { written: 0, removed: 1, total: 1 } } }])
  })
})

describe('a clean table whose catalog tells of files with types of an older contract', () => {
  it('is not read until they came again', async () => {
    const { drop, rows, context: right, lake } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    let mistyped = ['a.csv-0', 'b.csv-0', 'c.csv-0', 'd.csv-0']
    const catalog: Lake['catalog'] = Object.assign(Object.create(lake.catalog), {
      async *listMistyped() {
        for (const source of mistyped)
          yield { values: ['2026-01-01', source], column: 'amount', type: 'decimal(9,4)', wanted: 'decimal(8,2)' }
      },
    })
    const context = { ...right, lake: { ...lake, catalog } }
    const [refused] = await curate(context)
    expect(refused).toMatchObject({ outcome: 'failed', run: { reason: { code: 'schema_change' } } })
    expect(refused?.run?.reason).toMatchObject({
      message:
        "clean.orders has files from an older contract whose types are not today's: amount is decimal(8,2), and decimal(9,4) there (a.csv-0, b.csv-0, c.csv-0 and 1 more). Their values would be read as others. Nothing was touched.",
      advice: expect.stringContaining('weir replay --dataset orders.'),
    })
    mistyped = []
    expect(await curate(context, { retryFailed: true })).toMatchObject([{ outcome: 'published' }])
    // What follows reads what came since: that need not be looked at again.
    mistyped = ['z.csv-0']
    await drop('orders/b.csv', [row('y', 1)])
    expect(await curate(context)).toMatchObject([{ outcome: 'published', run: { scope: 'change' } }])
    expect(await rows(ALL)).toHaveLength(2)
    expect(await curate(context, { full: true })).toMatchObject([{ outcome: 'failed' }])
    expect(await rows(ALL)).toHaveLength(2)
  })
})

describe('a table of more uploads than a statement can name', () => {
  /** The lake, with 2,501 sources more whose rows nobody needs, so that they cannot be named. */
  const crowded = (lake: Lake): Lake => ({
    ...lake,
    catalog: Object.assign(Object.create(lake.catalog), {
      async *listPartitions(table: string) {
        yield* lake.catalog.listPartitions(table)
        for (let n = 0; n < 2501; n++)
          yield { values: ['2026-01-01', `s${n}`], location: `orders/upload=20251231T000000000Z-${n}/0/` }
      },
    }),
  })

  it.each([
    ['adds up', append],
    ['is merged', merge],
  ])('that %s takes in once what comes and goes while it is made', async (_, plan) => {
    const { drop, rows, context: quiet, lake } = await open([plan])
    await drop('orders/a.csv', [row('x', 1), row('y', 1)])
    const full = crowded(lake)
    const context = { ...quiet, lake: full }
    // As on Athena, where it is publishing that reads clean.
    const tables: Lake['tables'] = Object.assign(Object.create(lake.tables), {
      stage: async (job: Parameters<Lake['tables']['stage']>[0]) => ({
        job,
        preview: '',
        rows: { written: null, removed: null, total: null },
        statements: [],
      }),
      async publish(...[{ job }, options]: Parameters<Lake['tables']['publish']>) {
        await drop('orders/a.csv', [row('x', 2)])
        await drop('orders/b.csv', [row('z', 2)])
        return await lake.tables.publish(await lake.tables.stage(job, options), options)
      },
    })
    await curateTable({ ...context, lake: { ...full, tables } }, 'orders')
    expect((await readTableState(lake.zones.ops, 'orders'))?.state.suspects).toHaveLength(3)
    await retract(context, 'orders/b.csv')
    expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'published', run: { scope: 'change' } })
    expect(await rows(ALL)).toEqual([['x', '2']])
    expect((await readTableState(lake.zones.ops, 'orders'))?.state.suspects).toEqual([])
    expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'nothing' })
  })
})

describe('a contract that changes', () => {
  const wider = { types: { amount: 'BIGINT' }, version: '1.1.0' }
  const narrow = keyedPlan('orders', { mode: 'merge' }, { types: { amount: 'INTEGER' } })

  it('adds a column that may be empty, and widens a type, without touching the rows', async () => {
    const { drop, rows, context, with: using } = await open([narrow])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const next = await using([keyedPlan('orders', { mode: 'merge' }, { types: { amount: 'BIGINT', note: 'VARCHAR' } })])
    expect(await curate(next)).toMatchObject([{ outcome: 'published', run: { scope: 'change' } }])
    expect(await rows('SELECT k, amount, note FROM curated.orders')).toEqual([['x', '1', null]])
    expect(await rows('DESCRIBE curated.orders')).toContainEqual(['amount', 'bigint', 'The line.'])
    // What follows the table cannot tell which of its rows look different now.
    expect((await readTableState(bench.lake.zones.ops, 'orders'))?.state.version?.change).toBeNull()
  })

  it('is refused before anything is touched when rows would not fit, once', async () => {
    const { drop, rows, context, with: using, runs } = await open([keyedPlan('orders', { mode: 'merge' }, wider)])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const next = await using([narrow])
    expect(await curate(next)).toMatchObject([
      {
        outcome: 'failed',
        run: {
          reason: {
            code: 'schema_change',
            message:
              'curated.orders cannot follow its contract orders.yaml: the column amount becomes INTEGER, and is BIGINT. Nothing was touched. Give the contract a new major version (2.0.0), and the table is made anew; or take the change back.',
          },
        },
      },
    ])
    expect(await curate(next)).toMatchObject([{ outcome: 'nothing', run: { outcome: 'failed' } }])
    expect(runs.map(({ outcome }) => outcome)).toEqual(['published', 'failed'])
    expect(await rows(ALL)).toEqual([['x', '1']])
  })

  it('makes the table anew with a new major version', async () => {
    const { drop, rows, context, with: using } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const next = await using([keyedPlan('orders', { mode: 'append' }, { version: '2.0.0' })])
    expect(await curate(next)).toMatchObject([
      { outcome: 'published', why: 'its contract has a new major version', run: { scope: 'full' } },
    ])
    expect((await readTableState(bench.lake.zones.ops, 'orders'))?.state).toMatchObject({ key: [], major: 2 })
    expect(await rows(ALL)).toEqual([['x', '1']])
  })

  it('refuses a new column that must not be empty, and another key', async () => {
    const { drop, context, with: using } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const required = keyedPlan('orders', { mode: 'merge' }, { types: { note: 'VARCHAR' }, required: ['note'] })
    expect((await curate(await using([required])))[0]?.run?.reason?.message).toContain(
      'the column note is new and required, and the rows that are there have none',
    )
    expect((await curate(await using([append])))[0]?.run?.reason?.message).toContain(
      'its mode becomes append, and is merge: its key becomes none, and is k',
    )
  })

  it('names both modes, for a table that adds up as well', async () => {
    const { drop, context, with: using } = await open([append])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    expect((await curate(await using([merge])))[0]?.run?.reason?.message).toContain(
      'its mode becomes merge, and is append: its key becomes k, and is none',
    )
  })
})

const DAILY = `/*---
description: Orders per day.
materialized: incremental
uniqueKey: [day]
tests:
  - not_null: day
---*/
SELECT day, count(*) AS orders, sum(amount) AS total FROM curated.orders GROUP BY day
`
const TOP = `/*---
description: The best day.
materialized: table
tests:
  - sql: SELECT day FROM curated.best_day WHERE total < 0
    name: no_losses
---*/
SELECT day, total FROM curated.daily ORDER BY total DESC, day LIMIT 1
`

describe('models', () => {
  it('are made in order, follow what changed, and only then', async () => {
    const { drop, rows, context, runs } = await open([merge], { daily: DAILY, best_day: TOP })
    await drop('orders/a.csv', [row('x', 1), row('y', 2, '2026-01-02')])
    expect((await curate(context)).map(({ table, outcome }) => `${table} ${outcome}`)).toEqual([
      'orders published',
      'daily published',
      'best_day published',
    ])
    expect(await rows('SELECT * FROM curated.best_day')).toEqual([['2026-01-02', '2']])
    await drop('orders/b.csv', [row('x', 7)])
    await curate(context, { datasets: ['orders'] })
    expect(runs.at(-2)).toMatchObject({ table: 'daily', scope: 'change', rows: { written: 1, removed: 0, total: 2 } })
    expect(await rows('SELECT day, orders, total FROM curated.daily ORDER BY day')).toEqual([
      ['2026-01-01', '1', '7'],
      ['2026-01-02', '1', '2'],
    ])
    expect(await rows('SELECT * FROM curated.best_day')).toEqual([['2026-01-01', '7']])
    const before = runs.length
    expect((await curate(context)).every(({ outcome }) => outcome === 'nothing')).toBe(true)
    expect(runs).toHaveLength(before)
    // A day that nobody has any more goes.
    await drop('orders/a.csv', [row('y', 2)])
    await curate(context)
    expect(await rows('SELECT day, orders, total FROM curated.daily ORDER BY day')).toEqual([['2026-01-01', '2', '9']])
  })

  it('keep their last good table when their tests fail, and are not tried again until something changes', async () => {
    const { drop, rows, context, runs } = await open([merge], { daily: DAILY, best_day: TOP })
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    await drop('orders/b.csv', [row('x', -5)])
    expect((await curate(context)).at(-1)).toMatchObject({
      table: 'best_day',
      outcome: 'failed_tests',
      run: {
        tests: [{ test: 'no_losses', passed: false, failures: 1, samples: ['{"day":"2026-01-01"}'] }],
        reason: { message: expect.stringContaining('Readers keep the version before.') },
      },
    })
    expect(await rows('SELECT * FROM curated.best_day')).toEqual([['2026-01-01', '1']])
    const before = runs.length
    expect((await curate(context)).at(-1)).toMatchObject({ outcome: 'nothing', run: { outcome: 'failed_tests' } })
    expect(runs).toHaveLength(before)
    expect((await curate(context, { tables: ['best_day'], retryFailed: true })).at(-1)).toMatchObject({
      outcome: 'failed_tests',
    })
    await drop('orders/c.csv', [row('x', 3)])
    expect((await curate(context)).at(-1)).toMatchObject({ table: 'best_day', outcome: 'published' })
    expect(await rows('SELECT * FROM curated.best_day')).toEqual([['2026-01-01', '3']])
  })

  it('that cannot run say why, and the others go on', async () => {
    const bad = `/*---
description: Divides.
materialized: table
---*/
SELECT k, 10 / amount AS share FROM curated.orders
`
    const { drop, context } = await open([merge], { daily: DAILY, share: bad })
    await drop('orders/a.csv', [row('x', 0)])
    const results = await curate(context)
    const byName = new Map(results.map((result) => [result.table, result]))
    expect(byName.get('daily')).toMatchObject({ outcome: 'published' })
    expect(byName.get('share')).toMatchObject({
      outcome: 'failed',
      run: { reason: { code: 'query_failed', message: expect.stringContaining('Division by zero') } },
    })
  })

  it('wait for what they read, and have it made first', async () => {
    const { drop, context } = await open([merge], { daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    expect(await curateTable(context, 'daily')).toMatchObject({
      outcome: 'waiting',
      why: 'curated.orders is not there yet',
      dependents: ['orders'],
    })
    expect((await curate(context, { tables: ['daily'] })).map(({ table }) => table)).toEqual(['orders', 'daily'])
  })

  it('are made anew as asked, and when their text changes', async () => {
    const { drop, rows, context, with: using } = await open([merge], { daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    expect(await curate(context, { tables: ['daily'], full: true })).toMatchObject([
      { outcome: 'published', run: { scope: 'full' } },
    ])
    const next = await using([merge], { daily: DAILY.replace('sum(amount)', 'sum(amount) * 2') })
    expect((await curate(next)).at(-1)).toMatchObject({ why: 'the model has changed', run: { scope: 'full' } })
    expect(await rows('SELECT total FROM curated.daily')).toEqual([['2']])
  })

  it('say whether they or what they read has changed', async () => {
    const view = '/*---\nmaterialized: view\n---*/\nSELECT * FROM curated.orders'
    const { drop, context, with: using } = await open([merge], { seen: view })
    const why = async (context: Parameters<typeof curate>[0]) => (await curate(context)).at(-1)?.why
    await drop('orders/a.csv', [row('x', 1)])
    expect(await why(context)).toBe('there is no view yet')
    await drop('orders/b.csv', [row('y', 1)])
    expect(await why(context)).toBe('curated.orders has changed')
    const wider = keyedPlan('orders', { mode: 'merge' }, { types: { note: 'VARCHAR' } })
    expect(await why(await using([wider], { seen: view }))).toBe('the columns of what it reads have changed')
    expect(await why(await using([wider], { seen: view.replace('SELECT *', 'SELECT k') }))).toBe(
      'the model has changed',
    )
  })
})
