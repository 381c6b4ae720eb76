// What Athena's answers become: types, values, the header, costs, and places in messages.

import { describe, expect, test } from 'vitest'
import { isHeader, typeOf, valuesOf } from '../../../lib/lake/aws/athena.ts'
import { DOLLARS_PER_TB, inOurWords, scanned } from '../../../lib/lake/aws/athena-run.ts'
import { readStatement, type Statement } from '../../../lib/lake/aws/names.ts'

const column = (Type: string, Name = 'x', more = {}) => ({ Name, Type, ...more })
const row = (...texts: (string | undefined)[]) => ({ Data: texts.map((text) => ({ VarCharValue: text })) })

describe('values', () => {
  test.each([
    ['varchar', 'VARCHAR', '', ''],
    ['bigint', 'BIGINT', '9007199254740993', '9007199254740993'],
    ['integer', 'INTEGER', '-7', -7],
    ['smallint', 'SMALLINT', '7', 7],
    ['double', 'DOUBLE', '1.0E-7', 1e-7],
    ['double', 'DOUBLE', 'NaN', 'NaN'],
    ['double', 'DOUBLE', '-Infinity', '-Infinity'],
    ['real', 'FLOAT', '0.5', 0.5],
    ['boolean', 'BOOLEAN', 'false', false],
    ['boolean', 'BOOLEAN', 'true', true],
    ['date', 'DATE', '2024-02-29', '2024-02-29'],
    ['timestamp', 'TIMESTAMP', '2024-02-29 12:34:56.000', '2024-02-29 12:34:56'],
    ['timestamp', 'TIMESTAMP', '2024-02-29 12:34:56.120', '2024-02-29 12:34:56.12'],
    ['timestamp', 'TIMESTAMP', '2024-02-29 12:34:56.123', '2024-02-29 12:34:56.123'],
    ['timestamp', 'TIMESTAMP', '2024-02-29 12:34:50', '2024-02-29 12:34:50'],
    [
      'timestamp with time zone',
      'TIMESTAMP WITH TIME ZONE',
      '2024-02-29 12:34:56.100 UTC',
      '2024-02-29 12:34:56.1 UTC',
    ],
    ['array', 'ARRAY', '[a, b]', '[a, b]'],
    ['row', 'ROW', '{city=Bern, zip=03000}', '{city=Bern, zip=03000}'],
    ['map', 'MAP', '{a=1}', '{a=1}'],
    ['varbinary', 'BLOB', '01 ff', '01 ff'],
  ])('%s is %s, and %j is %j', (type, spelled, text, value) => {
    expect(typeOf(column(type))).toBe(spelled)
    expect(valuesOf(row(text), [column(type)])).toEqual([value])
    expect(valuesOf(row(undefined), [column(type)])).toEqual([null])
  })

  test('decimals say their digits', () => {
    expect(typeOf(column('decimal', 'x', { Precision: 18, Scale: 4 }))).toBe('DECIMAL(18,4)')
    expect(valuesOf(row('1234567890123456789012345678.0123456789'), [column('decimal')])).toEqual([
      '1234567890123456789012345678.0123456789',
    ])
  })

  test('columns that DESCRIBE gives as one text are taken apart; a text of a SELECT is not', () => {
    const columns = ['col_name', 'data_type', 'comment'].map((name) => column('string', name))
    expect(valuesOf(row('order_id            \tbigint              \tthe id'), columns)).toEqual([
      'order_id',
      'bigint',
      'the id',
    ])
    expect(valuesOf(row('a\tb'), [column('varchar')])).toEqual(['a\tb'])
    expect(valuesOf(row('a\tb', 'c'), [column('varchar'), column('varchar')])).toEqual(['a\tb', 'c'])
  })
})

describe('the header', () => {
  const columns = [column('varchar', 'a'), column('varchar', '')]
  test('is the first row of a SELECT, and never of SHOW or DESCRIBE', () => {
    expect(isHeader(row('a', ''), columns, { kind: 'select' })).toBe(true)
    expect(isHeader(row('a', undefined), columns, { kind: 'explain' })).toBe(true)
    expect(isHeader(row('b', ''), columns, { kind: 'select' })).toBe(false)
    expect(isHeader(row('a', ''), columns, { kind: 'show' })).toBe(false)
    expect(isHeader(row('a', ''), columns, { kind: 'describe' })).toBe(false)
    expect(isHeader(undefined, columns, { kind: 'select' })).toBe(false)
    expect(isHeader(row(), [], { kind: 'select' })).toBe(false)
  })
})

describe('cost', () => {
  const cost = (
    bytes: number | undefined,
    StatementType: 'DML' | 'UTILITY' | 'DDL' = 'DML',
    kind: Statement['kind'] = StatementType === 'DML' ? 'select' : 'show',
  ) => scanned({ StatementType, Statistics: { DataScannedInBytes: bytes } }, { kind })

  test('is by the megabyte, ten at least, and nothing for statements about tables', () => {
    expect(cost(1024 ** 4)).toEqual({ bytesScanned: 1024 ** 4, cost: DOLLARS_PER_TB })
    expect(cost(0).cost).toBeCloseTo((10 / 1024 ** 2) * 5, 12)
    expect(cost(10 * 1024 ** 2).cost).toBe(cost(1).cost)
    expect(cost(10 * 1024 ** 2 + 1).cost).toBeCloseTo((11 / 1024 ** 2) * 5, 12)
    expect(cost(0, 'UTILITY')).toEqual({ bytesScanned: 0, cost: 0 })
    expect(cost(0, 'UTILITY', 'explain')).toEqual({ bytesScanned: 0, cost: 0 })
    expect(cost(undefined)).toEqual({})
  })

  test('of a SELECT or of anything that scanned is never nothing, whatever Athena calls the statement', () => {
    const least = (10 / 1024 ** 2) * 5
    expect(cost(51, 'DDL', 'select').cost).toBeCloseTo(least, 12)
    expect(cost(0, 'DDL', 'select').cost).toBeCloseTo(least, 12)
    // EXPLAIN ANALYZE runs the query.
    expect(cost(51, 'UTILITY', 'explain').cost).toBeCloseTo(least, 12)
  })
})

describe('messages', () => {
  const databases = { clean: 'weir_dev_clean', curated: 'weir_dev_curated', ops: 'weir_dev_ops' }

  test('name places as in what the user wrote, and tables by their zones', async () => {
    const statement = await readStatement('SELECT nope FROM clean.parts WHERE clean.parts.nope2 = 1', databases)
    const column = statement.sql.indexOf('nope2') + 1
    expect(
      inOurWords(`COLUMN_NOT_FOUND: line 1:${column}: Column 'nope2' cannot be resolved`, statement, databases),
    ).toBe("COLUMN_NOT_FOUND: line 1:48: Column 'nope2' cannot be resolved")
    expect(
      inOurWords(
        "TABLE_NOT_FOUND: line 1:18: Table 'awsdatacatalog.weir_dev_clean.parts' does not exist",
        statement,
        databases,
      ),
    ).toBe("TABLE_NOT_FOUND: line 1:18: Table 'clean.parts' does not exist")
  })
})
