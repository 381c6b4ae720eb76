// Dropping tables that nothing makes any more: after a crash, beside a run, and on a lake whose runs go on elsewhere.

import { afterEach, expect, it } from 'vitest'
import { runKey, tableStateKey } from '../../lib/lake/keys.ts'
import { parseModels } from '../../lib/lake/models/read.ts'
import type { CuratedTables } from '../../lib/lake/ports.ts'
import { readTableState, writeTableState } from '../../lib/lake/table-state.ts'
import type { CurateContext } from '../../lib/pipeline/curate/context.ts'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { leftOutOf } from '../../lib/pipeline/curate/left-out.ts'
import { dropTable, leftOver, tablesToDrop } from '../../lib/pipeline/curate/left-over.ts'
import { curateTable } from '../../lib/pipeline/curate/run.ts'
import { keyedPlan } from './curate-standin.ts'
import { type CuratedBench, openCurated } from './curated.ts'
import { collect } from './helpers.ts'

const TOTALS = 'SELECT day, sum(amount) AS total FROM curated.orders GROUP BY day'
const ALL = 'SELECT day, total FROM curated.totals'
const merge = keyedPlan('orders', { mode: 'merge' })

let bench: CuratedBench
afterEach(() => bench?.close())

/** A lake with the table `totals`; the `old` context has its model, the `now` one does not. */
async function open() {
  bench = await openCurated([merge], { totals: TOTALS })
  await bench.drop('orders/a.csv', [{ k: 'x', day: '2026-01-01', amount: 1 }])
  await curate(bench.context)
  return { old: bench.context, now: await bench.with([merge]), ops: bench.lake.zones.ops }
}

/** The same lake, with a part of its port of curated tables replaced. */
const withTables = (context: CurateContext, tables: Partial<CuratedTables>): CurateContext => ({
  ...context,
  lake: Object.create(context.lake, { tables: { value: { ...context.lake.tables, ...tables } } }),
})
const state = async () => (await readTableState(bench.lake.zones.ops, 'totals'))?.state
const names = async (context: CurateContext) => (await leftOver(context)).map(({ table }) => table)

it('takes a table from readers first, and can be asked again after a crash', async () => {
  const { old, now, ops } = await open()
  const drop = () => Promise.reject(new Error('the power went'))
  await expect(dropTable(withTables(now, { drop }), 'totals')).rejects.toThrow('the power went')
  await expect(bench.rows(ALL)).rejects.toThrow('There is no table curated.totals')
  expect(await leftOver(now)).toMatchObject([{ table: 'totals', kind: 'table', version: null }])

  // Whoever brings the model back instead finds the table made from the beginning.
  expect((await curate(old)).at(-1)).toMatchObject({ table: 'totals', outcome: 'published', run: { scope: 'full' } })
  expect(await bench.rows(ALL)).toEqual([['2026-01-01', '1']])

  await expect(dropTable(withTables(now, { drop }), 'totals')).rejects.toThrow('the power went')
  expect((await tablesToDrop(now, ['totals'])).map(({ table }) => table)).toEqual(['totals'])
  expect(await dropTable(now, 'totals')).toBe(true)
  expect(await names(now)).toEqual([])
  expect(await collect(bench.lake.zones.curated.list('totals/'))).toEqual([])
  expect(await ops.head(tableStateKey('totals'))).toBeUndefined()
  expect(await dropTable(now, 'totals')).toBe(false)
})

it('writes the record of the last run first, where nobody has', async () => {
  const { now, ops } = await open()
  const run = (await state())?.lastRun
  if (!run) throw new Error('there was no run')
  const key = runKey('totals', run.run)
  await ops.delete(key)
  await dropTable(now, 'totals')
  expect(await ops.head(key)).toBeDefined()
})

