// What every query engine must do, on any adapter. `open` gives a fresh, empty lake; the suite closes it. What only the
// embedded lake can be asked is in a suite of its own, at the end.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QueryError } from '../../lib/lake/errors.ts'
import type { Lake, TableDefinition } from '../../lib/lake/ports.ts'
import { RECEIPT_FORMAT, type Receipt, receiptSchema } from '../../lib/lake/receipt.ts'

export const ORDERS: TableDefinition = {
  name: 'clean.orders',
  columns: [
    { name: 'order_id', type: 'BIGINT' },
    { name: 'amount', type: 'DECIMAL(18,4)' },
    { name: 'note', type: 'VARCHAR' },
    { name: '_upload', type: 'VARCHAR' },
  ],
  partitionKeys: [
    { name: 'ingest_date', type: 'DATE' },
    { name: 'source', type: 'VARCHAR' },
  ],
}

const TYPES: TableDefinition = {
  name: 'clean.types',
  columns: [
    { name: 'big', type: 'BIGINT' },
    { name: 'small', type: 'INTEGER' },
    { name: 'price', type: 'DECIMAL(38,10)' },
    { name: 'ratio', type: 'DOUBLE' },
    { name: 'yes', type: 'BOOLEAN' },
    { name: 'day', type: 'DATE' },
    { name: 'at', type: 'TIMESTAMP' },
    { name: 'place', type: 'STRUCT(city VARCHAR, zip VARCHAR)' },
    { name: 'tags', type: 'VARCHAR[]' },
    { name: 'nothing', type: 'VARCHAR' },
  ],
  partitionKeys: [{ name: 'ingest_date', type: 'VARCHAR' }],
}

/** What engines may say in different words. */
export interface EngineWords {
  /** The type of a DECIMAL(18,4). */
  decimal: string
  /** Lists and structs come as values, or as one text whose form is the engine's own. */
  nested: 'values' | 'text'
}

export const DUCKDB_WORDS: EngineWords = { decimal: 'DECIMAL(18,4)', nested: 'values' }

export function receiptFor(upload: string, more: Partial<Receipt> = {}): Receipt {
  return receiptSchema.parse({
    format: RECEIPT_FORMAT,
    upload,
    dataset: 'orders',
    source: 'orders/monday.csv',
    version: 'v1',
    size: 10,
    droppedAt: '2026-03-01T08:00:00Z',
    contract: { id: 'orders', version: '1.0.0', hash: 'abc' },
    outcome: 'accepted_with_rejects',
    rows: { read: 3, accepted: 2, rejected: 1 },
    violations: [
      {
        rule: 'minimum',
        column: 'amount',
        severity: 'error',
        message: 'm',
        count: 1,
        samples: [{ row: 3, value: '-1' }],
      },
    ],
    warnings: [],
    notEnforced: [],
    repairs: [],
    timings: { check: 1.5 },
    finishedAt: '2026-03-01T08:00:01Z',
    weir: '0.1.0',
    ...more,
  })
}

