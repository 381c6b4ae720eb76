// Tables in the text of a statement: found wherever a query can stand, and replaced without changing what names mean.

import { describe, expect, it } from 'vitest'
import { QueryError } from '../../lib/sql/errors.ts'
import { replaceTables, tablesOf } from '../../lib/sql/refs.ts'

const names = (sql: string) => tablesOf(sql).map(({ name }) => name)

describe('tables of a statement', () => {
  it.each([
    ['SELECT 1', []],
    ['SELECT * FROM clean.orders', ['clean.orders']],
    ['TABLE clean.orders', ['clean.orders']],
    ['SELECT * FROM AwsDataCatalog."Clean".ORDERS', ['clean.orders']],
    ['SELECT * FROM clean.a, (clean.b JOIN clean.c ON true)', ['clean.a', 'clean.b', 'clean.c']],
    [
      'SELECT (SELECT max(x) FROM clean.a) FROM clean.b WHERE EXISTS (SELECT 1 FROM clean.c)',
      ['clean.a', 'clean.b', 'clean.c'],
    ],
    [
      'SELECT x FROM clean.a WHERE x IN (SELECT x FROM clean.b) AND x > ALL (SELECT x FROM clean.c)',
      ['clean.a', 'clean.b', 'clean.c'],
    ],
    [
      'SELECT x FROM clean.a UNION (SELECT x FROM clean.b EXCEPT SELECT x FROM clean.a)',
      ['clean.a', 'clean.b', 'clean.a'],
    ],
    [
      'SELECT sum(x) OVER (ORDER BY (SELECT 1 FROM clean.b)) FROM clean.a ORDER BY (SELECT 1 FROM clean.c)',
      ['clean.b', 'clean.a', 'clean.c'],
    ],
    ['WITH a AS (SELECT * FROM clean.b) SELECT * FROM a', ['clean.b']],
    // A name of WITH holds from there on, and within its query.
    ['WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b', ['b']],
    ['SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) AS s JOIN a ON true', ['a']],
    ['WITH A AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM a)', []],
    ['EXPLAIN SELECT * FROM clean.orders', ['clean.orders']],
  ])('%s', (sql, expected) => {
    expect(names(sql)).toEqual(expected)
  })

  it('have places and aliases', () => {
    const sql = 'SELECT * FROM clean.orders AS o (a, b) JOIN "curated"."shops" s ON true'
    const found = tablesOf(sql)
    expect(found.map(({ at, end }) => sql.slice(at, end))).toEqual(['clean.orders', '"curated"."shops"'])
    expect(found.map(({ alias }) => alias)).toEqual([{ name: 'o', columns: ['a', 'b'] }, { name: 's' }])
  })

  it('are those of a query only', () => {
    expect(() => tablesOf('SHOW TABLES')).toThrow(QueryError)
    expect(() => tablesOf('SELECT FROM')).toThrow('line 1:8')
  })
})

describe('replacing tables', () => {
  const replaced = (sql: string) =>
    replaceTables(sql, ({ name }) => (name === 'curated.orders' ? '(SELECT 1)' : undefined))
  it.each([
    ['SELECT id FROM curated.orders', 'SELECT id FROM (SELECT 1) AS "orders"'],
    ['SELECT o.id FROM curated.orders o', 'SELECT o.id FROM (SELECT 1) o'],
    ['SELECT o.id FROM curated.orders AS o (id)', 'SELECT o.id FROM (SELECT 1) AS o (id)'],
    [
      'SELECT orders.id, curated.orders.id FROM curated.orders',
      'SELECT orders.id, orders.id FROM (SELECT 1) AS "orders"',
    ],
    [
      'SELECT "Curated" . Orders . id, curated.orders.* FROM curated.orders',
      'SELECT Orders . id, orders.* FROM (SELECT 1) AS "orders"',
    ],
    ['SELECT x.curated.orders.id FROM curated.orders', 'SELECT x.curated.orders.id FROM (SELECT 1) AS "orders"'],
    [
      'SELECT curated.shops.id FROM curated.orders JOIN curated.shops ON true',
      'SELECT curated.shops.id FROM (SELECT 1) AS "orders" JOIN curated.shops ON true',
    ],
    [
      "SELECT 'curated.orders' -- curated.orders.id\nFROM curated.orders JOIN curated.orders AS b USING (id)",
      'SELECT \'curated.orders\' -- curated.orders.id\nFROM (SELECT 1) AS "orders" JOIN (SELECT 1) AS b USING (id)',
    ],
    ['TABLE curated.orders', 'SELECT * FROM (SELECT 1) AS "orders"'],
    ['SELECT * FROM clean.orders', 'SELECT * FROM clean.orders'],
    ['WITH orders AS (SELECT 2) SELECT * FROM orders', 'WITH orders AS (SELECT 2) SELECT * FROM orders'],
  ])('%s', (sql, expected) => {
    expect(replaced(sql)).toBe(expected)
  })
})
