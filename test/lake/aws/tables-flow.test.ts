// The whole way: files are dropped, the pipeline curates, and the statements that go to Athena run in a DuckDB that stands in for it.
// What readers find must be what the rows of the files say. It is no proof of Athena; it is one that its statements fit together.

import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openAthena } from '../../../lib/lake/aws/athena.ts'
import { openAthenaTables } from '../../../lib/lake/aws/tables.ts'
import { StillRunning } from '../../../lib/lake/errors.ts'
import { tableView } from '../../../lib/lake/local/views.ts'
import type { Lake } from '../../../lib/lake/ports.ts'
import { listRunKeys } from '../../../lib/lake/runs.ts'
import { readTableState } from '../../../lib/lake/table-state.ts'
import { curate } from '../../../lib/pipeline/curate/curate.ts'
import { dropTable, tablesToDrop } from '../../../lib/pipeline/curate/left-over.ts'
import { maintainTable } from '../../../lib/pipeline/curate/maintain.ts'
import { curateTable } from '../../../lib/pipeline/curate/run.ts'
import { retract } from '../../../lib/pipeline/retract.ts'
import { keyedPlan } from '../../pipeline/curate-standin.ts'
import { type CuratedBench, openCurated } from '../../pipeline/curated.ts'
import { type FakeAthena, type Outcome, startFakeAthena } from './tables-athena.ts'

let fake: FakeAthena
let athena: AthenaClient
let glue: GlueClient
let bench: CuratedBench
let db: DuckDBConnection
let snapshots: { table: string; id: number }[]

beforeAll(async () => {
  fake = await startFakeAthena()
  athena = new AthenaClient(fake.client)
  glue = new GlueClient(fake.client)
})
afterAll(async () => {
  athena.destroy()
  glue.destroy()
  await fake.close()
})
afterEach(async () => {
  db.closeSync()
  await bench.close()
})

