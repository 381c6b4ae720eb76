// What the writer of curated tables does with Athena's answers: it starts nothing twice, goes on where another worker was, tries
// again what may pass, and drops nothing that anybody may read. No emulator has an Athena that could be asked.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ScanLimitReached } from '../../../lib/lake/aws/athena-run.ts'
import { AccessDenied } from '../../../lib/lake/aws/errors.ts'
import { openAthenaTables, TooManyPartitions } from '../../../lib/lake/aws/tables.ts'
import { QueryError, StillRunning, StorageError } from '../../../lib/lake/errors.ts'
import { createLocalLake, openLocalLake } from '../../../lib/lake/local/lake.ts'
import type { CuratedTables, Lake, TableJob, TableRunOptions } from '../../../lib/lake/ports.ts'
import { type FakeAthena, type Outcome, startFakeAthena } from './tables-athena.ts'

let fake: FakeAthena
let athena: AthenaClient
let glue: GlueClient
let root: string
let lake: Lake
let complete: boolean

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
beforeEach(async () => {
  Object.assign(fake, { executions: [], starts: 0, startErrors: [], tables: new Map(), script: () => undefined })
  complete = true
  root = await mkdtemp(join(tmpdir(), 'weir-tables-'))
  await createLocalLake(root)
  lake = await openLocalLake(root, { durable: false })
  return async () => {
    await lake.close()
    await rm(root, { recursive: true, force: true })
  }
})

