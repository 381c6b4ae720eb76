// Whatever comes to and leaves the table that an incremental model follows: the rows of its run, merged into the table as it
// was, give what the model gives from scratch.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { incrementalQuery, nullKeyQuery } from '../../lib/lake/models/incremental.ts'
import type { Model } from '../../lib/lake/models/model.ts'
import { translate } from '../../lib/lake/statement.ts'
import { replaceTables } from '../../lib/sql/refs.ts'
import { modelOf, TABLES } from './helpers.ts'

/** `{driver}` is curated.orders (the newest row per id) and curated.events (all rows). */
const SHAPES: Record<string, [settings: string, sql: string]> = {
  'months, summed up': [
    'uniqueKey: month',
    "SELECT date_trunc('month', o.day) AS month, count(*) AS n, sum(o.units) AS units, max(o.amount) AS most FROM {driver} o GROUP BY date_trunc('month', o.day)",
  ],
  'rows picked by a condition': [
    'uniqueKey: [shop, id, upload]',
    "SELECT coalesce(shop, '?') AS shop, id, _upload AS upload, amount * 2 AS twice FROM {driver} WHERE units > 1 AND amount < 80",
  ],
  'joined to another table': [
    'uniqueKey: day',
    'SELECT o.day, s.city, count(*) AS n FROM {driver} AS o LEFT JOIN curated.shops AS s ON s.shop = o.shop AND s.size > 0 GROUP BY 1, 2 HAVING count(*) >= 1',
  ],
  'joined from the other side': [
    'uniqueKey: [shop, day]',
    "SELECT upper(shop) AS shop, o.day, min(s.city) AS city, sum(o.amount) AS amount FROM curated.shops s RIGHT JOIN {driver} o USING (shop) WHERE shop <> 'c' GROUP BY upper(shop), o.day",
  ],
  'a key made by CASE': [
    'uniqueKey: [class]',
    "SELECT CASE WHEN amount > 50 THEN 'big' WHEN amount > 20 THEN 'middle' ELSE 'small' END AS class, count(DISTINCT id) AS orders, sum(units) AS units FROM {driver} GROUP BY CASE WHEN amount > 50 THEN 'big' WHEN amount > 20 THEN 'middle' ELSE 'small' END",
  ],
  'groups that must be large': [
    'uniqueKey: shop',
    'SELECT o.shop, count(*) AS n FROM {driver} o WHERE units IS NOT NULL GROUP BY o.shop HAVING count(*) > 2',
  ],
  'distinct rows and a window': [
    'uniqueKey: shop',
    'SELECT DISTINCT shop, sum(units) OVER (PARTITION BY shop) AS units FROM {driver}',
  ],
  'WITH, and a condition on another table': [
    'uniqueKey: [day, shop]',
    'WITH big AS (SELECT shop FROM curated.shops WHERE size > 1) SELECT o.shop, count(*) AS n, o.day FROM {driver} o WHERE o.shop IN (SELECT shop FROM big) GROUP BY o.shop, o.day',
  ],
  'lists taken apart': [
    'uniqueKey: shop',
    'SELECT o.shop, sum(u.n) AS total FROM {driver} o CROSS JOIN UNNEST(sequence(1, o.units)) AS u(n) GROUP BY o.shop',
  ],
  'called by its whole name': [
    'uniqueKey: quarter',
    "SELECT date_trunc('quarter', {driver}.day) AS quarter, array_join(array_sort(array_agg({driver}.id)), ',') AS ids FROM {driver} GROUP BY 1",
  ],
  'a key of another type': [
    'uniqueKey: key',
    'SELECT id AS key, o.amount, count(*) AS n FROM {driver} o JOIN (SELECT CAST(t.id AS bigint) AS id FROM curated.shops CROSS JOIN UNNEST(sequence(1, 5)) AS t(id)) AS n USING (id) WHERE EXISTS (SELECT 1 FROM curated.shops s WHERE s.shop = o.shop) GROUP BY id, o.amount',
  ],
}

interface Row {
  id: number
  shop: string | null
  day: string
  amount: number
  units: number | null
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.integer({ min: 1, max: 7 }),
  shop: fc.constantFrom('a', 'b', 'c', null),
  day: fc.constantFrom('2026-01-30', '2026-01-31', '2026-02-01', '2026-04-01'),
  amount: fc.integer({ min: 0, max: 100 }),
  units: fc.option(fc.integer({ min: 1, max: 3 })),
})
const rows = fc.uniqueArray(row, { maxLength: 4, selector: ({ id }) => id })
/** What an upload holds before and afterwards; undefined: it is not there. */
const upload = fc.oneof(
  rows.map((before) => ({ before, after: before })),
  rows.map((before) => ({ before, after: undefined })),
  rows.map((after) => ({ before: undefined, after })),
  // Stored anew under another contract: its name stays.
  fc.record({ before: rows, after: rows }),
)
const history = fc.array(upload, { minLength: 1, maxLength: 6 })

