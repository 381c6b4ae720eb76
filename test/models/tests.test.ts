// The tests of a model, run: how many rows break each, and which.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestQuery, testQueries } from '../../lib/lake/models/tests.ts'
import { translate } from '../../lib/lake/statement.ts'
import { check, file, modelOf, TABLES } from './helpers.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
  await connection.run(`
    CREATE SCHEMA curated;
    CREATE TABLE curated.shops AS FROM (VALUES ('a', 'Bern', 1::SMALLINT, 1.0, 'u')) AS t(shop, city, size, rate, _upload);
    CREATE TABLE curated.m AS FROM (VALUES
      (1, 'a', DATE '2026-01-01', 1.50::DECIMAL(10,2), true), (2, 'a', DATE '2026-01-01', -2.00, NULL), (2, 'b', NULL, NULL, false),
      (NULL, NULL, DATE '2026-01-03', 3.00, false), (5, 'c', DATE '2026-01-04', 4.00, false)
    ) AS t(id, shop, day, amount, ok)
  `)
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
})

const MODEL = 'SELECT id, shop, day, amount, units > 0 AS ok FROM clean.orders'
const model = (settings: string) => modelOf(settings, MODEL)

async function run({ test, column, severity, sql, samples }: TestQuery) {
  const rows = async (statement: string) => {
    const translated = translate(statement, [...TABLES, model('').table])
    if (translated.kind !== 'query') throw new Error('not a query')
    return (await connection.runAndReadAll(translated.sql)).getRowObjectsJson()
  }
  const [counted] = await rows(sql)
  return { test, column, severity, failures: Number(counted?.failures), samples: await rows(samples) }
}

it.each([
  [
    'not_null: day',
    { column: 'day', failures: 1, samples: [{ id: 2, shop: 'b', day: null, amount: null, ok: false }] },
  ],
  ['not_null: [id, day]', { column: 'id, day', failures: 2 }],
  ['not_null: shop\n    severity: warning\n    name: shops', { test: 'shops', severity: 'warning', failures: 1 }],
  // Both rows of the pair break it; rows without a value are not compared.
  ['unique: id', { column: 'id', failures: 2, samples: [{ id: 2, _rows: '2' }] }],
  ['unique: [id, day]', { failures: 0, samples: [] }],
  ['unique: day', { failures: 2 }],
  ['accepted_values: { column: shop, values: [a, b] }', { column: 'shop', failures: 1 }],
  ['accepted_values: { column: id, values: [1, 2] }', { failures: 1 }],
  ['accepted_values: { column: amount, values: [1.5, -2, 3, 4] }', { failures: 0 }],
  ['accepted_values: { column: day, values: ["2026-01-01"] }', { failures: 2 }],
  ['accepted_values: { column: ok, values: [true] }', { failures: 3 }],
  ['relationships: { column: shop, to: curated.shops.shop }', { column: 'shop', failures: 2 }],
  ['sql: SELECT id FROM curated.m WHERE amount < 0;', { test: 'sql', failures: 1, samples: [{ id: 2 }] }],
  [
    'sql: WITH x AS (SELECT curated.m.id FROM curated.m) SELECT * FROM x JOIN curated.shops ON x.id > 4 -- all',
    { failures: 1 },
  ],
])('%s', async (test, expected) => {
  const queries = testQueries(model(`tests:\n  - ${test}`), '(SELECT * FROM curated.m)')
  expect(queries).toHaveLength(1)
  const [first] = queries
  if (first) expect(await run(first)).toMatchObject(expected)
})

it('rows that are not unique are counted, whatever their column is called', async () => {
  const one = modelOf('tests:\n  - unique: rows', 'SELECT units * 0 AS "rows" FROM clean.orders')
  const [only] = testQueries(one, '(SELECT 0 AS "rows" FROM curated.m)')
  if (only) expect(await run(only)).toMatchObject({ failures: 5, samples: [{ rows: 0, _rows: '5' }] })
})

it('what breaks a test is shown, five rows at most', async () => {
  const [only] = testQueries(
    model('tests:\n  - sql: SELECT a.id FROM curated.m AS a CROSS JOIN curated.m AS b'),
    'curated.m',
  )
  if (only) expect(await run(only)).toMatchObject({ failures: 25, samples: { length: 5 } })
})