it('lets a run that goes on elsewhere come to its end', async () => {
  const { now, ops } = await open()
  const stored = await readTableState(ops, 'totals')
  if (!stored) throw new Error('there is no state')
  const startedAt = now.now().toISOString()
  const pending = { run: 'r1', startedAt, step: null, journal: {} }
  await writeTableState(ops, stored, { ...stored.state, pending }, now.now())
  const athena = withTables(now, { resumes: true })
  const refused = /its run r1, which began at 2026-01-01T22:01:00.000Z, is not known to have ended.*2026-01-02T02:01:00/
  await expect(tablesToDrop(athena, ['totals'])).rejects.toThrow(refused)
  await expect(dropTable(athena, 'totals')).rejects.toThrow(refused)
  expect(await bench.rows(ALL)).toHaveLength(1)
  const later = { ...athena, now: () => new Date(Date.parse(startedAt) + 4 * 3_600_000) }
  expect(await dropTable(later, 'totals')).toBe(true)
})

it('beside a run that knows the model still: the table is whole, left over again, and can be dropped', async () => {
  const { old, now } = await open()
  let once = false
  const stage: CuratedTables['stage'] = async (job, options) => {
    const staged = await old.lake.tables.stage(job, options)
    if (!once) {
      once = true
      expect(await dropTable(now, 'totals')).toBe(true)
    }
    return staged
  }
  expect(await curateTable(withTables(old, { stage }), 'totals', { full: true })).toMatchObject({
    outcome: 'published',
  })
  expect(await bench.rows(ALL)).toEqual([['2026-01-01', '1']])
  expect(await names(now)).toEqual(['totals'])
  expect(await dropTable(now, 'totals')).toBe(true)
  await expect(bench.rows(ALL)).rejects.toThrow('There is no table curated.totals')
})

it('does not take the state away of a table that was made again meanwhile', async () => {
  const { old, now } = await open()
  const drop: CuratedTables['drop'] = async (table) => {
    await now.lake.tables.drop(table)
    await curateTable(old, table)
  }
  await expect(dropTable(withTables(now, { drop }), 'totals')).rejects.toThrow(
    'Somebody made curated.totals again while it was dropped.',
  )
  expect(await bench.rows(ALL)).toEqual([['2026-01-01', '1']])
})

it('leaves a table alone that has the same name but for capitals, as on AWS they are one', async () => {
  const { old, ops } = await open()
  const stored = await readTableState(ops, 'totals')
  if (!stored) throw new Error('there is no state')
  await writeTableState(ops, undefined, { ...stored.state, table: 'Totals' }, old.now())
  expect(await names(old)).toEqual(['Totals'])
  const dropped: string[] = []
  const drop = async (table: string) => void dropped.push(table)
  expect(await dropTable(withTables(old, { drop }), 'Totals')).toBe(true)
  expect(dropped).toEqual([])
  expect(await names(old)).toEqual([])
})

it('tells the models that are left out from those that only have a namesake', () => {
  const { models } = parseModels([
    { name: 'good.sql', text: 'SELECT 1 AS x' },
    { name: 'bad.sql', text: 'SELEC' },
    { name: 'after.sql', text: 'SELECT x FROM "curated" . "bad" JOIN curated.bad_too USING (x)' },
  ])
  const issues = [
    { file: 'bad.sql', line: 1, column: 1, message: 'no' },
    { file: 'sub/good.sql', message: 'Models lie in the folder itself.' },
    { file: 'sub/bad_too.sql', message: 'Models lie in the folder itself.' },
    { file: '/lake/models', message: 'The folder cannot be read.' },
  ]
  const found = leftOutOf(models, [{ name: 'good' }], issues)
  expect(found.map(({ table, issues, behind }) => [table, issues.length, behind])).toEqual([
    ['after', 0, ['bad', 'bad_too']],
    ['bad', 1, []],
    ['bad_too', 1, []],
  ])
})

it('takes no table for left over while it is not known which models there are', async () => {
  const { now } = await open()
  expect(await names({ ...now, modelsUnread: true })).toEqual([])
  await expect(tablesToDrop({ ...now, modelsUnread: true }, ['totals'])).rejects.toThrow(
    'curated.totals was not dropped: the models cannot be read',
  )
})
