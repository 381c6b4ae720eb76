// What is wrong with a model is found before anything runs, with its place in the file, and all of it at once.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readContracts } from '../../lib/contract/read.ts'
import { checkModels } from '../../lib/lake/models/check.ts'
import { ModelError, modelIssueText } from '../../lib/lake/models/issues.ts'
import { tablesOfLake } from '../../lib/lake/models/known.ts'
import { parseModels, readModels } from '../../lib/lake/models/read.ts'
import { check, file, modelOf, TABLES } from './helpers.ts'

/** The issues of one model `m`. */
const errors = (text: string): string[] => check({ m: text }).errors
const TYPED = 'SELECT id, shop, day, amount FROM clean.orders'

describe('front matter', () => {
  it('says how the model is made', () => {
    const { models, errors, warnings } = check({
      m: file(
        'materialized: table\nuniqueKey: ID\npartitionBy: [month(day), "bucket(4, shop)"]\nschedule: cron(0 6 * * ? *)\ncolumns: { day: The day. }\n' +
          'tests:\n  - not_null: day\n  - unique: [shop, day]\n    severity: warning\n    name: once_a_day',
        TYPED,
      ),
    })
    expect([...errors, ...warnings]).toEqual([])
    expect(models).toMatchObject([
      {
        name: 'm',
        file: 'm.sql',
        description: 'A test.',
        materialized: 'table',
        uniqueKey: ['id'],
        partitionBy: [
          { transform: 'month', column: 'day' },
          { transform: 'bucket', n: 4, column: 'shop' },
        ],
        schedule: 'cron(0 6 * * ? *)',
        sql: TYPED,
        reads: ['clean.orders'],
        table: {
          name: 'curated.m',
          description: 'A test.',
          columns: [
            { name: 'id', type: 'INTEGER' },
            { name: 'shop', type: 'VARCHAR' },
            { name: 'day', type: 'DATE', comment: 'The day.' },
            { name: 'amount', type: 'DECIMAL(10,2)' },
          ],
          partitionKeys: [],
        },
        tests: [
          { kind: 'not_null', columns: ['day'], severity: 'error' },
          { kind: 'unique', columns: ['shop', 'day'], severity: 'warning', name: 'once_a_day' },
        ],
      },
    ])
  })

  it('may be left out: a table, made anew on each change', () => {
    const { models, warnings } = check({ m: 'SELECT 1 AS x; -- that is all' })
    expect(models).toMatchObject([{ materialized: 'table', sql: 'SELECT 1 AS x', tests: [], uniqueKey: [] }])
    expect(models[0]).not.toHaveProperty('schedule')
    expect(warnings).toEqual(['m.sql: The model has no description: say in a sentence what a row of it is.'])
  })

  it('may stand behind other comments', () => {
    const { models, errors } = check({
      m: "-- Ours; don't copy\r\n/* since 2026\n*/\n/*---\ndescription: x\nmaterialized: view\n---*/\nSELECT id FROM clean.orders",
    })
    expect(errors).toEqual([])
    expect(models).toMatchObject([{ description: 'x', materialized: 'view' }])
  })

  it.each([
    ['SELECT id FROM clean.orders\n/*---\nmaterialized: view\n---*/', '2:1: This looks like front matter'],
    ["SELECT '/*---\n' AS x\n/* ---\nmaterialized: view\n--- */", '3:1: This looks like front matter'],
    ['/* ---\nmaterialized: view\n--- */\nSELECT id FROM clean.orders', '1:1: This looks like front matter'],
    [
      '/*---\ndescription: x\n---*/\n/*---\nmaterialized: view\n---*/\nSELECT id FROM clean.orders',
      '4:1: There is front matter already',
    ],
  ])('that nobody would read is a mistake: %j', (text, message) => {
    expect(errors(text)).toEqual([expect.stringContaining(`m.sql:${message}`)])
  })

  it('is not what merely looks nice', () => {
    const text = "/*--------\n  Orders\n---------*/\nSELECT '/*---\n---*/' AS x /*--- all ---*/ -- /*---\n"
    expect(check({ m: text }).models).toMatchObject([{ name: 'm', materialized: 'table' }])
  })

  it.each([
    [
      'tests:\n\t- not_null: id',
      '4:1: The front matter is not YAML: lines begin with blanks in it, and not with a tab.',
    ],
    ['description: y', '3:1: The front matter is not YAML: this setting stands here twice. Leave one out.'],
    ['schedule: a: b', '3:11: The front matter is not YAML: a text with a colon and a blank in it needs quotes.'],
    ['uniqueKey: id, day', '3:1: uniqueKey must be a list where it is several columns: [day, shop]. Found "id, day".'],
    ['uniqueKey: [id, ID]', '3:1: uniqueKey must name each column once. Found ["id","ID"].'],
    ['tests: [unique: []]', '3:9: tests.unique must name a column. Found [].'],
    ['schedule:', '3:1: schedule must be a text. Found nothing.'],
    ['columns: [id: x]', '3:1: columns must give each column its description, like {revenue: In euros}.'],
    [
      'tests: [accepted_values: {column: id, values: [1], value: 2}]',
      'tests.accepted_values has no setting value; values is meant, perhaps. Its settings are: column, values.',
    ],
  ])('says what to write instead of %j', (setting, message) => {
    expect(errors(file(setting, 'SELECT id, day FROM clean.orders'))).toEqual([expect.stringContaining(message)])
  })

  it('tells every mistake, with its place', () => {
    expect(
      errors(
        [
          '/*---',
          'materialised: table',
          'materialized: tabel',
          'uniqueKey: 3',
          'schedule: rate(1 hours)',
          'partitionBy: [months(day)]',
          'tests:',
          '  - not_nul: id',
          '  - not_null: id',
          '    unique: id',
          '  - accepted_values: { column: id, values: [] }',
          '  - relationships: { column: id, to: airports }',
          '  - not_null: id',
          '    severity: bad',
          '---*/',
          'SELECT nope, id, also_nope FROM clean.orders',
        ].join('\n'),
      ),
    ).toEqual([
      expect.stringContaining('m.sql:2:1: There is no setting materialised; materialized is meant, perhaps.'),
      'm.sql:3:1: materialized must be view, table or incremental. Found "tabel".',
      'm.sql:4:1: uniqueKey must be a column, or a list of columns. Found 3.',
      'm.sql:5:1: schedule must be like rate(1 hour), rate(2 days) or cron(0 6 * * ? *). Found "rate(1 hours)".',
      expect.stringContaining('m.sql:6:15: partitionBy must be a column, or year/month/day/hour(column)'),
      'm.sql:8:5: A test is exactly one of not_null, unique, accepted_values, relationships, sql. Found not_nul; not_null is meant, perhaps.',
      'm.sql:9:5: A test is exactly one of not_null, unique, accepted_values, relationships, sql. Found not_null, unique.',
      'm.sql:11:36: tests.accepted_values.values must have a value. Found [].',
      'm.sql:12:34: tests.relationships.to must be a column of a table, like curated.airports.iata. Found "airports".',
      'm.sql:14:5: tests.severity must be error or warning. Found "bad".',
      expect.stringContaining('m.sql:16:8: There is no column nope.'),
      expect.stringContaining('m.sql:16:18: There is no column also_nope.'),
    ])
  })

  it.each([
    ['---\nmaterialized: view\n---\nSELECT 1 AS x', 'm.sql:1:1: Front matter stands in a comment'],
    ['/*---\nmaterialized: view\n*/ SELECT 1 AS x', 'm.sql:1:1: The front matter is not closed'],
    ['/*---\nschedule: cron(*/5 * * * ? *)\n---*/ SELECT 1 AS x', 'm.sql:2:16: The signs */ end the comment here.'],
    ['/*---\n- a\n---*/ SELECT 1 AS x', 'The front matter must be settings with values'],
    ['/*---\na: b: c\n---*/ SELECT 1 AS x', 'm.sql:2:4: The front matter is not YAML'],
    [
      file('on: change\nschedule: rate(1 day)', 'SELECT 1 AS x'),
      'm.sql:3:1: A model follows its tables (on: change) or a schedule',
    ],
    [file('on: monday', 'SELECT 1 AS x'), 'm.sql:3:1: on must be change'],
    [file('schedule: cron(0 6 * * *)', 'SELECT 1 AS x'), 'm.sql:3:1: schedule must have six parts'],
    [file('schedule: cron(0 6 * * * *)', 'SELECT 1 AS x'), 'one of the days ?'],
    [file('materialized: view\nuniqueKey: id', TYPED), 'm.sql:4:1: A view has no uniqueKey'],
    [file('materialized: view\nschedule: rate(1 day)', TYPED), 'm.sql:4:1: A view has no schedule'],
    [file('materialized: view\npartitionBy: [id]', TYPED), 'm.sql:4:1: A view has no partitionBy'],
    [file('materialized: incremental', TYPED), 'm.sql:3:1: An incremental model needs uniqueKey'],
    [
      file('uniqueKey: [id, dya]', TYPED),
      'm.sql:3:17: The model gives no column dya. Its columns are: id, shop, day, amount.',
    ],
    [file('columns: { dya: x }', TYPED), 'm.sql:3:12: The model gives no column dya'],
    [file('partitionBy: [month(shop)]', TYPED), 'm.sql:3:15: month(shop): shop is of the type VARCHAR'],
    [file('partitionBy: [month(nope)]', TYPED), 'm.sql:3:15: The model gives no column nope.'],
    ['', 'm.sql: There is no SQL in the file'],
  ])('%j is refused', (text, message) => {
    expect(errors(text)).toEqual([expect.stringContaining(message)])
  })
})