const tables = (): CuratedTables =>
  openAthenaTables({
    athena,
    glue,
    workgroup: 'weir-pipeline',
    databases: { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' },
    catalog: { state: async () => ({ generation: 'x', complete }) },
    zones: lake.zones,
    bucket: 'weir-curated',
    patience: { attempts: 3, firstMilliseconds: 1, longestMilliseconds: 2 },
  })

interface Journal extends TableRunOptions {
  notes: Record<string, string>
}
/** Options of a worker; whoever comes after gets the same notes. */
const worker = (notes: Record<string, string> = {}, more: Partial<TableRunOptions> = {}): Journal => ({
  notes,
  journal: {
    get: (step) => notes[step],
    async set(step, value) {
      notes[step] = value
    },
  },
  ...more,
})

const RUN = '20260102T030405678Z-0123456789ab'
const STORED = 'orders_20260102t030405678z0123456789ab'
const COLUMNS = [
  { name: 'id', type: 'BIGINT' },
  { name: '_upload', type: 'VARCHAR' },
]
const BASE = { id: '4512', run: 'earlier', committedAt: '2026-01-01T00:00:00.000Z', rows: null }
const job = (more: Partial<TableJob> = {}): TableJob => ({
  run: RUN,
  kind: 'entity',
  table: { name: 'curated.orders', columns: COLUMNS, partitionKeys: [] },
  partitionBy: [],
  key: ['id'],
  change: { kind: 'replace', query: 'SELECT id, _upload FROM clean.orders' },
  base: undefined,
  baseColumns: undefined,
  ...more,
})
const ICEBERG = {
  Name: 'orders',
  TableType: 'EXTERNAL_TABLE',
  Parameters: { table_type: 'ICEBERG' },
  StorageDescriptor: {
    Columns: [
      { Name: 'id', Type: 'bigint' },
      { Name: '_upload', Type: 'string' },
      { Name: 'was', Type: 'string', Parameters: { 'iceberg.field.current': 'false' } },
    ],
  },
}
/** Rows of an append that come on top of a table that is there. */
const append = () => {
  fake.tables.set('weir_curated.orders', ICEBERG)
  const change: TableJob['change'] = { kind: 'append', query: 'SELECT id, _upload FROM clean.orders', left: [] }
  return job({ key: [], base: BASE, baseColumns: COLUMNS, change })
}

const SNAPSHOT: Outcome = { rows: [['4513', '2026-01-02T03:04:09.120Z', '7']], bytes: 100 }
const isVersion = (sql: string) => sql.includes('AS snapshot')
const sqls = () => fake.executions.map(({ sql }) => sql.replaceAll(/\s+/g, ' ').slice(0, 40))

async function run(made: TableJob, options: TableRunOptions = worker()) {
  const port = tables()
  const staged = await port.stage(made, options)
  return { staged, ...(await port.publish(staged, options)) }
}

describe('a table', () => {
  test('is made and filled in the workgroup of the pipeline, and its version is the snapshot', async () => {
    fake.script = (sql) => (isVersion(sql) ? SNAPSHOT : { bytes: 5 })
    const options = worker()
    const { staged, version, statements } = await run(job(), options)
    expect(staged).toMatchObject({ preview: 'curated."orders"', statements: [] })
    expect(sqls()).toEqual([
      'CREATE TABLE IF NOT EXISTS `weir_curated',
      'INSERT INTO "weir_curated"."orders" ("id',
      'SELECT CAST(s.snapshot_id AS varchar) AS',
    ])
    expect(version).toEqual({ id: '4513', run: RUN, committedAt: '2026-01-02T03:04:09.120Z', rows: 7 })
    expect(statements[1]).toEqual({
      sql: fake.executions[1]?.sql,
      milliseconds: 10_000,
      bytesScanned: 5,
      cost: (10 / 1024 ** 2) * 5,
      executionId: 'execution-2',
    })
    for (const { workgroup, token } of fake.executions) {
      expect(workgroup).toBe('weir-pipeline')
      expect(token).toMatch(/^[\w-]{32,128}$/)
    }
    expect(options.notes).toMatchObject({ create: 'execution-1', insert: 'execution-2' })
  })

  test('into which nothing was put has a version all the same', async () => {
    const { version } = await run(job())
    expect(version).toEqual({ id: '0', run: RUN, committedAt: '2026-01-02T03:04:15.000Z', rows: 0 })
  })

  test('is not made from a clean table that may miss rows', async () => {
    complete = false
    await expect(tables().stage(job(), worker())).rejects.toThrow(StorageError)
    await expect(tables().stage(job(), worker())).rejects.toThrow(
      'curated.orders was not made: a clean table of the catalog was made anew, so rows may be missing from it. Run "weir reconcile" to fill it again.',
    )
    expect(fake.starts).toBe(0)
  })

  test('that has to be dropped first stays, if what would fill it cannot run', async () => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    fake.script = (sql) =>
      sql.startsWith('EXPLAIN') ? { state: 'FAILED', reason: "COLUMN_NOT_FOUND: line 1:8: Column 'nope'" } : undefined
    await expect(tables().stage(job(), worker())).rejects.toThrow(QueryError)
    expect(sqls()).toEqual(['EXPLAIN SELECT id, _upload FROM weir_cle'])
  })

  test('takes no rows without a key, and says so', async () => {
    const reason = 'INVALID_CAST_ARGUMENT: Cannot cast value to boolean: a row without a key came with u1. Try again.'
    fake.script = (sql) => (sql.startsWith('INSERT') ? { state: 'FAILED', reason } : undefined)
    await expect(run(job({ key: ['id', 'sku'] }))).rejects.toThrow(
      'The query of curated.orders gives rows without a key, such as of upload u1: id, sku are NULL.',
    )
  })

  test('gets the columns that it has not got yet, whatever a run before has done', async () => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    const table = { ...job().table, columns: [...COLUMNS, { name: 'was', type: 'VARCHAR' }] }
    const change = { kind: 'merge', query: 'SELECT 1 FROM clean.orders' } as const
    const columns = { id: 'bigint', _upload: 'string' }
    const state = { there: 'table', columns, key: ['id'], partitionBy: [] }
    await run(job({ table, change, base: BASE, baseColumns: COLUMNS }), worker({ found: JSON.stringify(state) }))
    expect(sqls()[0]).toBe('ALTER TABLE `weir_curated`.`orders` ADD ')
  })
})

