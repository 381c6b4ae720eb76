// Athena's SQL on the embedded lake: the answers are Athena's, the refusals name what they refuse, and the documentation lists
// exactly what there is.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Dialect, parse } from '@polyglot-sql/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QueryError, UnsupportedSql } from '../../lib/lake/errors.ts'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake, TableDefinition } from '../../lib/lake/ports.ts'
import { translate } from '../../lib/lake/statement.ts'
import { FUNCTIONS, REFUSED_FUNCTIONS } from '../../lib/sql/functions.ts'
import { duckdbName } from '../../lib/sql/types.ts'
import { CASES, REFUSED } from './cases.ts'
import { TRAPS, TRAPS_REFUSED } from './traps.ts'

const SALES: TableDefinition = {
  name: 'clean.sales',
  columns: [
    { name: 'id', type: 'INTEGER' },
    { name: 'shop', type: 'VARCHAR' },
    { name: 'amount', type: 'DECIMAL(10,2)' },
    { name: 'units', type: 'INTEGER' },
    { name: 'day', type: 'DATE' },
    { name: 'at', type: 'TIMESTAMP' },
    { name: 'note', type: 'VARCHAR' },
  ],
  partitionKeys: [],
}
const TAGS: TableDefinition = {
  name: 'clean.tags',
  columns: [
    { name: 'id', type: 'INTEGER' },
    { name: 'tags', type: 'VARCHAR[]' },
    { name: 'prices', type: 'MAP(VARCHAR, INTEGER)' },
    { name: 'place', type: 'STRUCT(city VARCHAR, zip VARCHAR)' },
  ],
  partitionKeys: [],
}
const ROWS: Readonly<Record<string, string>> = {
  'clean.sales': `(1, 'Bern', 10.00, 3, DATE '2026-01-31', TIMESTAMP '2026-01-31 23:30:00', NULL),
    (2, 'Bern', 5.25, NULL, DATE '2026-02-01', TIMESTAMP '2026-02-01 00:15:00', 'a,b'),
    (3, 'Genf', 2.50, 4, DATE '2026-02-28', TIMESTAMP '2026-02-28 12:00:00', 'x'),
    (4, NULL, 1.00, 1, DATE '2026-03-01', TIMESTAMP '2026-03-01 08:30:45', '')`,
  'clean.tags': `(1, ['a', 'b'], MAP {'x': 1, 'y': 2}, {'city': 'Bern', 'zip': '03000'}),
    (2, [], MAP {}, {'city': 'Genf', 'zip': '01200'}), (3, NULL, NULL, NULL)`,
}

let lake: Lake
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-sql-'))
  await createLocalLake(root)
  lake = await openLocalLake(root)
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  for (const table of [SALES, TAGS]) {
    await lake.catalog.putTable(table)
    const name = table.name.slice('clean.'.length)
    const casts = table.columns.map(({ name, type }, at) => `CAST(c${at} AS ${type}) AS ${name}`).join(', ')
    const columns = table.columns.map((_, at) => `c${at}`).join(', ')
    const file = join(root, `${name}.parquet`)
    await connection.run(
      `COPY (SELECT ${casts} FROM (VALUES ${ROWS[table.name]}) t(${columns})) TO '${file}' (FORMAT parquet)`,
    )
    await lake.zones.clean.putFile(`${name}/part-0.parquet`, file)
    await lake.catalog.putPartition(table.name, { values: [], location: `${name}/` })
  }
  connection.closeSync()
  instance.closeSync()
})
afterAll(async () => {
  await lake.close()
  await rm(root, { recursive: true })
})

describe.each([...CASES, ...TRAPS])('%s', (_, cases) => {
  test.each(cases)('$sql', async ({ sql, rows, types }) => {
    const result = await lake.queries.query(sql)
    expect(result.rows).toEqual(rows.map((row) => row.map((cell) => (typeof cell === 'number' ? near(cell) : cell))))
    if (types) expect(result.columns.map(({ type }) => type)).toEqual(types)
  })
})

/** Doubles are compared as such; whole numbers exactly. */
const near = (number: number): unknown => (Number.isInteger(number) ? number : expect.closeTo(number, 12))