const databases = { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' }

/** A lake whose curated tables and queries are Athena's; everything else is in a folder. */
async function open(...how: Parameters<typeof openCurated>) {
  bench = await openCurated(...how)
  db = await (await DuckDBInstance.create(':memory:')).connect()
  snapshots = []
  await db.run(
    'CREATE SCHEMA weir_clean; CREATE SCHEMA weir_curated; CREATE SCHEMA weir_curated_versions; CREATE SCHEMA snap',
  )
  const { lake } = bench
  Object.assign(fake, { executions: [], starts: 0, startErrors: [], tables: new Map() })
  fake.script = (sql) => standIn(sql, lake)
  const settings = { athena, workgroup: 'w', databases, catalog: lake.catalog }
  const queries = openAthena({ ...settings, ops: lake.zones.ops })
  const tables = openAthenaTables({
    ...settings,
    glue,
    zones: lake.zones,
    bucket: 'weir-curated',
    patience: { attempts: 3, firstMilliseconds: 1, longestMilliseconds: 2 },
  })
  const athenaLake: Lake = { ...lake, tables, queries }
  const context = { ...bench.context, lake: athenaLake }
  const rows = async (sql: string, asOf?: Date | { run: string }) =>
    (await queries.query(sql, asOf ? { asOf } : {})).rows.map((row) => row.map(String))
  return { context, rows, lake, with: bench.with, drop: bench.drop }
}

/** What Athena would do with a statement, by DuckDB. */
async function standIn(sql: string, lake: Lake): Promise<Outcome> {
  try {
    return await inDuckDB(sql, lake)
  } catch (error) {
    return { state: 'FAILED', reason: (error as Error).message }
  }
}

async function inDuckDB(sql: string, lake: Lake): Promise<Outcome> {
  const [, table] = /"weir_curated"\."(\w+)"/.exec(sql) ?? []
  if (sql.includes('AS snapshot')) {
    const id = snapshots.findLast((one) => one.table === table)?.id
    const count = (await db.runAndReadAll(`SELECT count(*) FROM weir_curated.${table}`)).getRowsJson()
    return { rows: id === undefined ? [] : [[String(id), new Date().toISOString(), String(count[0]?.[0])]] }
  }
  await showClean(lake)
  const text = sql
    .replace(/\nWITH \(table_type.*\)\n/, '\n')
    .replaceAll(/weir_curated\.("?)(\w+)\1 FOR VERSION AS OF (\d+)/g, 'snap."$2_$3"')
    .replace(/\nLOCATION .*\nTBLPROPERTIES .*$/s, '')
    .replace(/\nPARTITIONED BY .*/, '')
    .replaceAll(/ COMMENT '(?:[^'\\]|\\.)*'/g, '')
    .replaceAll('`', '"')
  const before = table === undefined ? undefined : await versionOf(table)
  const answer = await db.runAndReadAll(text)
  const [, made] = /^CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) [`"]weir_curated[`"]\.[`"](\w+)[`"]/.exec(sql) ?? []
  if (made)
    fake.tables.set(
      `weir_curated.${made}`,
      sql.includes(' VIEW ')
        ? { TableType: 'VIRTUAL_VIEW' }
        : { TableType: 'EXTERNAL_TABLE', Parameters: { table_type: 'ICEBERG' } },
    )
  const [, dropped] = /^DROP \w+ IF EXISTS [`"]weir_curated[`"]\.[`"](\w+)[`"]/.exec(sql) ?? []
  if (dropped) fake.tables.delete(`weir_curated.${dropped}`)
  // A commit that changes nothing makes no snapshot.
  if (table && /^(INSERT|MERGE)/.test(sql) && (await versionOf(table)) !== before) {
    const id = 1000 + snapshots.length
    await db.run(`CREATE TABLE snap."${table}_${id}" AS FROM weir_curated.${table}`)
    snapshots.push({ table, id })
  }
  const columns = answer.columnNames().map((Name) => ({ Name, Type: 'varchar' }))
  return {
    columns,
    rows: answer.getRowsJson().map((row) => row.map((value) => (value === null ? undefined : String(value)))),
  }
}

/** Clean tables as the catalog of the folder points now. */
async function showClean({ catalog, zones, locate }: Lake): Promise<void> {
  for (const table of await catalog.listTables()) {
    const partitions = []
    for await (const partition of catalog.listPartitions(table.name)) {
      const files = []
      for await (const { key } of zones.clean.list(partition.location)) files.push(locate('clean', key))
      partitions.push({ partition, files })
    }
    const name = `weir_${table.name}`
    await db.run(`DROP VIEW IF EXISTS ${name}; ${tableView({ ...table, name }, partitions)}`)
  }
}

/** Differs where the rows do. */
async function versionOf(table: string): Promise<string | undefined> {
  const there = await db.runAndReadAll(
    `SELECT 1 FROM information_schema.tables WHERE table_schema = 'weir_curated' AND table_name = '${table}' AND table_type = 'BASE TABLE'`,
  )
  if (there.currentRowCount === 0) return undefined
  return JSON.stringify((await db.runAndReadAll(`FROM weir_curated.${table} ORDER BY ALL`)).getRowsJson())
}

const row = (k: string, amount: number, day = '2026-01-01') => ({ k, day, amount })
const ORDERS = 'SELECT k, amount FROM curated.orders ORDER BY k, amount'
const merge = keyedPlan('orders', { mode: 'merge' })
const append = keyedPlan('orders', { mode: 'append' })
const TOTALS = 'SELECT k, sum(amount) AS amount FROM curated.orders GROUP BY k'
const model = (how: string, sql: string) => `/*---\n${how}\n---*/\n${sql}\n`

describe('entity tables', () => {
  test('follow drops, corrections and retractions by key', async () => {
    const { context, rows, drop } = await open([merge])
    await drop('orders/a.csv', [row('x', 1), row('y', 1)])
    await drop('orders/b.csv', [row('x', 2), row('w', 2)])
    expect(await curate(context)).toMatchObject([{ outcome: 'published', run: { scope: 'full', rows: { total: 3 } } }])
    expect(await rows(ORDERS)).toEqual([
      ['w', '2'],
      ['x', '2'],
      ['y', '1'],
    ])
    await drop('orders/b.csv', [row('z', 3)])
    expect(await curate(context)).toMatchObject([{ outcome: 'published', run: { scope: 'change' } }])
    const corrected = [
      ['x', '1'],
      ['y', '1'],
      ['z', '3'],
    ]
    expect(await rows(ORDERS)).toEqual(corrected)
    await curate(context, { full: true })
    expect(await rows(ORDERS)).toEqual(corrected)
    await retract(context, 'orders/a.csv')
    await curate(context)
    expect(await rows(ORDERS)).toEqual([['z', '3']])
    const [first] = (await readTableState(context.lake.zones.ops, 'orders'))?.state.history.slice(-1) ?? []
    expect(await rows(ORDERS, { run: first?.run ?? '' })).toHaveLength(3)
  })

  test('that were taken away and could not be made anew are made from the beginning, whatever the contract says then', async () => {
    const { context, rows, drop, lake, with: using } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const script = fake.script
    fake.script = (sql, n) =>
      sql.startsWith('INSERT') ? { state: 'FAILED', reason: 'TOO_MANY_OPEN_PARTITIONS: more than 100' } : script(sql, n)
    const daily = keyedPlan(
      'orders',
      { mode: 'merge', partitionBy: [{ column: 'day', transform: 'day' }] },
      { version: '2.0.0' },
    )
    const next = { ...(await using([daily])), lake: context.lake }
    expect(await curate(next)).toMatchObject([
      {
        outcome: 'failed',
        run: { reason: { advice: expect.stringContaining('readers find no rows until it is made') } },
      },
    ])
    expect((await readTableState(lake.zones.ops, 'orders'))?.state).toMatchObject({ version: null, history: [] })
    expect(await rows(ORDERS)).toEqual([])
    fake.script = script
    expect(await curate(context)).toMatchObject([{ outcome: 'published', why: 'there is no table yet' }])
    expect(await rows(ORDERS)).toEqual([['x', '1']])
  })

  test('that a new major version makes anew have no versions from before: those went with the table', async () => {
    const { context, rows, drop, lake, with: using } = await open([merge])
    await drop('orders/a.csv', [row('x', 1)])
    const [first] = await curate(context)
    const partitionBy = [{ column: 'day', transform: 'day' as const }]
    const daily = keyedPlan('orders', { mode: 'merge', partitionBy }, { version: '2.0.0' })
    const next = { ...(await using([daily])), lake: context.lake }
    const [second] = await curate(next)
    expect((await readTableState(lake.zones.ops, 'orders'))?.state).toMatchObject({
      version: { run: second?.run?.run },
      history: [],
    })
    expect(await rows(ORDERS, { run: second?.run?.run ?? '' })).toEqual([['x', '1']])
    await expect(rows(ORDERS, { run: first?.run?.run ?? '' })).rejects.toThrow(
      `No curated table keeps a version of the run ${first?.run?.run}. The runs whose versions are kept: ${second?.run?.run}`,
    )
  })

  test('to which rows only add up follow them too', async () => {
    const { context, rows, drop } = await open([append])
    await drop('orders/a.csv', [row('x', 1), row('x', 1)])
    await curate(context)
    await drop('orders/b.csv', [row('x', 2)])
    await curate(context)
    await drop('orders/a.csv', [row('x', 3)])
    await curate(context)
    const now = [
      ['x', '2'],
      ['x', '3'],
    ]
    expect(await rows(ORDERS)).toEqual(now)
    await curate(context, { full: true })
    expect(await rows(ORDERS)).toEqual(now)
  })
})

describe('models', () => {
  const READ = 'SELECT k, amount FROM curated.totals ORDER BY k'
  const stored = (run = '') => `totals_${run.replace('-', '').toLowerCase()}`

  test('that are tables are shown when their tests hold, and stay as they are when not', async () => {
    const text = model(
      'materialized: table\ntests:\n  - not_null: k\n  - sql: SELECT k FROM curated.totals WHERE amount < 0',
      TOTALS,
    )
    const { context, rows, drop } = await open([append], { totals: text })
    await drop('orders/a.csv', [row('x', 1), row('x', 2)])
    expect((await curate(context)).map(({ outcome }) => outcome)).toEqual(['published', 'published'])
    expect(await rows(READ)).toEqual([['x', '3']])
    await drop('orders/b.csv', [row('x', -9)])
    expect((await curate(context)).map(({ outcome }) => outcome)).toEqual(['published', 'failed_tests'])
    expect(await rows(READ)).toEqual([['x', '3']])
    await retract(context, 'orders/b.csv')
    await drop('orders/c.csv', [row('y', 5)])
    await curate(context)
    expect(await rows(READ)).toEqual([
      ['x', '3'],
      ['y', '5'],
    ])
    const before = (await readTableState(context.lake.zones.ops, 'totals'))?.state.history[0]
    expect(await rows(READ, { run: before?.run ?? '' })).toEqual([['x', '3']])
  })

  test('keep as many versions as the lake says: what was stored of older ones goes', async () => {
    const { context, rows, drop } = await open([append], { totals: model('materialized: table', TOTALS) })
    const keeping = { ...context, keepVersions: 1 }
    const runs: string[] = []
    for (const amount of [1, 2, 3]) {
      await drop('orders/a.csv', [row('x', amount)])
      runs.push((await curate(keeping)).at(-1)?.run?.run ?? '')
    }
    for (const run of runs) fake.tables.set(`weir_curated_versions.${stored(run)}`, {})
    const { did } = await maintainTable(keeping, 'totals')
    expect(did).toEqual([`dropped the stored table ${stored(runs[0])}`])
    expect(await rows(READ, { run: runs[1] ?? '' })).toEqual([['x', '2']])
    await expect(rows(READ, { run: runs[0] ?? '' })).rejects.toThrow('No curated table keeps a version of the run')
  })

  test('that are gone leave tables behind, which are dropped whole, and can be made again', async () => {
    const text = model('materialized: table', TOTALS)
    const { context, rows, drop } = await open([append], { totals: text })
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    const none = { ...context, models: [], plans: new Map() }
    const found = await tablesToDrop(none, ['totals', 'orders'])
    expect(found.map(({ table }) => table)).toEqual(['totals', 'orders'])
    for (const { table } of found) expect(await dropTable(none, table)).toBe(true)
    const left = await db.runAndReadAll(
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'weir_curated'",
    )
    expect(left.getRows()).toEqual([])
    await expect(rows(READ)).rejects.toThrow()
    expect((await curate(context)).map(({ outcome }) => outcome)).toEqual(['published', 'published'])
    expect(await rows(READ)).toEqual([['x', '1']])
  })

  test('that are incremental take the keys that changed, and views follow by themselves', async () => {
    const { context, rows, drop } = await open([append], {
      totals: model('materialized: incremental\nuniqueKey: k', TOTALS),
      big: model('materialized: view', 'SELECT k FROM curated.totals WHERE amount > 2'),
    })
    await drop('orders/a.csv', [row('x', 1), row('y', 2)])
    await curate(context)
    await drop('orders/b.csv', [row('x', 4), row('z', 5)])
    const results = await curate(context)
    expect(results.find(({ table }) => table === 'totals')).toMatchObject({
      outcome: 'published',
      run: { scope: 'change' },
    })
    expect(await rows(READ)).toEqual([
      ['x', '5'],
      ['y', '2'],
      ['z', '5'],
    ])
    expect(await rows('SELECT k FROM curated.big ORDER BY k')).toEqual([['x'], ['z']])
    await retract(context, 'orders/a.csv')
    await curate(context)
    const now = [
      ['x', '4'],
      ['z', '5'],
    ]
    expect(await rows(READ)).toEqual(now)
    await curate(context, { tables: ['totals'], full: true })
    expect(await rows(READ)).toEqual(now)
  })
})

describe('a worker that dies', () => {
  test('leaves tests that have passed: what readers see already is not refused by a table that has changed since', async () => {
    const { context, rows, drop, lake } = await open([append, keyedPlan('known', { mode: 'append' })], {
      totals: model(
        'materialized: incremental\nuniqueKey: k\ntests:\n  - relationships: { column: k, to: clean.known.k }',
        'SELECT k, sum(amount) AS amount FROM curated.orders GROUP BY k',
      ),
    })
    await drop('orders/a.csv', [row('x', 1)])
    await drop('known/a.csv', [row('x', 1)])
    await curate(context)
    await drop('orders/b.csv', [row('x', 2)])
    await curateTable(context, 'orders')
    const put: Lake['zones']['ops']['put'] = async (key, body, ...rest) => {
      if (key === 'tables/totals.json' && String(body).includes('"pending":null')) throw new Error('killed')
      return await lake.zones.ops.put(key, body, ...rest)
    }
    const ops = Object.create(lake.zones.ops, { put: { value: put } }) as Lake['zones']['ops']
    const dying = { ...context, lake: { ...context.lake, zones: { ...lake.zones, ops } } }
    await expect(curateTable(dying, 'totals')).rejects.toThrow('killed')
    await drop('known/a.csv', [row('y', 1)])
    expect(await curateTable(context, 'totals')).toMatchObject({
      outcome: 'published',
      run: {
        tests: [
          { test: 'not_null' },
          { test: 'unique' },
          { test: 'relationships', passed: true },
          // Of rows that a merge would pass by.
          { test: 'not_null' },
        ],
      },
    })
    expect(await rows('SELECT k, amount FROM curated.totals')).toEqual([['x', '3']])
  })

  test('leaves a test that still runs to the next one, who waits for its answer', async () => {
    const { context, rows, drop } = await open([append], {
      totals: model('materialized: table\ntests:\n  - not_null: k', TOTALS),
    })
    await drop('orders/a.csv', [row('x', 1)])
    await curateTable(context, 'orders')
    const script = fake.script
    const isTest = (sql: string) => sql.includes('AS failures')
    fake.script = async (sql, n) => ({ ...(await script(sql, n)), ...(isTest(sql) ? { looks: 1000 } : {}) })
    const deadline = new Date(Date.now() + 3000)
    await expect(curateTable(context, 'totals', { deadline })).rejects.toThrow(StillRunning)
    expect(fake.executions.filter(({ sql }) => isTest(sql))).toHaveLength(1)
    for (const { outcome } of fake.executions) outcome.looks = 0
    expect(await curateTable(context, 'totals')).toMatchObject({ outcome: 'published' })
    expect(fake.executions.filter(({ sql }) => isTest(sql))).toMatchObject([{ stopped: false }])
    expect(await rows('SELECT k, amount FROM curated.totals')).toEqual([['x', '1']])
  })

  test('leaves a run of a model that may have changed until somebody goes on: then it is begun anew', async () => {
    const {
      context,
      rows,
      drop,
      lake,
      with: using,
    } = await open([append], {
      totals: model('materialized: table\ntests:\n  - not_null: k', TOTALS),
    })
    await drop('orders/a.csv', [row('x', 1)])
    await curateTable(context, 'orders')
    const put: Lake['zones']['ops']['put'] = async (key, body, ...rest) => {
      if (String(body).includes('"audited"')) throw new Error('killed')
      return await lake.zones.ops.put(key, body, ...rest)
    }
    const ops = Object.create(lake.zones.ops, { put: { value: put } }) as Lake['zones']['ops']
    const dying = { ...context, lake: { ...context.lake, zones: { ...lake.zones, ops } } }
    await expect(curateTable(dying, 'totals')).rejects.toThrow('killed')
    const changed = model(
      'materialized: table\ntests:\n  - not_null: n',
      'SELECT k, count(*) AS n FROM curated.orders GROUP BY k',
    )
    const next = { ...(await using([append], { totals: changed })), lake: context.lake }
    const result = await curateTable(next, 'totals')
    expect(result).toMatchObject({ outcome: 'published', run: { tests: [{ test: 'not_null', column: 'n' }] } })
    expect(await rows('SELECT k, n FROM curated.totals')).toEqual([['x', '1']])
    const runs = []
    for await (const { run } of listRunKeys(lake.zones.ops, { table: 'totals' })) runs.push(run)
    expect(runs).toEqual([result.run?.run])
  })

  test('leaves a run whose followers are told, although what came after it fails', async () => {
    const { context, drop, lake } = await open([merge], {
      big: model('materialized: view', 'SELECT k FROM curated.orders WHERE amount > 2'),
    })
    await drop('orders/a.csv', [row('x', 1)])
    await curate(context)
    await drop('orders/b.csv', [row('x', 2)])
    const put: Lake['zones']['ops']['put'] = async (key, body, ...rest) => {
      // It dies before it can say what it has published.
      if (key === 'tables/orders.json' && String(body).includes('"pending":null')) throw new Error('killed')
      return await lake.zones.ops.put(key, body, ...rest)
    }
    const ops = Object.create(lake.zones.ops, { put: { value: put } }) as Lake['zones']['ops']
    const dying = { ...context, lake: { ...context.lake, zones: { ...lake.zones, ops } } }
    await expect(curateTable(dying, 'orders')).rejects.toThrow('killed')
    await drop('orders/c.csv', [row('x', 3)])
    const script = fake.script
    fake.script = (sql, n) =>
      sql.startsWith('MERGE') ? { state: 'FAILED', reason: 'SYNTAX_ERROR: no' } : script(sql, n)
    expect(await curateTable(context, 'orders')).toMatchObject({ outcome: 'failed', dependents: ['big'] })
    fake.script = script
    expect(await curateTable(context, 'orders', { retryFailed: true })).toMatchObject({ outcome: 'published' })
  })

  test('anywhere between its writes leaves a run that the next one ends as it would have', async () => {
    for (let deaths = 1; deaths <= 20; deaths++) {
      const { context, rows, drop, lake } = await open([append], {
        totals: model(
          'materialized: incremental\nuniqueKey: k',
          'SELECT k, sum(amount) AS amount FROM curated.orders GROUP BY k',
        ),
      })
      await drop('orders/a.csv', [row('x', 1), row('y', 2)])
      await curate(context)
      await drop('orders/a.csv', [row('x', 7)])
      await drop('orders/b.csv', [row('z', 5)])
      let left = deaths
      const put: Lake['zones']['ops']['put'] = async (...args) => {
        if (String(args[0]).startsWith('tables/') && left-- === 0) throw new Error('killed')
        return await lake.zones.ops.put(...args)
      }
      const ops = Object.create(lake.zones.ops, { put: { value: put } }) as Lake['zones']['ops']
      const dying = { ...context, lake: { ...context.lake, zones: { ...lake.zones, ops } } }
      const died = await curate(dying).then(
        () => false,
        (error: Error) => error.message === 'killed',
      )
      await curate(context)
      expect(await rows(ORDERS)).toEqual([
        ['x', '7'],
        ['z', '5'],
      ])
      expect(await rows('SELECT k, amount FROM curated.totals ORDER BY k')).toEqual([
        ['x', '7'],
        ['z', '5'],
      ])
      const merges = fake.executions.filter(({ sql }) => /^(MERGE|INSERT)/.test(sql))
      expect(new Set(merges.map(({ sql }) => sql)).size).toBe(merges.length)
      if (!died) return
      db.closeSync()
      await bench.close()
    }
    expect.unreachable('the run has more writes than that')
  })
})