it('a unique key is there and unique, said or not', async () => {
  const kinds = (settings: string) =>
    testQueries(model(settings), 'curated.m').map(({ test, column, severity }) => `${test} ${column} ${severity}`)
  expect(kinds('uniqueKey: [id, day]')).toEqual(['not_null id, day error', 'unique id, day error'])
  expect(kinds('uniqueKey: id\ntests:\n  - unique: id\n  - not_null: id\n    severity: warning')).toEqual([
    'not_null id error',
    'unique id error',
    'not_null id warning',
  ])
  const found = await Promise.all(testQueries(model('uniqueKey: id'), 'curated.m').map(run))
  expect(found.map(({ failures }) => failures)).toEqual([1, 2])
})

describe('accepted values are those that are written, with all their digits', () => {
  const SQL =
    'SELECT id, CAST(id AS bigint) AS big, CAST(id AS decimal(38,10)) AS exact, CAST(id AS double) AS wide, CAST(id AS real) AS small, shop, day, units > 0 AS ok FROM clean.orders'
  const tested = (column: string, values: string) =>
    check({ m: file(`tests:\n  - accepted_values: { column: ${column}, values: ${values} }`, SQL) })

  it.each([
    ['big', '[9007199254740993]', '9007199254740993', 0],
    ['big', '[9007199254740993]', '9007199254740992', 1],
    ['big', '[-9223372036854775808]', "'-9223372036854775808'", 0],
    ['big', '[-0, 1e21]', '0', 0],
    ['big', '[0x10, 0o17, 1e3]', '15', 0],
    ['exact', '[1e-7]', '0.0000001', 0],
    ['exact', '[1234567890123456789012345.6789]', '1234567890123456789012345.6789', 0],
    ['exact', '[1234567890123456789012345.6789]', '1234567890123456789012345.6788', 1],
    ['wide', '[0.1, 1e-7]', '1e-7', 0],
    ['wide', '[1e21, -0]', '0', 0],
    ['small', '[0.1]', '0.1', 0],
    // Of a text the number is what stands there.
    ['shop', '[01234, 1.10]', "'01234'", 0],
    ['shop', '[01234, 1.10]', "'1.1'", 1],
    ['shop', `["it's", 'the "big" one']`, "'it''s'", 0],
    ['shop', `["it's", 'the "big" one']`, '\'the "big" one\'', 0],
  ])('%s: %s, where there is %s', async (column, values, there, failures) => {
    const { models, errors } = tested(column, values)
    expect(errors).toEqual([])
    const [made] = models
    const type = made?.table.columns.find(({ name }) => name === column)?.type
    if (!made || !type) throw new Error('no model')
    await connection.run(`CREATE OR REPLACE TABLE curated.values AS SELECT CAST(${there} AS ${type}) AS ${column}`)
    const [query] = testQueries(made, 'curated."values"')
    const table = { name: 'curated.values', columns: [{ name: column, type }], partitionKeys: [] }
    const translated = translate(query?.sql ?? '', [table])
    if (translated.kind !== 'query') throw new Error('not a query')
    expect((await connection.runAndReadAll(translated.sql)).getRowsJson()).toEqual([[String(failures)]])
  })

  it.each([
    ['shop', '[a, true]', '4:50: The column shop is of the type varchar, and true is none: write "true", in quotes.'],
    ['id', '[1, "2"]', 'The column id is of the type integer, and "2" is a text: write numbers, without quotes.'],
    ['ok', '["true"]', 'The column ok is of the type boolean: its values are true and false, without quotes.'],
    ['day', '[2026]', 'The column day is of the type date, and 2026 is a number: write "2026-01-31".'],
    ['day', '[2026-02-31]', "The test cannot run: '2026-02-31' is no date."],
    [
      'big',
      '[123456789012345678901234567890123456789]',
      'is of the type bigint, and 1234567890123456789012345678901234',
    ],
    ['wide', '[.inf]', 'tests.accepted_values.values must be a text, a number or true/false. Found Infinity.'],
  ])('%s has no %s', (column, values, message) => {
    expect(tested(column, values).errors).toEqual([expect.stringContaining(message)])
  })
})