export function queryEngineConformance(
  name: string,
  open: () => Promise<Lake>,
  words: EngineWords = DUCKDB_WORDS,
): void {
  describe(`query engine: ${name}`, () => {
    let lake: Lake
    let work: string
    let made = 0

    /** Puts the result of a DuckDB SELECT as Parquet under a key of a zone. */
    async function putParquet(zone: 'clean' | 'ops', key: string, select: string): Promise<void> {
      const path = join(work, `${++made}.parquet`)
      const instance = await DuckDBInstance.create()
      const connection = await instance.connect()
      await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
      connection.closeSync()
      instance.closeSync()
      await lake.zones[zone].putFile(key, path)
    }

    async function publish(source: string, upload: string, select: string): Promise<void> {
      const location = `orders/ingest_date=2026-03-01/source=${source}/upload=${upload}/`
      await putParquet('clean', `${location}part-0.parquet`, select)
      await lake.catalog.putPartition('clean.orders', { values: ['2026-03-01', source], location })
    }

    const rows = async (sql: string) => (await lake.queries.query(sql)).rows

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'weir-query-'))
      lake = await open()
      await lake.catalog.putTable(ORDERS)
      await lake.catalog.putTable({ ...ORDERS, name: 'clean.empty' })
      await lake.catalog.putTable(TYPES)
      await publish(
        'shop-1',
        'u1',
        `SELECT 1::BIGINT AS order_id, 9.9::DECIMAL(18,4) AS amount, 'a' AS note, 'u1' AS _upload`,
      )
      // An older file without the column `note`, and with a narrower amount.
      await publish(
        'shop-2',
        'u2',
        `SELECT i + 10 AS order_id, (i / 4)::DECIMAL(9,2) AS amount, 'u2' AS _upload FROM range(3) t(i)`,
      )
    })
    afterAll(async () => {
      await lake.close()
      await rm(work, { recursive: true })
    })

    test('a table is the rows of all its partitions, with the columns of the catalog and its partition keys', async () => {
      const result = await lake.queries.query('SELECT * FROM clean.orders ORDER BY order_id')
      expect(result.columns).toEqual([
        { name: 'order_id', type: 'BIGINT' },
        { name: 'amount', type: words.decimal },
        { name: 'note', type: 'VARCHAR' },
        { name: '_upload', type: 'VARCHAR' },
        { name: 'ingest_date', type: 'DATE' },
        { name: 'source', type: 'VARCHAR' },
      ])
      expect(result.rows).toEqual([
        ['1', '9.9000', 'a', 'u1', '2026-03-01', 'shop-1'],
        ['10', '0.0000', null, 'u2', '2026-03-01', 'shop-2'],
        ['11', '0.2500', null, 'u2', '2026-03-01', 'shop-2'],
        ['12', '0.5000', null, 'u2', '2026-03-01', 'shop-2'],
      ])
      expect(result.stats?.milliseconds).toBeGreaterThanOrEqual(0)
    })

    test('a swapped partition shows its new files only, a deleted one nothing', async () => {
      await publish('shop-3', 'u3', `SELECT 30 AS order_id, 1 AS amount, 'u3' AS _upload`)
      await publish('shop-3', 'u4', `SELECT 31 AS order_id, 2 AS amount, 'u4' AS _upload`)
      const sql = `SELECT order_id, _upload FROM clean.orders WHERE source = 'shop-3'`
      expect(await rows(sql)).toEqual([['31', 'u4']])
      await lake.catalog.deletePartition('clean.orders', ['2026-03-01', 'shop-3'])
      expect(await rows(sql)).toEqual([])
    })

    test('partition values come from the catalog when the location does not spell them out', async () => {
      await lake.catalog.putTable({ ...ORDERS, name: 'clean.plain' })
      await putParquet(
        'clean',
        'plain/x/part-0.parquet',
        `SELECT 1 AS order_id, 1 AS amount, 'source' AS note, 'u' AS _upload`,
      )
      await putParquet(
        'clean',
        'plain/y/part-0.parquet',
        `SELECT 2 AS order_id, 1 AS amount, 'source' AS note, 'u' AS _upload`,
      )
      await lake.catalog.putPartition('clean.plain', { values: ['2026-03-02', "it's"], location: 'plain/x/' })
      await lake.catalog.putPartition('clean.plain', { values: ['2026-03-03', 'b%20c'], location: 'plain/y/' })
      expect(await rows('SELECT order_id, ingest_date, source FROM clean.plain ORDER BY 1')).toEqual([
        ['1', '2026-03-02', "it's"],
        ['2', '2026-03-03', 'b%20c'],
      ])
    })

    test('a column of the data wins over a part of the path with its name', async () => {
      await lake.catalog.putTable({
        name: 'clean.clash',
        columns: [
          { name: 'upload', type: 'VARCHAR' },
          { name: 'Source', type: 'VARCHAR' },
        ],
        partitionKeys: ORDERS.partitionKeys,
      })
      const location = 'clash/ingest_date=2026-03-01/source=s/upload=wrong/'
      await putParquet('clean', `${location}part-0.parquet`, `SELECT 'right' AS upload, 'mine' AS "Source"`)
      await lake.catalog.putPartition('clean.clash', { values: ['2026-03-01', 's'], location })
      expect(await rows('SELECT * FROM clean.clash')).toEqual([['right', 'mine', '2026-03-01']])
    })

    test('an empty table has its columns and no rows', async () => {
      const result = await lake.queries.query('SELECT * FROM clean.empty')
      expect(result.columns.map((column) => column.name)).toEqual([
        'order_id',
        'amount',
        'note',
        '_upload',
        'ingest_date',
        'source',
      ])
      expect(result.rows).toEqual([])
    })

    test('values lose nothing', async () => {
      await putParquet(
        'clean',
        'types/ingest_date=2026-03-01/part-0.parquet',
        `SELECT 9007199254740993 AS big, 7::INTEGER AS small, 1234567890123456789012345678.0123456789::DECIMAL(38,10) AS price,
          0.1::DOUBLE AS ratio, true AS yes, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 12:34:56.123456' AS at,
          {city: 'Bern', zip: '03000'} AS place, ['a', 'b'] AS tags, NULL::VARCHAR AS nothing`,
      )
      await lake.catalog.putPartition('clean.types', {
        values: ['2026-03-01'],
        location: 'types/ingest_date=2026-03-01/',
      })
      expect(await rows('SELECT * FROM clean.types')).toEqual([
        [
          '9007199254740993',
          7,
          '1234567890123456789012345678.0123456789',
          0.1,
          true,
          '2024-02-29',
          '2024-02-29 12:34:56.123456',
          words.nested === 'text' ? expect.stringMatching(/Bern.*03000/) : { city: 'Bern', zip: '03000' },
          words.nested === 'text' ? expect.stringMatching(/a.*b/) : ['a', 'b'],
          null,
          '2026-03-01',
        ],
      ])
    })

    test('receipts and rejects are tables, also while there are none', async () => {
      expect(await rows('SELECT upload, outcome FROM ops.receipts')).toEqual([])
      expect(await rows('SELECT dataset, _row FROM ops.rejects')).toEqual([])
      const receipt = receiptFor('20260301T080000Z-0123456789ab')
      await lake.zones.ops.put(
        `receipts/dataset=orders/date=2026-03-01/${receipt.upload}.json`,
        JSON.stringify(receipt),
      )
      const other = receiptFor('20260302T080000Z-0123456789ab', {
        outcome: 'refused',
        reason: { code: 'empty', message: 'It is empty.' },
      })
      await lake.zones.ops.put(`receipts/dataset=orders/date=2026-03-02/${other.upload}.json`, JSON.stringify(other))
      await putParquet(
        'ops',
        `rejects/dataset=orders/upload=${receipt.upload}/rejects.parquet`,
        `SELECT 3::BIGINT AS _row, '${receipt.upload}' AS _upload, NULL::VARCHAR AS _raw, '{}' AS cells, '[]' AS violations`,
      )
      expect(
        await rows(
          'SELECT upload, rows.rejected, reason.code, violations[1].samples[1].value, droppedAt FROM ops.receipts ORDER BY 1',
        ),
      ).toEqual([
        [receipt.upload, '1', null, '-1', '2026-03-01 08:00:00'],
        [other.upload, '1', 'empty', '-1', '2026-03-01 08:00:00'],
      ])
      expect(await rows('SELECT dataset, _row, _upload FROM ops.rejects')).toEqual([['orders', '3', receipt.upload]])
    })

    test.each([
      ['WITH a AS (SELECT order_id FROM clean.orders) SELECT count(*) FROM a', '4'],
      ['VALUES (1)', 1],
      ['SELECT count(*) FROM clean.orders o JOIN "clean"."orders" p USING (order_id)', '4'],
      ['-- a comment\nSELECT count(*) FROM CLEAN.Orders;', '4'],
    ])('%s', async (sql, first) => {
      expect((await rows(sql))[0]?.[0]).toEqual(first)
    })

    test.each([
      ["ATTACH '/tmp/weir-attached.db'", /is not allowed/],
      ['INSTALL httpfs', /is not allowed/],
      ["COPY clean.orders TO '/tmp/weir-copied.csv'", /COPY is not allowed: a query only reads.*SELECT/],
      ['CREATE TABLE t AS SELECT 1', /CREATE is not allowed/],
      ['DROP VIEW clean.orders', /DROP is not allowed/],
      ['DELETE FROM clean.orders', /DELETE is not allowed/],
      ["SET memory_limit = '100GB'", /not allowed/],
      ['PRAGMA enable_profiling', /not allowed/],
      ['WITH a AS (SELECT 1) INSERT INTO clean.orders SELECT * FROM a', /orders|not allowed/],
      ['-- nothing', /There is no SQL statement/],
      ['SELECT 1; SELECT 2', /There are 2 SQL statements; a query is one/],
      ['', /There is no SQL statement/],
      [
        'SELECT * FROM clean.nope',
        /There is no table .*nope.*The tables are: clean\.clash, clean\.empty, clean\.orders/,
      ],
      ['SELECT nope FROM clean.orders', /nope/],
      ['SELEC 1', /syntax error|cannot be read/],
    ])('%s is refused with a reason', async (sql, message) => {
      const error = await lake.queries.query(sql).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(QueryError)
      expect((error as Error).message).toMatch(message)
    })

    test('nothing is written into the lake either', async () => {
      const before: string[] = []
      for await (const { key } of lake.zones.clean.list('')) before.push(key)
      const target = lake.locate('clean', 'orders/added.parquet').replaceAll("'", "''")
      for (const start of ['', 'EXPLAIN ANALYZE ', 'EXPLAIN (ANALYZE) ', 'EXPLAIN (FORMAT json) '])
        await expect(lake.queries.query(`${start}COPY (SELECT 1) TO '${target}'`)).rejects.toThrow(QueryError)
      const after: string[] = []
      for await (const { key } of lake.zones.clean.list('')) after.push(key)
      expect(after).toEqual(before)
    })

    test('a query can be interrupted', async () => {
      const controller = new AbortController()
      const endless = lake.queries.query(
        `WITH a AS (SELECT x FROM (VALUES ${Array.from({ length: 100 }, (_, n) => `(${n})`)}) AS v(x))
        SELECT count(*) FROM a AS p, a AS q, a AS r, a AS s, a AS t, a AS u, a AS v
        WHERE (p.x + q.x * r.x + s.x * t.x + u.x * v.x) % 7 = 3`,
        {
          signal: controller.signal,
        },
      )
      setTimeout(() => controller.abort(new Error('Enough.')), 50)
      await expect(endless).rejects.toThrow('Enough.')
      await expect(lake.queries.query('SELECT 1', { signal: controller.signal })).rejects.toThrow('Enough.')
    })
  })
}