test.each([...REFUSED, ...TRAPS_REFUSED])('%s is refused', async (sql, message) => {
  const error = await lake.queries.query(sql).then(
    (result) => result,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(QueryError)
  expect((error as Error).message).toMatch(message)
})

const ALL = [...CASES, ...TRAPS].flatMap(([, cases]) => cases)

test('there are more than a hundred cases', () => {
  expect(ALL.length).toBeGreaterThan(100)
})

test('DuckDB gives every column the type that the translation says', async () => {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'; SET ieee_floating_point_ops = true; CREATE SCHEMA clean")
  for (const { name, columns } of [SALES, TAGS]) {
    const list = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${name}`).join(', ')
    await connection.run(`CREATE TABLE ${name} AS SELECT ${list}, '' AS "$path" WHERE false`)
  }
  for (const { sql } of ALL) {
    const translated = translate(sql, [SALES, TAGS])
    if (translated.kind !== 'query') throw new Error(sql)
    const found = (await connection.runAndReadAll(`SELECT * FROM (${translated.sql}) AS t LIMIT 0`)).columnTypes()
    for (const [at, { type }] of translated.columns.entries()) {
      if (type.of === 'unknown') continue
      const wanted = type.of === 'instant' ? 'VARCHAR' : duckdbName(type)
      expect(`${sql}: ${at}: ${String(found[at]).replaceAll('"', '')}`).toBe(
        `${sql}: ${at}: ${wanted.replaceAll('"', '')}`,
      )
    }
  }
  connection.closeSync()
  instance.closeSync()
})

test('another parser of Trino reads every case as well', () => {
  // It does not know TABLE.
  for (const { sql } of ALL.filter(({ sql }) => !sql.startsWith('TABLE')))
    expect(`${sql} ${parse(sql, Dialect.Trino).success}`).toBe(`${sql} true`)
})

test('every function of the allow-list has a case', () => {
  const called = new Set(
    ALL.flatMap(({ sql }) => sql.toLowerCase().match(/[a-z_0-9]+(?=\()|current_\w+|localtimestamp/g) ?? []),
  )
  expect(Object.keys(FUNCTIONS).filter((name) => !called.has(name))).toEqual([])
})

test('an error says what it is about, and where', () => {
  const sql = 'SELECT id,\n  string_agg(shop) FROM clean.sales'
  let found: unknown
  try {
    translate(sql, [SALES])
  } catch (error) {
    found = error
  }
  expect(found).toBeInstanceOf(UnsupportedSql)
  expect(found).toMatchObject({ name: 'UnsupportedSql', construct: 'The function string_agg', line: 2, column: 3 })
})

test('what is nested so that the translation would grow without end is refused', () => {
  let text = "'a'"
  for (let depth = 0; depth < 40; depth++) text = `substr(${text}, -1)`
  expect(() => translate(`SELECT ${text}`, [])).toThrow(/nested too deeply/)
  expect(() => translate(`SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`, [])).toThrow(/nested too deeply/)
})

test('names with quotes and signs stay names', async () => {
  const { columns, rows } = await lake.queries.query(
    `SELECT "a""b; DROP" AS "x'y" FROM (SELECT 1 AS "a""b; DROP") AS t`,
  )
  expect([columns, rows]).toEqual([[{ name: "x'y", type: 'INTEGER' }], [[1]]])
})

test('columns without a name are called as Athena calls them', async () => {
  const { columns } = await lake.queries.query(
    'SELECT id, count(*), max(units) AS most, place.city FROM clean.sales JOIN clean.tags USING (id) GROUP BY 1, 4',
  )
  expect(columns.map(({ name }) => name)).toEqual(['id', '_col1', 'most', 'city'])
})

test('the documentation lists exactly the functions that there are, and those that are refused', async () => {
  const page = await readFile(new URL('../../docs/athena-sql.md', import.meta.url), 'utf8')
  const part = (title: string) => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  const first = (text: string) =>
    text.split('\n').flatMap((line) => /^\| (`[^|]*)\|/.exec(line)?.[1]?.match(/`([a-z_0-9]+)`/g) ?? [])
  const plain = (names: string[]) => names.map((name) => name.replaceAll('`', '')).sort()
  expect(plain(first(part('Functions')))).toEqual(Object.keys(FUNCTIONS).sort())
  expect(plain(first(part('Refused functions')))).toEqual(Object.keys(REFUSED_FUNCTIONS).sort())
  for (const [name, advice] of Object.entries(REFUSED_FUNCTIONS))
    expect(page).toContain(`| \`${name}\` | ${advice.replaceAll('|', '\\|')} |`)
})