describe('tables', () => {
  it.each([
    ['SELECT * FROM clean.oders', 'm.sql:1:15: There is no table clean.oders. clean.orders is meant, perhaps.'],
    ['SELECT * FROM orders', 'm.sql:1:15: The table orders needs its zone: write clean.orders or curated.orders.'],
    [
      'SELECT * FROM curated.returns',
      'm.sql:1:15: There is no table curated.returns: the contract of returns wants none.',
    ],
    ['SELECT * FROM curated.m', 'm.sql:1:15: The model reads itself.'],
    ['SELECT * FROM information_schema.tables', 'm.sql:1:15: A model reads tables of the lake'],
    ['SELECT "$path" AS p FROM clean.orders', 'm.sql:1:1: A model cannot have "$path"'],
    ["SELECT id FROM curated.orders FOR VERSION AS OF 'x'", 'A model reads tables as they are now'],
    ['SELECT upload FROM ops.receipts', 'm.sql:1:20: ops.receipts tells of operations and changes all the time'],
    ['/* A model.\nSELECT 1 AS x', 'm.sql:1:1: The SQL cannot be read: a quote or comment is not closed.'],
    ["SELECT ';' AS x;\n\nSELECT 2 AS x;", 'm.sql:3:1: A second statement begins here'],
    ["SELECT * FROM {{ ref('orders') }}", 'm.sql:1:15: There are no templates in a model'],
    ['SHOW TABLES', 'm.sql:1:1: SHOW cannot stand here'],
    [
      'DELETE FROM clean.orders',
      'm.sql:1:1: DELETE cannot stand here: write the SELECT alone, and Weir makes the table of its rows.',
    ],
  ])('%s', (sql, message) => {
    expect(errors(sql)).toEqual([expect.stringContaining(message)])
  })

  it('of the operations zone may be seen through a view', () => {
    expect(modelOf('materialized: view', 'SELECT upload FROM ops.receipts').reads).toEqual(['ops.receipts'])
  })

  it('are read by the models that come before, also when the files do not stand in that order', () => {
    const { models, errors } = check({
      a: 'SELECT n + 1 AS n FROM curated.c',
      b: file('materialized: view', 'SELECT id FROM curated.orders'),
      c: 'SELECT count(*) AS n FROM curated.b',
    })
    expect(errors).toEqual([])
    expect(models.map(({ name }) => name)).toEqual(['b', 'c', 'a'])
    // What a view reads decides about the rows of who reads the view.
    expect(models.map(({ reads }) => reads)).toEqual([
      ['curated.orders'],
      ['curated.b', 'curated.orders'],
      ['curated.c'],
    ])
  })

  it('cannot go round in a circle, and a mistake is told once', () => {
    const { models, errors } = check({
      a: 'SELECT n FROM curated.b',
      b: 'SELECT n FROM curated.c',
      c: 'SELECT n\nFROM curated.a',
      d: 'SELECT n FROM curated.a',
      e: 'SELECT 1 AS n',
    })
    expect(errors).toEqual([
      'c.sql:2:6: The models go round in a circle: a → b → c → a. One of them has to read something else.',
    ])
    expect(models.map(({ name }) => name)).toEqual(['e'])
  })

  it('of datasets keep their names', () => {
    expect(check({ orders: 'SELECT 1 AS x' }).errors).toEqual([
      'orders.sql: curated.orders is the entity table of the dataset orders already: rename the model, or give the dataset curated: {mode: none}.',
    ])
  })

  it('a name that is taken hides no other mistake, neither there nor in those who read the table of that name', () => {
    const { errors, models } = check({
      orders: 'SELECT id, nope FROM curated.orders',
      month: 'SELECT o.shop, o.amout FROM curated.orders AS o',
      days: file('tests: [not_null: days]', 'SELECT day FROM curated.orders'),
      fine: file('materialized: table', 'SELECT id FROM curated.orders'),
    })
    expect(errors).toEqual([
      expect.stringContaining('days.sql:3:9: The model gives no column days; day is meant, perhaps'),
      expect.stringContaining('month.sql:1:16: '),
      expect.stringContaining('orders.sql: curated.orders is the entity table of the dataset orders already'),
      expect.stringContaining('orders.sql:1:12: '),
    ])
    expect(models.map(({ name }) => name)).toEqual(['fine'])
  })

  it('a mistake in a test or a setting hides none in the rest, nor in models that read this one', () => {
    const { errors, models } = check({
      a: file(
        'uniqueKey: nope\ntests:\n  - relationships: { column: id, to: curated.nowhere.id }\n  - sql: SELECT x FROM curated.a\n  - sql: SELECT id FROM curated.a; SELECT 2',
        'SELECT id FROM clean.orders',
      ),
      b: 'SELECT a.id, a.day FROM curated.a',
      c: 'SELECT a.id FROM curated.a',
    })
    expect(errors).toEqual([
      expect.stringContaining('a.sql:3:1: The model gives no column nope'),
      expect.stringContaining('a.sql:5:5: There is no table curated.nowhere'),
      expect.stringContaining('a.sql:6:5: The test cannot run: '),
      expect.stringContaining('a.sql:7:5: The SQL of the test: A second statement begins here'),
      expect.stringContaining('b.sql:1:14: There is no column a.day'),
    ])
    expect(models).toEqual([])
  })

  it('of two models of one name both are looked at', () => {
    const text = (sql: string) => ({ name: 'twice.sql', text: file('materialized: table', sql) })
    const sources = [text('SELECT id, nope FROM clean.orders'), text('SELECT shop, nowhere FROM clean.orders')]
    const { errors } = checkModels(parseModels(sources).models, TABLES)
    expect(errors.map(modelIssueText)).toEqual([
      'twice.sql: There are two models twice: rename one.',
      expect.stringContaining('nope'),
      expect.stringContaining('nowhere'),
    ])
  })
})

