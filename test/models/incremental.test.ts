// Which models can be incremental, why the others cannot, and the SQL of their runs.

import { Dialect, parse } from '@polyglot-sql/sdk'
import { describe, expect, it } from 'vitest'
import { incrementalQuery, nullKeyQuery, pinnedQuery } from '../../lib/lake/models/incremental.ts'
import { testQueries } from '../../lib/lake/models/tests.ts'
import { tablesOf } from '../../lib/sql/refs.ts'
import { check, file, modelOf, TABLES } from './helpers.ts'

const incremental = (sql: string, key = 'shop') => file(`materialized: incremental\nuniqueKey: ${key}`, sql)

describe('the driver', () => {
  const driverOf = (sql: string, key?: string) => {
    const { models, errors } = check({ m: incremental(sql, key) })
    return errors.length > 0 ? errors : models[0]?.incremental
  }
  it.each([
    ['SELECT shop, count(*) AS n FROM curated.orders GROUP BY shop', ['shop'], 'orders', true],
    ['SELECT upper( o.shop ) AS shop, o.id -- a key\n FROM curated.orders o', ['upper( o.shop )'], 'o', true],
    ['SELECT DISTINCT curated.orders.shop FROM curated.orders', ['orders.shop'], 'orders', true],
    ["SELECT coalesce(shop, '?') AS shop FROM curated.events AS o", ["coalesce(shop, '?')"], 'o', false],
    [
      "SELECT date_trunc('month', day) AS shop FROM curated.orders GROUP BY 1",
      ["date_trunc('month', day)"],
      'orders',
      false,
    ],
    ['SELECT try_cast(id AS integer) AS shop FROM curated.orders', ['try_cast(id AS integer)'], 'orders', true],
    // The table whose columns make the key, whichever else there is.
    [
      'SELECT s.city AS shop, count(*) AS n FROM curated.orders o JOIN curated.shops s ON s.shop = o.shop GROUP BY s.city',
      ['s.city'],
      's',
      true,
    ],
    ['SELECT shop, s.city FROM curated.orders o LEFT JOIN curated.shops s USING (shop)', ['shop'], 'o', true],
  ])('%s', (sql, keyExpressions, alias, nullable) => {
    const found = driverOf(sql)
    expect(found).toMatchObject({ alias, nullable })
    expect(found).toMatchObject({ keyExpressions })
  })
  it('is called as the catalog calls it, capitals and all', () => {
    const sales = TABLES.filter(({ name }) => name.endsWith('.orders')).map((one) => ({
      ...one,
      name: one.name.replace('orders', 'Sales'),
    }))
    const { models, errors } = check(
      {
        m: incremental('SELECT shop, count(*) AS n FROM curated.SALES GROUP BY shop'),
        n: file('materialized: view', 'SELECT id FROM clean.sales'),
        o: file('materialized: table', 'SELECT id FROM curated.n'),
      },
      [...TABLES, ...sales],
    )
    expect(errors).toEqual([])
    expect(models.map(({ reads }) => reads)).toEqual([['curated.Sales'], ['clean.Sales'], ['clean.Sales', 'curated.n']])
    const [model] = models
    if (!model) throw new Error('no model')
    expect(model.incremental?.driver).toBe('curated.Sales')
    expect(pinnedQuery(model, '2')).toContain("FROM curated.Sales FOR VERSION AS OF '2'")
  })
  it('may have a name that is a word of SQL', () => {
    const [orders] = TABLES.filter(({ name }) => name === 'curated.orders')
    if (!orders) throw new Error('no table of orders')
    const tables = [...TABLES, { ...orders, name: 'curated.order' }]
    const sql = 'SELECT curated."order".shop, count(*) AS n FROM curated."order" GROUP BY shop'
    const tested =
      'materialized: incremental\nuniqueKey: shop\ntests: [{ relationships: { column: shop, to: curated.order.shop } }]'
    const { models, errors } = check({ group: file(tested, sql) }, tables)
    expect(errors).toEqual([])
    const [model] = models
    if (!model) throw new Error('no model')
    expect(model.incremental).toMatchObject({ driver: 'curated.order', keyExpressions: ['"order".shop'] })
    const change = { driverKey: ['id'], before: '1', now: '2', came: ['a'], left: ['b'] }
    for (const query of [
      incrementalQuery(model, change),
      pinnedQuery(model, '2'),
      nullKeyQuery(model)?.sql ?? '',
      ...testQueries(model, 'curated."group"').map(({ sql }) => sql),
    ])
      expect(tablesOf(query).map(({ name }) => name)).toContain(
        query.includes('"order"') ? 'curated.order' : 'curated.group',
      )
  })
  it('is found through *', () => {
    expect(driverOf('SELECT * FROM curated.orders', 'id')).toEqual({
      driver: 'curated.orders',
      alias: 'orders',
      keyExpressions: ['"id"'],
      nullable: false,
    })
  })
})