/** What the embedded lake does besides: it says more than Athena, and holds Athena's SQL in a process that could do more. */
export function embeddedConformance(name: string, open: () => Promise<Lake>): void {
  describe(`Athena's SQL without Athena: ${name}`, () => {
    let lake: Lake
    const rows = async (sql: string) => (await lake.queries.query(sql)).rows

    beforeAll(async () => {
      lake = await open()
      await lake.catalog.putTable(ORDERS)
      await lake.catalog.putTable({ ...ORDERS, name: 'clean.empty' })
    })
    afterAll(() => lake.close())

    test('tables can be shown, described and explained', async () => {
      expect(await rows('SHOW TABLES')).toEqual([['empty'], ['orders']])
      expect(await rows('SHOW TABLES IN ops')).toEqual([['receipts'], ['rejects'], ['runs']])
      expect(await rows('SHOW SCHEMAS')).toEqual([['clean'], ['curated'], ['ops']])
      expect((await rows('SHOW COLUMNS IN clean.orders')).flat()).toEqual([
        ...['order_id', 'amount', 'note', '_upload', 'ingest_date', 'source'],
      ])
      expect((await rows('DESCRIBE clean.orders'))[1]).toEqual(['amount', 'decimal(18,4)', ''])
      expect(
        await rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'clean' ORDER BY 1"),
      ).toEqual([['empty'], ['orders']])
      expect(
        await rows(
          "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'orders' AND ordinal_position < 3 ORDER BY ordinal_position",
        ),
      ).toEqual([
        ['order_id', 'bigint'],
        ['amount', 'decimal(18,4)'],
      ])
      expect(await rows('EXPLAIN SELECT * FROM clean.orders')).toHaveLength(1)
      expect(await rows('EXPLAIN ANALYZE SELECT * FROM clean.orders')).toHaveLength(1)
    })

    test.each([
      ["SELECT * FROM read_text('/etc/passwd')", /table function read_text at line 1:15.*nothing else/],
      ["SELECT * FROM '/etc/passwd'", /A file as a table at line 1:15/],
      ["SELECT * FROM query('SELECT 1')", /nothing else/],
      ["SELECT read_text('/etc/passwd')", /The function read_text at line 1:8 is not supported/],
      ['LOAD httpfs', /is not allowed/],
      ["EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/weir-copied.csv'", /COPY is not allowed/],
      ["/* x */ EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/weir-copied.csv'", /COPY is not allowed/],
      ['PIVOT clean.orders ON note USING sum(amount)', /PIVOT at line 1:1 is not supported/],
      ['SELEC 1', /cannot be read: line 1:1: a syntax error/],
    ])('%s is refused with a reason', async (sql, message) => {
      const error = await lake.queries.query(sql).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(QueryError)
      expect((error as Error).message).toMatch(message)
    })

    test('a partition without files is not silently empty', async () => {
      await lake.catalog.putTable({ ...TYPES, name: 'clean.lost', partitionKeys: [] })
      await lake.catalog.putPartition('clean.lost', { values: [], location: 'lost/' })
      await expect(lake.queries.query('SELECT * FROM clean.lost')).rejects.toThrow(
        /clean\.lost.*lost\/.*weir reconcile/,
      )
      await lake.catalog.deletePartition('clean.lost', [])
      expect(await rows('SELECT * FROM clean.lost')).toEqual([])
    })
  })
}