describe('columns', () => {
  it.each([
    ['SELECT id, count(*) FROM clean.orders GROUP BY id', 'm.sql:1:12: Column 2 has no name: write AS name after it.'],
    ['SELECT id, ID AS id FROM clean.orders', 'm.sql:1:12: Two columns have the name id'],
    ['SELECT id AS "Id" FROM clean.orders', 'm.sql:1:8: The column Id is id on AWS'],
    ['SELECT id AS "a b" FROM clean.orders', 'm.sql:1:8: The column a b needs a name of letters'],
    ['SELECT id AS _gone FROM clean.orders', 'm.sql:1:8: Weir itself uses names that begin like _gone'],
    ['SELECT NULL AS x FROM clean.orders', 'm.sql:1:8: The column x is of the type unknown. NULL alone has no type'],
    [
      'SELECT size FROM curated.shops',
      'm.sql:1:8: The column size is of the type smallint. Iceberg has no such type: write CAST(x AS integer).',
    ],
    ['SELECT ARRAY[size] AS s FROM curated.shops', 'of the type array(smallint). Iceberg has no such type'],
    [
      'SELECT now() AS t',
      'm.sql:1:8: The column t is of the type timestamp(3) with time zone. Tables hold timestamps without',
    ],
    ['SELECT 1 AS a, json_parse(shop) AS j FROM clean.orders', 'm.sql:1:16: The column j is of the type json.'],
    [
      'SELECT CAST(ROW(1) AS ROW(A integer)) AS r',
      'm.sql:1:8: The column r is of the type row(A integer). Its fields need names in small letters',
    ],
    [
      'SELECT shop, units + 1 AS u, count(*) AS n FROM clean.orders AS o GROUP BY o.shop',
      'm.sql:1:14: The column units is neither grouped nor in an aggregate',
    ],
    [
      'WITH w AS (SELECT id FROM clean.orders)\nSELECT w.shop FROM w',
      'm.sql:2:8: There is no column w.shop. The columns here are: id.',
    ],
    [
      'SELECT median(id) AS m\nFROM clean.orders',
      'm.sql:1:8: The function median is not supported. Write approx_percentile(x, 0.5).',
    ],
    ['SELECT id FROM clean.orders\nQUALIFY true', 'm.sql:2:1: QUALIFY is not supported.'],
    ['SELECT id,\n  FROM clean.orders', 'm.sql:2:3: The SQL cannot be read'],
  ])('%s', (sql, message) => {
    const found = errors(sql)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
  })

  it('of every kind that both lakes can hold', () => {
    const { table } = modelOf(
      'materialized: table',
      "SELECT CAST(ROW(1, 'a') AS ROW(n integer, t varchar)) AS r, ARRAY[DATE '2026-01-01'] AS l, MAP(ARRAY['a'], ARRAY[1.50]) AS m, true AS b, 1e0 AS d",
    )
    expect(table.columns.map(({ type }) => type)).toEqual([
      'STRUCT("n" INTEGER, "t" VARCHAR)',
      'DATE[]',
      'MAP(VARCHAR, DECIMAL(3,2))',
      'BOOLEAN',
      'DOUBLE',
    ])
  })

  it.each([
    "SELECT date_format(date_trunc('month', o.day), '%Y') AS y, sum(count(*)) OVER (ORDER BY date_trunc('month', day)) AS n FROM clean.orders o GROUP BY date_trunc('month', day)",
    "SELECT extract(year FROM day) AS y, listagg(shop, ',') WITHIN GROUP (ORDER BY id) AS s, count(*) FILTER (WHERE units > 1) AS n FROM clean.orders GROUP BY year(day)",
    'SELECT u.n, transform(array_agg(o.id), x -> x + 1) AS ids FROM clean.orders o CROSS JOIN UNNEST(sequence(1, units)) AS u (n) GROUP BY u.n',
    'SELECT shop, (SELECT max(s.city) FROM curated.shops s WHERE s.shop = o.shop) AS city, count(*) AS n FROM clean.orders o GROUP BY 1',
    "SELECT coalesce(shop, 'all') AS shop, day, grouping(shop, day) AS g FROM clean.orders GROUP BY GROUPING SETS ((shop, day), (day))",
    'SELECT 1 AS one, max(id) AS id, current_date AS d FROM clean.orders HAVING count(*) > 1',
    'SELECT shop, n FROM (SELECT shop, count(*) AS n FROM clean.orders GROUP BY shop) AS s WHERE n > 1',
  ])('may be grouped in all the ways of SQL: %s', (sql) => {
    expect(errors(sql)).toEqual([])
  })

  it('warns of what changes nothing, and of what would be old', () => {
    expect(check({ m: file('', 'SELECT current_date AS d, id FROM clean.orders ORDER BY id') }).warnings).toEqual([
      expect.stringContaining('m.sql:5:8: current_date is that of the last run'),
      'm.sql:5:57: A table has no order: ORDER BY at the end costs time and changes nothing.',
    ])
  })

  it('are named as their datasets are written, each once', () => {
    const tables = [
      { name: 'clean.Orders', columns: [{ name: 'id', type: 'INTEGER' }], partitionKeys: [] },
      { name: 'curated.Orders', columns: [{ name: 'id', type: 'INTEGER' }], partitionKeys: [] },
    ]
    const { models } = parseModels([{ name: 'm.sql', text: 'SELECT * FROM clean.nope' }])
    expect(checkModels(models, tables).errors.map(({ message }) => message)).toEqual([
      'There is no table clean.nope. The tables are: clean.Orders, curated.Orders, curated.m.',
    ])
    const near = parseModels([{ name: 'm.sql', text: 'SELECT * FROM clean.odrers' }])
    expect(checkModels(near.models, tables).errors[0]?.message).toContain('clean.Orders is meant, perhaps.')
  })
})

