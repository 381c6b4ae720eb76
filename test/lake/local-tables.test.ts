// Curated tables on plain files, beyond what every adapter must do (test/conformance/tables.ts).

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StorageError } from '../../lib/lake/errors.ts'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import { COMPACT, filesToRewrite } from '../../lib/lake/local/tables-compact.ts'
import { type DataFile, readManifest } from '../../lib/lake/local/tables-manifest.ts'
import type { Lake, TableColumn, TableJob } from '../../lib/lake/ports.ts'
import { type Run, runSchema, writeRun } from '../../lib/lake/runs.ts'
import { tableOn } from '../conformance/tables.ts'

const column = (name: string, type: string): TableColumn => ({ name, type })
const shaped = (name: string, columns: TableColumn[], more: Partial<TableJob> = {}): Partial<TableJob> => ({
  table: { name: `curated.${name}`, columns, partitionKeys: [] },
  key: [],
  ...more,
})
const numbers = (from: number, to: number): string =>
  `SELECT id, id * 10 AS value, '' AS _upload FROM UNNEST(sequence(${from}, ${to})) AS t(id)`
const NUMBERS = [column('id', 'BIGINT'), column('value', 'BIGINT'), column('_upload', 'VARCHAR')]

describe('curated tables in a folder', () => {
  let root: string
  let lake: Lake
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "weir it's [2] "))
    await createLocalLake(root)
    lake = await openLocalLake(root, { log: () => {} })
  })
  afterAll(async () => {
    await lake.close()
    await rm(root, { recursive: true, force: true })
  })

  const rows = async (sql: string) => (await lake.queries.query(sql)).rows
  const filesOf = async (table: string, what: string) =>
    (await readdir(join(root, 'curated', table, what)).catch(() => [])).sort()

  test('a merge leaves the files of before alone, and notes which of their rows left', async () => {
    const t = tableOn(lake, 'lasting', shaped('lasting', NUMBERS, { key: ['id'] }))
    await t.make({ kind: 'replace', query: numbers(1, 1000) })
    const [first] = await filesOf('lasting', 'data')
    await t.make({ kind: 'merge', query: `SELECT id, value, _upload, id > 2 AS _gone FROM (${numbers(1, 3)})` })
    expect(await filesOf('lasting', 'data')).toHaveLength(2)
    expect(await filesOf('lasting', 'data')).toContain(first)
    expect(await filesOf('lasting', 'deletes')).toHaveLength(1)
    expect(await rows('SELECT count(*), sum(id) FROM curated.lasting')).toEqual([['999', '500497']])
    const paths = await rows('SELECT "$path", count(*) FROM curated.lasting GROUP BY 1 ORDER BY 2')
    expect(paths.map(([, count]) => count)).toEqual(['2', '997'])
    expect(String(paths[1]?.[0])).toContain(first)
  })

  test('rows of one partition lie together, so that a query reads few of them', async () => {
    const columns = [column('id', 'BIGINT'), column('day', 'DATE')]
    const query = `SELECT id, date_add('day', id * 7919 % 100, DATE '2026-01-01') AS day FROM UNNEST(sequence(1, 400)) AS t(id)`
    const t = tableOn(lake, 'laid_out', shaped('laid_out', columns))
    await t.make({ kind: 'replace', query }, { partitionBy: [{ transform: 'month', column: 'day' }] })
    const [file] = await filesOf('laid_out', 'data')
    const path = join(root, 'curated', 'laid_out', 'data', file ?? '').replace(/[[*?]/g, '[$&]')
    const instance = await DuckDBInstance.create()
    const connection = await instance.connect()
    const reader = await connection.runAndReadAll(
      `SELECT month(day) FROM read_parquet('${path.replaceAll("'", "''")}') ORDER BY file_row_number`,
    )
    const months = reader.getRowsJson().map(([month]) => Number(month))
    connection.closeSync()
    instance.closeSync()
    expect(months).toEqual([...months].sort())
    expect(new Set(months).size).toBe(4)
    for (const field of [
      { transform: 'bucket', column: 'id', n: 4 },
      { transform: 'truncate', column: 'id', n: 10 },
      { transform: 'identity', column: 'day' },
    ] as const) {
      await t.make({ kind: 'replace', query }, { partitionBy: [field] })
      expect(await rows('SELECT count(*) FROM curated.laid_out')).toEqual([['400']])
    }
  })

  test('values of every type come back as they were', async () => {
    const columns = [
      column('big', 'BIGINT'),
      column('price', 'DECIMAL(38,10)'),
      column('ratio', 'DOUBLE'),
      column('yes', 'BOOLEAN'),
      column('day', 'DATE'),
      column('at', 'TIMESTAMP'),
      column('tags', 'VARCHAR[]'),
      column('counts', 'MAP(VARCHAR, INTEGER)'),
      column('nothing', 'VARCHAR'),
    ]
    const query =
      `SELECT 9223372036854775807 AS big, CAST('0.0000000001' AS decimal(38,10)) AS price, 1 AS ratio, true AS yes, DATE '2026-01-31' AS day, ` +
      `TIMESTAMP '2026-01-31 12:30:00.123' AS at, ARRAY['a', NULL] AS tags, MAP(ARRAY['x'], ARRAY[7]) AS counts, NULL AS nothing`
    await tableOn(lake, 'typed', shaped('typed', columns)).make({ kind: 'replace', query })
    const found = await lake.queries.query('SELECT * FROM curated.typed')
    const straight = await lake.queries.query(query.replace('1 AS ratio', 'CAST(1 AS double) AS ratio'))
    expect(found.rows).toEqual(straight.rows)
    expect(found.columns.map(({ type }) => type)).toEqual([
      'BIGINT',
      'DECIMAL(38,10)',
      'DOUBLE',
      'BOOLEAN',
      'DATE',
      'TIMESTAMP',
      'ARRAY(VARCHAR)',
      'MAP(VARCHAR, INTEGER)',
      'VARCHAR',
    ])
  })

  test('a query that does not fit the table is refused before anything is written', async () => {
    const t = tableOn(lake, 'strict', shaped('strict', NUMBERS))
    const refused = (query: string) => expect(t.stage({ kind: 'replace', query })).rejects
    await refused(`SELECT 1 AS id, 2 AS value`).toThrow(
      'The query of curated.strict does not fit the table: it gives the columns id, value, and the table takes id, value, _upload.',
    )
    await refused(`SELECT 1 AS value, 2 AS id, '' AS _upload`).toThrow('it gives the columns value, id, _upload')
    await refused(`SELECT 1 AS id, 1.5 AS value, '' AS _upload`).toThrow(
      'the column value is decimal(2,1) in the query and bigint in the table. Write CAST(value AS bigint).',
    )
    await refused(`SELECT 1 AS id, '1' AS value, '' AS _upload`).toThrow('the column value is varchar in the query')
    await expect(t.stage({ kind: 'merge', query: numbers(1, 2) }, { key: ['id'] })).rejects.toThrow(
      'the table takes id, value, _upload, _gone',
    )
    const odd = shaped('strict', [column('file_row_number', 'BIGINT')])
    await expect(t.stage({ kind: 'replace', query: 'SELECT 1 AS file_row_number' }, odd)).rejects.toThrow(
      'a column cannot be called file_row_number',
    )
    expect(await filesOf('strict', 'data')).toEqual([])
    expect(await readdir(lake.scratch)).toEqual([])
  })

  test('a run is stopped in the middle of its query', async () => {
    const t = tableOn(lake, 'endless', shaped('endless', NUMBERS))
    const endless = `SELECT a.i * b.i * c.i AS id, 1 AS value, '' AS _upload FROM UNNEST(sequence(1, 9999)) AS a(i) CROSS JOIN UNNEST(sequence(1, 9999)) AS b(i) CROSS JOIN UNNEST(sequence(1, 9999)) AS c(i)`
    const stop = new AbortController()
    const staging = lake.tables.stage(await t.job({ kind: 'replace', query: endless }), {
      ...t.options,
      signal: stop.signal,
    })
    setTimeout(() => stop.abort(new Error('that was enough')), 100)
    await expect(staging).rejects.toThrow('that was enough')
    expect(await filesOf('endless', 'data')).toEqual([])
    expect(await readdir(lake.scratch)).toEqual([])
  })

  test('maintenance takes away what nobody needs, and leaves what somebody may be about to publish', async () => {
    const t = tableOn(lake, 'tidied', shaped('tidied', NUMBERS, { key: ['id'] }))
    for (const n of [1, 2, 3, 4]) await t.make({ kind: 'replace', query: numbers(n, n + 1) })
    const staged = await t.stage({ kind: 'merge', query: `SELECT *, false AS _gone FROM (${numbers(9, 9)})` })
    const kept = await t.keep(2)
    const { did } = await lake.tables.maintain('tidied', kept)
    expect(did).toEqual(['removed 2 versions that readers no longer see', 'removed 2 files that no version needs'])
    expect(await filesOf('tidied', 'versions')).toEqual(
      [...kept.map(({ id }) => id), staged.job.run].sort().map((id) => `${id}.json`),
    )
    expect((await lake.tables.maintain('tidied', kept)).did).toEqual([])
    // What an older worker left behind when it died.
    await writeFile(join(root, 'curated', 'tidied', 'data', '20200101T000000000Z-000000000000-00000000.parquet'), 'x')
    expect((await lake.tables.maintain('tidied', kept)).did).toEqual(['removed 1 file that no version needs'])
    await t.publish(staged)
    expect(await rows('SELECT count(*) FROM curated.tidied')).toEqual([['3']])
  })

  test('readers beside a writer see one version or the next', async () => {
    const t = tableOn(lake, 'busy', shaped('busy', NUMBERS, { key: ['id'] }))
    await t.make({ kind: 'replace', query: numbers(1, 100) })
    let writing = true
    const seen = new Set<string>()
    const read = async () => {
      while (writing) {
        const [found] = await rows('SELECT count(*), count(DISTINCT value % 10), min(value) FROM curated.busy')
        seen.add(`${found?.[0]} ${found?.[1]}`)
        await sleep(1)
      }
    }
    const readers = [read(), read()]
    for (let n = 1; n <= 6; n++) {
      await t.make({
        kind: 'merge',
        query: `SELECT id, value + ${n} AS value, _upload, false AS _gone FROM (${numbers(1, 100)})`,
      })
      await lake.tables.maintain('busy', await t.keep(1))
    }
    writing = false
    await Promise.all(readers)
    expect([...seen]).toEqual(['100 1'])
  })

  test('views say whose query is wrong, and cannot read themselves', async () => {
    const columns = [column('id', 'BIGINT')]
    const base = tableOn(lake, 'seen', shaped('seen', columns))
    await base.make({ kind: 'replace', query: 'SELECT CAST(1 AS bigint) AS id' })
    const view = tableOn(lake, 'sees', shaped('sees', columns, { kind: 'view' }))
    await view.make({ kind: 'view', query: 'SELECT id FROM curated.seen' })
    const again = tableOn(lake, 'sees_too', shaped('sees_too', columns, { kind: 'view' }))
    await again.make({ kind: 'view', query: 'SELECT id + 1 AS id FROM curated.sees' })
    expect(await rows('SELECT a.id, b.id FROM curated.sees a, curated.sees_too b')).toEqual([['1', '2']])
    await view.make({ kind: 'view', query: 'SELECT id FROM curated.sees_too' })
    await expect(rows('SELECT * FROM curated.sees')).rejects.toThrow('curated.sees is a view that reads itself')
    await lake.zones.ops.delete('tables/sees.json')
    await expect(rows('SELECT * FROM curated.sees_too')).rejects.toThrow(
      'The view curated.sees_too: There is no table curated.sees.',
    )
    await lake.zones.ops.delete('tables/sees_too.json')
  })

  test('a view of clean tables has no history', async () => {
    await lake.catalog.putTable({ name: 'clean.things', columns: [column('id', 'BIGINT')], partitionKeys: [] })
    const view = tableOn(lake, 'of_clean', shaped('of_clean', [column('id', 'BIGINT')], { kind: 'view' }))
    await view.make({ kind: 'view', query: 'SELECT id FROM clean.things' })
    expect(await rows('SELECT * FROM curated.of_clean')).toEqual([])
    await expect(lake.queries.query('SELECT * FROM curated.of_clean', { asOf: new Date() })).rejects.toThrow(
      'The view curated.of_clean: clean has no history',
    )
  })

  test('moments are read as Athena reads them', async () => {
    const t = tableOn(lake, 'moments', shaped('moments', [column('id', 'BIGINT')]))
    await t.make({ kind: 'replace', query: 'SELECT 1 AS id' })
    const at = (moment: string) => rows(`SELECT * FROM curated.moments FOR TIMESTAMP AS OF ${moment}`)
    const made = Date.now()
    await expect.poll(() => Date.now()).toBeGreaterThan(made + 5)
    // The clock goes on between the two times that a statement is read.
    const ago = "FOR TIMESTAMP AS OF date_add('millisecond', -5, current_timestamp)"
    expect(
      await rows(`SELECT a.id FROM curated.moments ${ago} a JOIN curated.moments ${ago} AS b ON a.id = b.id`),
    ).toEqual([['1']])
    await expect(at(`TIMESTAMP '2126-01-31'`)).rejects.toThrow(
      'line 1:51: FOR TIMESTAMP AS OF takes a moment in the past',
    )
    await expect(at(`current_timestamp - INTERVAL '1' DAY`)).rejects.toThrow(
      /no version of .* or before: the first that is kept is of 20/,
    )
    await expect(at('id')).rejects.toThrow('line 1:51: FOR TIMESTAMP AS OF takes a constant, and id is a column')
    await expect(rows(`SELECT * FROM curated.moments AS m FOR VERSION AS OF 'x'`)).rejects.toThrow(
      'line 1:36: FOR … AS OF comes before the alias: write FROM curated.moments FOR … AS OF … AS m',
    )
    await expect(rows(`SELECT * FROM curated.moments FOR VERSION AS OF '../x'`)).rejects.toThrow('has no version ../x')
    await expect(rows(`SELECT * FROM curated."../x" FOR VERSION AS OF 'y'`)).rejects.toThrow('no table curated.../x')
    await expect(rows(`SELECT * FROM curated.moments FOR SYSTEM_TIME AS OF 1`)).rejects.toThrow('FOR SYSTEM_TIME')
    await expect(rows(`WITH a AS (SELECT 1 AS x) SELECT * FROM a FOR VERSION AS OF 'x'`)).rejects.toThrow(
      'a is a name of WITH and has no history',
    )
  })

  test('runs can be queried', async () => {
    const run: Run = runSchema.parse({
      format: 'weir.run/1',
      run: '20260102T030405678Z-0123456789ab',
      table: 'orders',
      kind: 'entity',
      outcome: 'failed_tests',
      scope: 'change',
      startedAt: '2026-01-02T03:04:05.678Z',
      finishedAt: '2026-01-02T03:04:06Z',
      version: null,
      rows: { written: 3, removed: null, total: 7 },
      uploads: { came: 2, left: 1, names: ['a', 'b'] },
      inputs: { 'clean.orders': 'x' },
      statements: [{ sql: 'SELECT 1', milliseconds: 1.5, cost: 0.25 }],
      bytesScanned: null,
      cost: 0.25,
      tests: [{ test: 'unique', column: 'id', severity: 'error', passed: false, failures: 2, samples: ['{}'] }],
      reason: { code: 'failed_tests', message: 'm', advice: 'a' },
      weir: '0.1.0',
    })
    expect(await rows('SELECT count(*) FROM ops.runs')).toEqual([['0']])
    await writeRun(lake.zones.ops, run)
    expect(
      await rows(
        `SELECT run, "table", outcome, startedAt, rows.written, rows.removed, uploads.names, element_at(inputs, 'clean.orders'), statements[1].cost, tests[1].failures, reason.code FROM ops.runs`,
      ),
    ).toEqual([
      [
        run.run,
        'orders',
        'failed_tests',
        '2026-01-02 03:04:05.678',
        '3',
        null,
        ['a', 'b'],
        'x',
        0.25,
        '2',
        'failed_tests',
      ],
    ])
    expect((await rows('SHOW COLUMNS FROM ops.runs')).flat()).toEqual(
      Object.keys(run).filter((name) => name !== 'format'),
    )
  })

  test('a version that cannot be read says what to do', async () => {
    const t = tableOn(lake, 'damaged', shaped('damaged', NUMBERS, { key: ['id'] }))
    const version = await t.make({ kind: 'replace', query: numbers(1, 2) })
    const merge = () => t.stage({ kind: 'merge', query: `SELECT *, false AS _gone FROM (${numbers(2, 3)})` })
    const path = join(root, 'curated', 'damaged', 'versions', `${version.id}.json`)
    await writeFile(path, '{}')
    await expect(merge()).rejects.toThrow(StorageError)
    await expect(rows('SELECT * FROM curated.damaged')).rejects.toThrow('weir curate --table damaged --full')
    await rm(path)
    await expect(merge()).rejects.toThrow(`The version ${version.id} of curated.damaged is missing`)
    await expect(rows('SELECT * FROM curated.damaged')).rejects.toThrow('is missing. Run "weir curate')
    await t.make({ kind: 'replace', query: numbers(5, 6) })
    expect(await rows('SELECT id FROM curated.damaged ORDER BY 1')).toEqual([['5'], ['6']])
  })

  test('what is published cannot be discarded', async () => {
    const t = tableOn(lake, 'lasts', shaped('lasts', NUMBERS))
    const staged = await t.stage({ kind: 'replace', query: numbers(1, 2) })
    await t.publish(staged)
    await expect(lake.tables.discard(staged)).rejects.toThrow('is published and cannot be discarded')
    expect(await rows('SELECT count(*) FROM curated.lasts')).toEqual([['2']])
  })

  test('deleted places of one file are put together before they are many', async () => {
    const t = tableOn(lake, 'worn', shaped('worn', NUMBERS, { key: ['id'] }))
    await t.make({ kind: 'replace', query: numbers(1, 1000) })
    let run = ''
    for (let n = 1; n <= COMPACT.deletes + 2; n++)
      run = (await t.make({ kind: 'merge', query: `SELECT *, true AS _gone FROM (${numbers(n, n)})` })).id
    const manifest = await readManifest(lake.zones.curated, 'worn', run)
    expect(manifest?.files.map(({ rows, deleted, deletes }) => [rows, deleted, deletes.length])).toEqual([
      [1000, COMPACT.deletes + 2, 2],
    ])
    expect(await rows('SELECT count(*), min(id) FROM curated.worn')).toEqual([['982', '19']])
  })
})