describe('what cannot be followed is refused, with its place and what to do', () => {
  it.each([
    ['SELECT shop FROM clean.orders', '6:18: An incremental model follows one entity table'],
    [
      'SELECT shop FROM curated.orders UNION SELECT shop FROM curated.shops',
      '6:33: An incremental model is one SELECT from the table that it follows, and not UNION.',
    ],
    [
      'SELECT shop FROM (SELECT shop FROM curated.orders) AS o',
      '6:36: An incremental model follows a table that its outermost FROM names, and curated.orders is read inside',
    ],
    [
      'WITH o AS (SELECT * FROM curated.orders)\nSELECT shop FROM o',
      '6:26: An incremental model follows a table that its outermost FROM names',
    ],
    [
      'SELECT shop FROM curated.orders\nWHERE units > (SELECT avg(units) FROM curated.orders)',
      '7:39: An incremental model reads the table that it follows once',
    ],
    [
      'SELECT a.shop FROM curated.orders a JOIN curated.orders b ON a.id = b.id',
      'An incremental model reads the table that it follows once',
    ],
    [
      'SELECT o.shop, s.city FROM curated.shops s LEFT JOIN curated.orders o ON o.shop = s.shop',
      '6:54: curated.orders stands on the side of an outer join that may be missing',
    ],
    [
      'SELECT o.shop FROM curated.orders o RIGHT JOIN curated.shops s ON o.shop = s.shop',
      'stands on the side of an outer join',
    ],
    [
      'SELECT o.shop FROM curated.orders o FULL JOIN curated.shops s ON o.shop = s.shop',
      'stands on the side of an outer join',
    ],
    [
      'SELECT o.shop FROM (curated.shops s LEFT JOIN curated.orders o ON o.shop = s.shop) JOIN clean.returns r ON r.id = o.id',
      'stands on the side of an outer join',
    ],
    [
      'SELECT shop, min(s.city) AS c FROM curated.orders o JOIN curated.shops s USING (shop) GROUP BY shop',
      '6:58: The unique key could come from o or from s',
    ],
    [
      'SELECT o.shop || s.city AS shop FROM curated.orders o JOIN curated.shops s ON o.shop = s.shop',
      '6:18: The column shop of the unique key comes from s',
    ],
    [
      'SELECT min(shop) AS shop, day FROM curated.orders GROUP BY day',
      '6:8: The column shop of the unique key is made by min',
    ],
    [
      'SELECT lag(shop) OVER (ORDER BY id) AS shop FROM curated.orders',
      '6:8: The column shop of the unique key is the result of a window function',
    ],
    [
      'SELECT (SELECT max(city) FROM curated.shops) AS shop FROM curated.orders',
      '6:8: The column shop of the unique key has a subquery',
    ],
    ["SELECT 'x' AS shop FROM curated.orders", '6:8: The column shop of the unique key is the same in every row'],
    ['SELECT s.rate AS shop FROM curated.shops s', '6:8: The column shop of the unique key is of the type double'],
    [
      'SELECT lower(shop) AS shop, shop AS s FROM curated.orders GROUP BY shop',
      '6:1: An incremental model that groups has its whole unique key among GROUP BY, and lower(shop) is not there',
    ],
    [
      'SELECT shop, count(*) AS n FROM curated.orders GROUP BY ROLLUP (shop)',
      'An incremental model groups by its unique key only, and not by ROLLUP',
    ],
    [
      'SELECT shop, row_number() OVER (PARTITION BY day ORDER BY id) AS n FROM curated.orders',
      '6:14: A window function of an incremental model has the whole unique key in PARTITION BY (shop)',
    ],
    ['SELECT shop FROM curated.orders\nORDER BY id LIMIT 5', '7:13: An incremental model has no LIMIT'],
    ['SELECT shop FROM curated.orders OFFSET 5', 'An incremental model has no OFFSET'],
    ['SELECT shop, current_date AS d FROM curated.orders', '6:14: current_date gives another answer at another time'],
    [
      'SELECT a AS shop FROM curated.orders AS o (a, b, c, d, e, f)',
      'Give curated.orders, which the model follows, an alias without names of columns.',
    ],
    ['SELECT o.*, s.shop FROM curated.orders o JOIN curated.shops AS s ON true', 'Two columns have'],
  ])('%s', (sql, message) => {
    const { errors, models } = check({
      m: incremental(sql),
    })
    expect(errors.join('\n')).toContain(message)
    expect(models).toEqual([])
  })

  it('also where a view reads the driver again', () => {
    const { errors } = check({
      v: file('materialized: view', 'SELECT id FROM curated.orders'),
      m: incremental('SELECT o.shop, o.id FROM curated.orders o JOIN curated.v ON v.id = o.id', 'id'),
    })
    expect(errors).toEqual([
      expect.stringContaining(
        'm.sql:6:48: An incremental model reads the table that it follows once, and the view curated.v reads curated.orders too.',
      ),
    ])
  })
})