describe('tests', () => {
  it.each([
    ['- not_null: shp', 'm.sql:3:3: The model gives no column shp'],
    ['- accepted_values: { column: nope, values: [1] }', 'The model gives no column nope'],
    [
      '- accepted_values: { column: id, values: [a] }',
      'm.sql:3:43: The column id is of the type integer, and "a" is a text: write numbers, without quotes.',
    ],
    [
      '- relationships: { column: shop, to: curated.shops.name }',
      'm.sql:3:34: curated.shops has no column name. Its columns are: shop, city',
    ],
    [
      '- relationships: { column: shop, to: curated.shop.name }',
      'There is no table curated.shop. curated.shops is meant, perhaps.',
    ],
    ['- relationships: { column: id, to: curated.shops.city }', 'm.sql:3:3: The test cannot run: = cannot compare'],
    ['- sql: SELECT * FROM curated.m WHERE nope = 1', 'm.sql:3:3: The test cannot run: There is no column nope.'],
    [
      '- sql: SELECT shop, id, count(*) AS n FROM curated.m GROUP BY shop',
      'The test cannot run: the column id is neither grouped',
    ],
    ['- sql: SELEC', 'm.sql:3:3: The SQL of the test: The SQL cannot be read'],
    ['- sql: SELECT * FROM curated.m JOIN curated.nothing USING (id)', 'There is no table curated.nothing.'],
  ])('%s', (test, message) => {
    const found = errors(file(`tests:\n${test}`, TYPED).replace('description: A test.\n', ''))
    expect(found).toEqual([expect.stringContaining(message)])
  })

  it('that look elsewhere are pointed out', () => {
    const { errors, warnings } = check({ m: file('tests:\n  - sql: SELECT * FROM clean.orders WHERE id < 0', TYPED) })
    expect(errors).toEqual([])
    expect(warnings).toEqual(['m.sql:4:5: The test does not look at the model: name curated.m in its FROM.'])
  })

  it('wait for the models that they look at', () => {
    const { models } = check({
      a: file('tests:\n  - relationships: { column: id, to: curated.z.id }', TYPED),
      z: 'SELECT id FROM clean.orders',
    })
    expect(models.map(({ name, reads }) => [name, reads])).toEqual([
      ['z', ['clean.orders']],
      ['a', ['clean.orders']],
    ])
  })
})