let instance: DuckDBInstance
let connection: DuckDBConnection

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
  await connection.run(`
    CREATE SCHEMA curated;
    CREATE TABLE curated.shops AS FROM (VALUES ('a', 'Bern', 1::SMALLINT, 1.0, 'u'), ('b', 'Genf', 2::SMALLINT, 2.0, 'u')) AS t(shop, city, size, rate, _upload)
  `)
  for (const name of ['orders', 'events'])
    for (const version of ['', '_before'])
      await connection.run(
        `CREATE TABLE curated.${name}${version} (id INTEGER, shop VARCHAR, day DATE, amount DECIMAL(10,2), units INTEGER, _upload VARCHAR)`,
      )
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
})

const KNOWN = TABLES.flatMap((table) => [table, { ...table, name: `${table.name}_before` }])
/** A version as a table of its own: here the present and what was before. */
const version = (table: string, id: string) => (id === 'now' ? table : `${table}_before`)

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const translated = translate(sql, KNOWN)
  if (translated.kind !== 'query') throw new Error('not a query')
  return (await connection.runAndReadAll(translated.sql)).getRowObjectsJson()
}

async function fill(name: string, uploads: { name: string; rows: Row[] }[], newest: boolean): Promise<void> {
  let all = uploads.flatMap(({ name, rows }) => rows.map((row) => ({ ...row, upload: name })))
  if (newest)
    all = [...new Map(all.sort((a, b) => (a.upload < b.upload ? -1 : 1)).map((row) => [row.id, row])).values()]
  const text = (value: string | null) => (value === null ? 'NULL' : `'${value}'`)
  const list = all.map(
    (r) => `(${r.id}, ${text(r.shop)}, ${text(r.day)}, ${r.amount}, ${r.units ?? 'NULL'}, '${r.upload}')`,
  )
  await connection.run(
    `DELETE FROM curated.${name};${list.length > 0 ? ` INSERT INTO curated.${name} VALUES ${list.join(', ')}` : ''}`,
  )
}

/** What the model gives as rows by key; rows without a key apart. */
function byKey(model: Model, found: Record<string, unknown>[]) {
  const table = new Map<string, string[]>()
  let without = 0
  for (const one of found) {
    const key = model.uniqueKey.map((column) => one[column])
    if (key.includes(null)) without++
    else table.set(JSON.stringify(key), [...(table.get(JSON.stringify(key)) ?? []), JSON.stringify(one)].sort())
  }
  return { table, without }
}

describe('an incremental run gives what a run from scratch gives', () => {
  for (const [driver, driverKey] of [
    ['orders', ['id']],
    ['events', []],
  ] as const) {
    it(`following curated.${driver}, ${driverKey.length > 0 ? 'the newest row of each key' : 'all rows'}`, async () => {
      const models = Object.entries(SHAPES).map(([shape, [settings, sql]]) => ({
        shape,
        model: modelOf(`materialized: incremental\n${settings}`, sql.replaceAll('{driver}', `curated.${driver}`)),
      }))
      await fc.assert(
        fc.asyncProperty(history, fc.boolean(), async (uploads, pinned) => {
          const named = uploads.map((one, index) => ({ ...one, name: `u${index}` }))
          const at = (when: 'before' | 'after') =>
            named.flatMap((one) => (one[when] ? [{ name: one.name, rows: one[when] }] : []))
          await fill(`${driver}_before`, at('before'), driverKey.length > 0)
          await fill(driver, at('after'), driverKey.length > 0)
          const changed = named.filter(({ before, after }) => before !== after)
          const came = changed.filter(({ after }) => after).map(({ name }) => name)
          const left = changed.filter(({ before }) => before).map(({ name }) => name)
          for (const { shape, model } of models) {
            const past = replaceTables(model.sql, ({ name }) =>
              name === `curated.${driver}` ? version(name, 'before') : undefined,
            )
            const { table } = byKey(model, await rowsOf(past))
            const change = { driverKey, before: 'before', came, left, ...(pinned ? { now: 'now' } : {}) }
            const seen = new Set<string>()
            for (const { _gone, ...rest } of await rowsOf(incrementalQuery(model, change, { version }))) {
              const key = JSON.stringify(model.uniqueKey.map((column) => rest[column]))
              if (!seen.has(key)) table.delete(key)
              seen.add(key)
              if (_gone !== true) table.set(key, [...(table.get(key) ?? []), JSON.stringify(rest)].sort())
            }
            const wanted = byKey(model, await rowsOf(model.sql))
            expect({ shape, rows: [...table].sort() }).toEqual({ shape, rows: [...wanted.table].sort() })
            const asked = nullKeyQuery(model)
            const without = asked ? Number((await rowsOf(asked.sql))[0]?.failures) : 0
            expect({ shape, without }).toEqual({ shape, without: wanted.without })
          }
        }),
        { numRuns: Number(process.env.WEIR_RUNS ?? 12) },
      )
    }, 120_000)
  }
})