describe('a model', () => {
  const model = job({ kind: 'table', key: [] })

  test('is stored, counted, and shown to readers only when it is published', async () => {
    fake.script = (sql) => (sql.startsWith('SELECT count') ? { rows: [['12']] } : undefined)
    const port = tables()
    const options = worker()
    const staged = await port.stage(model, options)
    expect(staged.preview).toBe(`"weir_curated_versions"."${STORED}"`)
    expect(staged.rows).toEqual({ written: 12, removed: null, total: 12 })
    expect(sqls()).toEqual(['CREATE TABLE "weir_curated_versions"."or', 'SELECT count(*) AS n FROM "weir_curated_'])
    const { version } = await port.publish(staged, options)
    expect(version).toEqual({ id: STORED, run: RUN, committedAt: '2026-01-02T03:04:15.000Z', rows: 12 })
    expect(sqls()[2]).toBe('CREATE OR REPLACE VIEW "weir_curated"."o')
  })

  test('whose tests failed keeps what it stored for a day: another worker may be reading it', async () => {
    const port = tables()
    const staged = await port.stage(model, worker())
    const { starts } = fake
    await port.discard(staged)
    expect(fake.starts).toBe(starts)
  })

  test('is stored under another name when it is tried again, and that one is shown', async () => {
    fake.script = (sql) =>
      sql.startsWith('CREATE TABLE') && !sql.includes(`${STORED}_2`)
        ? { state: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR: out of breath' }
        : undefined
    const options = worker()
    const { staged, version } = await run(model, options)
    expect(staged.preview).toBe(`"weir_curated_versions"."${STORED}_2"`)
    expect(version.id).toBe(`${STORED}_2`)
    expect(fake.executions.at(-1)?.sql).toContain(`"${STORED}_2"`)
    expect(options.notes).toMatchObject({ store: 'execution-1', 'store#2': 'execution-2' })
    // Whoever comes after finds the same.
    expect((await tables().stage(model, worker(options.notes))).preview).toBe(staged.preview)
  })

  test('that is a view has the run for its version', async () => {
    const { version, staged } = await run(
      job({ kind: 'view', key: [], change: { kind: 'view', query: 'SELECT 1 AS id' } }),
    )
    expect(staged.preview).toBe('(\nSELECT 1 AS id\n)')
    expect(version).toMatchObject({ id: RUN, rows: null })
    expect(sqls()).toEqual(['CREATE OR REPLACE VIEW "weir_curated"."o'])
  })
})

describe('a worker that comes later', () => {
  test('waits for what was started, and starts nothing again', async () => {
    const notes = {}
    const deadline = new Date(Date.now() + 3_600_000)
    fake.script = (sql) => {
      if (isVersion(sql)) return SNAPSHOT
      if (!sql.startsWith('INSERT')) return undefined
      deadline.setTime(Date.now())
      return { looks: 2 }
    }
    const soon = worker(notes, { deadline })
    const stopped = await run(append(), soon).catch((error: unknown) => error)
    expect(stopped).toBeInstanceOf(StillRunning)
    expect((stopped as Error).message).toBe(
      'The statement execution-1 is still running in Athena. Whoever asks for the same again goes on from there.',
    )
    expect(fake.executions[0]?.stopped).toBe(false)
    const { version } = await run(append(), worker(notes))
    expect(version.id).toBe('4513')
    expect(sqls().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1)
  })

  test('finds an execution of which no note was taken, by its token', async () => {
    fake.script = (sql) => (isVersion(sql) ? SNAPSHOT : undefined)
    const forgetful = worker()
    const broken: TableRunOptions = {
      journal: {
        get: forgetful.journal.get,
        async set(step, value) {
          if (step === 'insert') throw new Error('killed')
          await forgetful.journal.set(step, value)
        },
      },
    }
    await expect(run(append(), broken)).rejects.toThrow('killed')
    await run(append(), worker(forgetful.notes))
    expect(sqls().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1)
    expect(fake.starts).toBe(fake.executions.length + 1)
  })

  test('decides nothing anew: what the first one found holds', async () => {
    const notes = {}
    fake.script = (sql) =>
      sql.startsWith('CREATE') ? { effect: () => fake.tables.set('weir_curated.orders', ICEBERG) } : undefined
    await run(job(), worker(notes))
    await run(job(), worker(notes))
    expect(sqls().filter((sql) => !sql.startsWith('SELECT'))).toEqual([
      'CREATE TABLE IF NOT EXISTS `weir_curated',
      'INSERT INTO "weir_curated"."orders" ("id',
    ])
  })

  test('starts nothing once its time is over', async () => {
    await expect(run(append(), worker({}, { deadline: new Date(Date.now() - 1) }))).rejects.toThrow(
      /^The time was over before a statement for curated\.orders began\. Whoever asks/,
    )
    expect(fake.executions).toEqual([])
  })

  test('begins anew what was stopped before it', async () => {
    const notes = { insert: 'execution-1' }
    fake.executions.push({
      id: 'execution-1',
      sql: 'x',
      token: 'x',
      workgroup: 'x',
      looked: 0,
      stopped: true,
      outcome: { state: 'CANCELLED', reason: 'Query cancelled by user' },
    })
    fake.script = (sql) => (isVersion(sql) ? SNAPSHOT : sql.startsWith('SELECT count') ? { rows: [['0']] } : undefined)
    await run(append(), worker(notes))
    expect(sqls().slice(1)).toEqual([
      'SELECT count(*) AS n FROM "weir_curated"',
      'INSERT INTO "weir_curated"."orders" ("id',
      'SELECT CAST(s.snapshot_id AS varchar) AS',
    ])
  })
})

test('whoever gives up stops the statement', async () => {
  const controller = new AbortController()
  fake.script = () => {
    setTimeout(() => controller.abort(new Error('Enough.')), 50)
    return { looks: 1000 }
  }
  await expect(run(append(), worker({}, { signal: controller.signal }))).rejects.toThrow('Enough.')
  expect(fake.executions.map(({ stopped }) => stopped)).toEqual([true])
})

describe('what may pass is tried again', () => {
  test.each([
    'ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: orders',
    'GENERIC_INTERNAL_ERROR: java.io.IOException',
    'Query exhausted resources at this scale factor',
    'TooManyRequestsException: Rate exceeded',
  ])('%s', async (reason) => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    const merge = job({
      base: BASE,
      baseColumns: COLUMNS,
      change: { kind: 'merge', query: 'SELECT 1 FROM clean.orders' },
    })
    fake.script = (sql, nth) =>
      isVersion(sql) ? SNAPSHOT : sql.startsWith('MERGE') && nth < 2 ? { state: 'FAILED', reason } : undefined
    const options = worker()
    const found = { there: 'table', columns: {}, key: ['id'], partitionBy: [] }
    await options.journal.set('found', JSON.stringify(found))
    const { version } = await run(merge, options)
    expect(version.id).toBe('4513')
    expect(Object.keys(options.notes)).toEqual(['found', 'merge', 'merge#2', 'merge#3'])
    expect(new Set(fake.executions.map(({ token }) => token)).size).toBe(fake.executions.length)
  })

  test('a limited number of times', async () => {
    fake.script = (sql) =>
      sql.startsWith('INSERT')
        ? { state: 'FAILED', reason: 'ICEBERG_COMMIT_ERROR: no' }
        : sql.startsWith('SELECT count')
          ? { rows: [['0']] }
          : undefined
    await expect(run(append())).rejects.toThrow(/^ICEBERG_COMMIT_ERROR: no$/)
    expect(sqls().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(3)
  })

  test('rows that came although Athena said otherwise do not come twice', async () => {
    fake.script = (sql) =>
      isVersion(sql)
        ? SNAPSHOT
        : sql.startsWith('INSERT')
          ? { state: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR: lost the answer of the commit' }
          : { rows: [['1']] }
    const { version } = await run(append())
    expect(version.id).toBe('4513')
    expect(sqls().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1)
    expect(fake.executions[1]?.sql).toContain("s.committed_at >= TIMESTAMP '2026-01-02 03:04:05.000 UTC'")
  })

  test('so is a start that Athena was too busy for, or whose answer was lost, with the same token', async () => {
    fake.startErrors = [{ status: 400, type: 'TooManyRequestsException' }]
    await run(job({ kind: 'view', key: [], change: { kind: 'view', query: 'SELECT 1 AS id' } }))
    expect(fake.executions).toHaveLength(1)
    fake.startErrors = [{ status: 503, type: 'ServiceUnavailable', lost: true }]
    await run(append())
    expect(sqls().filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1)
  })
})

describe('what does not pass is told in our words', () => {
  const query = 'SELECT id,\n  nope AS _upload\nFROM clean.orders'
  test.each([
    [
      "COLUMN_NOT_FOUND: line 6:3: Column 'nope' cannot be resolved",
      QueryError,
      /^COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot be resolved$/,
    ],
    ["TYPE_MISMATCH: line 1:8: 'weir_clean.orders'", QueryError, /^TYPE_MISMATCH: 'clean\.orders'$/],
    [
      'ICEBERG_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions',
      TooManyPartitions,
      /^curated\.orders would write into more than 100 partitions.*month instead of day/,
    ],
    [
      'MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one source row',
      QueryError,
      /^The query gives several rows for one key of curated\.orders/,
    ],
    [
      'INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: snapshot 12 not found',
      QueryError,
      /^An earlier version that curated\.orders is made from is not kept any more\. Make it anew: weir curate --table orders --full/,
    ],
    ['PERMISSION_DENIED: Access Denied', AccessDenied, /Ask whoever runs the lake/],
    ['Bytes scanned limit was exceeded', ScanLimitReached, /more than the workgroup weir-pipeline allows/],
  ])('%s', async (reason, kind, message) => {
    fake.script = () => ({ state: 'FAILED', reason })
    const made = job({ kind: 'table', key: [], change: { kind: 'replace', query } })
    const error = await tables()
      .stage(made, worker())
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toMatch(message)
    expect(fake.executions).toHaveLength(1)
  })
})

describe('maintenance', () => {
  const old = (hex: string) => `orders_20250102t030405678z${hex}`
  const [kept, history, forgotten] = [old('aaaaaaaaaaaa'), old('bbbbbbbbbbbb'), old('cccccccccccc')]

  test('puts files together and removes what nobody needs, as often as Athena asks for', async () => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    fake.script = (sql, nth) =>
      nth < 2 && /^(OPTIMIZE|VACUUM)/.test(sql)
        ? { state: 'FAILED', reason: `ICEBERG_${sql.split(' ')[0]}_MORE_RUNS_NEEDED: some files are left` }
        : { rows: [['0']] }
    const { did, statements } = await tables().maintain('orders', [])
    expect(did).toEqual(['put small files together', 'removed snapshots and files that nobody needs'])
    expect(statements.map(({ sql }) => sql)).toEqual([
      ...Array(3).fill('OPTIMIZE weir_curated.orders REWRITE DATA USING BIN_PACK'),
      expect.stringContaining('orders$snapshots'),
      'SHOW TBLPROPERTIES `weir_curated`.`orders`',
      expect.stringContaining("'vacuum_min_snapshots_to_keep' = '1'"),
      ...Array(3).fill('VACUUM weir_curated.orders'),
    ])
  })

  test('keeps the snapshots of versions that are kept, and no more of them, whatever the table said before', async () => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    const kept = ['4513', 'none', '4512', 'orders_20250102t030405678zeeeeeeeeeeee'].map((id) => ({ ...BASE, id }))
    let shown = [['vacuum_max_snapshot_age_seconds\t2592000'], ['vacuum_min_snapshots_to_keep\t25']]
    fake.script = (sql) => {
      if (sql.startsWith('SHOW')) return { rows: shown }
      return sql.includes('$snapshots') ? { rows: [['14']] } : undefined
    }
    await tables().maintain('orders', kept)
    const set = "ALTER TABLE `weir_curated`.`orders` SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = '14')"
    expect(fake.executions.map(({ sql }) => sql)).toEqual([
      'OPTIMIZE weir_curated.orders REWRITE DATA USING BIN_PACK',
      expect.stringContaining("IN ('4513', '4512'))"),
      'SHOW TBLPROPERTIES `weir_curated`.`orders`',
      set,
      'VACUUM weir_curated.orders',
    ])
    fake.executions = []
    shown = [['vacuum_min_snapshots_to_keep\t14']]
    await tables().maintain('orders', kept)
    expect(fake.executions.map(({ sql }) => sql)).not.toContain(set)
  })

  test('stops after some rounds, and says what it could not do', async () => {
    fake.tables.set('weir_curated.orders', ICEBERG)
    const more = 'ICEBERG_OPTIMIZE_MORE_RUNS_NEEDED and ICEBERG_VACUUM_MORE_RUNS_NEEDED'
    fake.script = (sql) => (/^(OPTIMIZE|VACUUM)/.test(sql) ? { state: 'FAILED', reason: more } : { rows: [['0']] })
    const { did, statements } = await tables().maintain('orders', [])
    expect(statements.filter(({ sql }) => /^(OPTIMIZE|VACUUM)/.test(sql))).toHaveLength(40)
    expect(did[0]).toBe('put small files together, in part: the next maintenance goes on')
    fake.script = () => ({ state: 'FAILED', reason: 'NOT_SUPPORTED: no' })
    await expect(tables().maintain('orders', [])).rejects.toThrow('NOT_SUPPORTED: no')
  })

  test('drops stored tables that no version needs, and what failed statements have left', async () => {
    const now = `orders_${new Date().toISOString().replaceAll(/[-:.]/g, '').toLowerCase()}dddddddddddd`
    const left = old('eeeeeeeeeeee')
    for (const name of [
      kept,
      history,
      forgotten,
      now,
      'orders_of_others_20250102t030405678zffffffffffff',
      'orders_by_hand',
    ])
      fake.tables.set(`weir_curated_versions.${name}`, {})
    for (const name of [kept, forgotten, left]) await lake.zones.curated.put(`_stored/${name}/data/1.parquet`, 'x')
    const { did } = await tables().maintain('orders', [
      { ...BASE, id: kept },
      { ...BASE, id: history },
    ])
    expect(did).toEqual([`dropped the stored table ${forgotten}`, `dropped the stored table ${left}`])
    expect(fake.executions.map(({ sql }) => sql)).toEqual([
      `DROP TABLE IF EXISTS \`weir_curated_versions\`.\`${forgotten}\``,
      `DROP TABLE IF EXISTS \`weir_curated_versions\`.\`${left}\``,
    ])
    const keys = []
    for await (const { key } of lake.zones.curated.list('_stored/')) keys.push(key)
    expect(keys).toEqual([`_stored/${kept}/data/1.parquet`])
  })

  test('a table is dropped with all that was stored of it', async () => {
    fake.tables.set('weir_curated.orders', { ...ICEBERG, TableType: 'VIRTUAL_VIEW', Parameters: {} })
    fake.tables.set(`weir_curated_versions.${kept}`, {})
    await lake.zones.curated.put('orders/20250101T000000000Z-aaaaaaaaaaaa/data/1.parquet', 'x')
    await tables().drop('orders')
    expect(fake.executions.map(({ sql }) => sql)).toEqual([
      'DROP VIEW IF EXISTS "weir_curated"."orders"',
      `DROP TABLE IF EXISTS \`weir_curated_versions\`.\`${kept}\``,
    ])
    for await (const { key } of lake.zones.curated.list('orders/')) expect.unreachable(key)
    fake.executions = []
    fake.tables.clear()
    await tables().drop('orders')
    expect(fake.executions).toEqual([])
  })
})