describe('the hash of a model', () => {
  const hash = (settings: string, sql: string) => modelOf(settings, sql).hash
  const first = hash('uniqueKey: id', 'SELECT id, day FROM clean.orders')
  it('stays when only words about it change', () => {
    expect(
      hash(
        'uniqueKey: id\ncolumns: { id: A number. }\ntests:\n  - not_null: day',
        'SELECT id, -- the key\n  day\nFROM clean.orders;',
      ),
    ).toBe(first)
  })
  it.each([
    ['uniqueKey: id', 'SELECT id, day FROM clean.returns'],
    ['uniqueKey: [id, day]', 'SELECT id, day FROM clean.orders'],
    ['uniqueKey: id\npartitionBy: [day]', 'SELECT id, day FROM clean.orders'],
    ['materialized: view', 'SELECT id, day FROM clean.orders'],
  ])('differs for %j, %s', (settings, sql) => {
    expect(hash(settings, sql)).not.toBe(first)
  })
})

describe('a folder of models', () => {
  it('may be missing, and has models directly in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-models-'))
    try {
      expect(await readModels(join(folder, 'nowhere'))).toEqual({ models: [], errors: [] })
      await mkdir(join(folder, 'sub'))
      await writeFile(join(folder, 'sub', 'a.sql'), 'SELECT 1 AS x')
      await mkdir(join(folder, 'folder.sql'))
      await writeFile(join(folder, 'Big.sql'), 'SELECT 1 AS x')
      await writeFile(join(folder, 'loud.SQL'), 'SELECT 1 AS x')
      await writeFile(join(folder, '2026 Orders.sql'), 'SELECT 1 AS x')
      await writeFile(join(folder, 'bytes.sql'), Buffer.from([0xff, 0xfe, 0x00]))
      await writeFile(join(folder, 'good.sql'), '\ufeffSELECT 1 AS x')
      await writeFile(join(folder, 'notes.md'), 'Not a model.')
      const { models, errors } = await readModels(folder)
      expect(models.map(({ name }) => name)).toEqual(['good'])
      expect(errors.map(modelIssueText)).toEqual([
        'bytes.sql: The file is not UTF-8 text: save it as that.',
        'folder.sql: This is a folder, and a model is a file: give it another name.',
        "loud.SQL: The name of a model's file ends with .sql in small letters: rename it loud.sql.",
        'sub/a.sql: Models lie in the folder itself: move it there.',
        expect.stringMatching(/^2026 Orders\.sql: The file's name is the table's.* Rename it m_2026_orders\.sql\.$/),
        expect.stringMatching(
          /^Big\.sql: The file's name is the table's, and Big cannot be one.* Rename it big\.sql\.$/,
        ),
      ])
      expect(checkModels(models, []).models).toMatchObject([{ sql: 'SELECT 1 AS x' }])
      expect(new ModelError(errors).message).toMatch(
        /^6 problems in the models; mend the lines below and run `weir lint`\.\n {2}bytes/,
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

it('the models of this repository hold', async () => {
  const root = resolve(import.meta.dirname, '../..')
  const { plans } = await readContracts(join(root, 'contracts'))
  const read = await readModels(join(root, 'models'))
  const { models, errors, warnings } = checkModels(read.models, tablesOfLake(plans.values()))
  expect([...read.errors, ...errors, ...warnings].map(modelIssueText)).toEqual([])
  expect(models.map(({ name, materialized }) => [name, materialized])).toEqual([
    ['airport_delays', 'table'],
    ['flights_per_day', 'incremental'],
    ['weather_months', 'incremental'],
  ])
})