it('a model that also reads the clean table of its driver is warned that every run makes all anew', () => {
  const { errors, warnings } = check({
    m: incremental('SELECT o.shop, c.id FROM curated.orders o JOIN clean.orders c ON c.id = o.id'),
  })
  expect(errors).toEqual([])
  expect(warnings).toEqual([expect.stringContaining('m.sql:6:48: clean.orders changes whenever curated.orders does')])
})

describe('the SQL of a run', () => {
  const model = modelOf(
    'materialized: incremental\nuniqueKey: shop',
    'SELECT count(*) AS n, o.shop FROM curated.orders o GROUP BY o.shop',
  )
  it('takes the keys that changed rows have and had, and the rows of these keys', () => {
    const sql = incrementalQuery(model, {
      driverKey: ['id'],
      before: 'v1',
      now: 'v2',
      came: ['u2', "u'3"],
      left: ['u1'],
    })
    expect(sql).toBe(
      [
        `WITH _weir_came AS (SELECT "o"."id" AS _weir_p1 FROM curated.orders FOR VERSION AS OF 'v2' AS "o" WHERE "o"._upload IN ('u2', 'u''3')),`,
        `_weir_left AS (SELECT "o"."id" AS _weir_p1 FROM curated.orders FOR VERSION AS OF 'v1' AS "o" WHERE "o"._upload IN ('u1')),`,
        `_weir_affected AS (SELECT DISTINCT _weir_k1 FROM (SELECT o.shop AS _weir_k1 FROM curated.orders FOR VERSION AS OF 'v2' AS "o" WHERE "o"._upload IN ('u2', 'u''3') UNION ALL SELECT o.shop AS _weir_k1 FROM curated.orders FOR VERSION AS OF 'v1' AS "o" WHERE "o"._upload IN ('u1') UNION ALL SELECT o.shop AS _weir_k1 FROM curated.orders FOR VERSION AS OF 'v1' AS "o" WHERE "o"."id" IN (SELECT _weir_p1 FROM _weir_came) UNION ALL SELECT o.shop AS _weir_k1 FROM curated.orders FOR VERSION AS OF 'v2' AS "o" WHERE "o"."id" IN (SELECT _weir_p1 FROM _weir_left)) AS k WHERE _weir_k1 IS NOT NULL)`,
        `SELECT m."n" AS "n", a._weir_k1 AS "shop", m."shop" IS NULL AS _gone`,
        'FROM _weir_affected AS a LEFT JOIN (',
        `SELECT count(*) AS n, o.shop FROM (SELECT "o".* FROM curated.orders FOR VERSION AS OF 'v2' AS "o" JOIN _weir_affected AS a ON o.shop = a._weir_k1) o GROUP BY o.shop`,
        `) AS m ON a._weir_k1 = m."shop"`,
      ].join('\n'),
    )
  })
  it('needs no primary key where rows only add up, and names versions as the lake does', () => {
    const sql = incrementalQuery(
      model,
      { driverKey: [], before: '7', came: [], left: ['u1'] },
      { version: (table, version) => `${table}@${version}` },
    )
    expect(sql).toContain(
      'SELECT o.shop AS _weir_k1 FROM curated.orders AS "o" WHERE false UNION ALL SELECT o.shop AS _weir_k1 FROM curated.orders@7 AS "o" WHERE "o"._upload IN (\'u1\')',
    )
    expect(sql).not.toContain('_weir_came')
  })
  it('is SQL to a parser that is not ours', () => {
    const change = { driverKey: ['id'], before: 'v1', now: 'v2', came: ['u2'], left: ['u1'] }
    const statements = [
      incrementalQuery(model, change),
      nullKeyQuery(model)?.sql ?? '',
      nullKeyQuery(model)?.samples ?? '',
    ]
    for (const sql of statements)
      expect(parse(sql.replaceAll(/ FOR VERSION AS OF '\w+'/g, ''), Dialect.Athena)).toMatchObject({ success: true })
  })
  it('asks for rows without a key only where there can be some', () => {
    expect(nullKeyQuery(model)).toMatchObject({ test: 'not_null', column: 'shop', severity: 'error' })
    expect(
      nullKeyQuery(modelOf('materialized: incremental\nuniqueKey: id', 'SELECT id, shop FROM curated.orders')),
    ).toBeUndefined()
  })
})