test('curated tables are read without a catalog; what needs one is refused', async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-tables-'))
  await createLocalLake(root)
  const before = await openLocalLake(root)
  await before.zones.ops.put('heads/things/a.json', '{}')
  const columns = [column('id', 'BIGINT')]
  await before.catalog.putTable({ name: 'clean.things', columns, partitionKeys: [] })
  await tableOn(before, 'kept', shaped('kept', columns)).make({ kind: 'replace', query: 'SELECT 1 AS id' })
  await tableOn(before, 'view', shaped('view', columns, { kind: 'view' })).make({
    kind: 'view',
    query: 'SELECT id FROM clean.things',
  })
  await before.close()
  await rm(join(root, '.weir', 'catalog.sqlite'))
  const lake = await openLocalLake(root, { log: () => {} })
  expect((await lake.queries.query('SELECT * FROM curated.kept')).rows).toEqual([['1']])
  await expect(lake.queries.query('SELECT * FROM curated.view')).rejects.toThrow('The catalog was lost')
  await expect(lake.queries.query('SELECT * FROM clean.things')).rejects.toThrow('The catalog was lost')
  await lake.close()
  await rm(root, { recursive: true })
})

describe('which files are written anew', () => {
  const file = (id: number, rows: number, deleted = 0): DataFile => ({
    id,
    key: `f${id}`,
    rows,
    bytes: rows,
    columns: [],
    deleted,
    deletes: [],
  })
  const settings = { ...COMPACT, files: 4 }
  const chosen = (files: DataFile[], coming: number) => [...filesToRewrite(files, coming, settings)].sort()

  test('none while they are few and whole', () => {
    expect(chosen([file(1, 1000), file(2, 10), file(3, 10)], 10)).toEqual([])
    expect(chosen([file(1, 1000, 300)], 10)).toEqual([])
  })
  test('those that have lost much', () => {
    expect(chosen([file(1, 1000, 301), file(2, 10)], 0)).toEqual([1])
  })
  test('the small ones when they are many, and not the large', () => {
    expect(chosen([file(1, 1000), file(2, 10), file(3, 10), file(4, 10)], 10)).toEqual([2, 3, 4])
    expect(chosen([file(1, 1000), file(2, 30), file(3, 10), file(4, 100)], 10)).toEqual([2, 3])
  })
  test('so that many runs write each row a few times, and leave few files', () => {
    let files: DataFile[] = [file(1, 100_000)]
    let written = 0
    const runs = 2000
    for (let run = 0; run < runs; run++) {
      const rewritten = filesToRewrite(files, 100, COMPACT)
      const size = 100 + files.filter(({ id }) => rewritten.has(id)).reduce((sum, { rows }) => sum + rows, 0)
      written += size
      files = [...files.filter(({ id }) => !rewritten.has(id)), file(run + 2, size)]
      expect(files.length).toBeLessThanOrEqual(COMPACT.files)
    }
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(100_000 + runs * 100)
    expect(written / (runs * 100)).toBeLessThan(6)
  })
})
