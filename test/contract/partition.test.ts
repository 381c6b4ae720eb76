// partitionBy: what may be written, and which columns may be laid out how.

import { describe, expect, it } from 'vitest'
import {
  type PartitionField,
  parsePartitionField,
  partitionProblems,
  partitionText,
} from '../../lib/contract/partition.ts'

describe('what is written', () => {
  it.each<[text: string, field: PartitionField, again?: string]>([
    ['city', { transform: 'identity', column: 'city' }],
    [' order date ', { transform: 'identity', column: 'order date' }, 'order date'],
    ['year(d)', { transform: 'year', column: 'd' }],
    ['MONTH( order date )', { transform: 'month', column: 'order date' }, 'month(order date)'],
    ['day("a (b), ""c""")', { transform: 'day', column: 'a (b), "c"' }],
    ['"year(d)"', { transform: 'identity', column: 'year(d)' }],
    ['hour(at)', { transform: 'hour', column: 'at' }],
    ['bucket( 16,customer_id )', { transform: 'bucket', n: 16, column: 'customer_id' }, 'bucket(16, customer_id)'],
    ['truncate(4, zip)', { transform: 'truncate', n: 4, column: 'zip' }],
  ])('%s', (text, field, again = text) => {
    expect(parsePartitionField(text)).toEqual(field)
    expect(partitionText(field)).toBe(again)
    expect(parsePartitionField(again)).toEqual(field)
  })
  it.each([
    '',
    'week(d)',
    'month()',
    'bucket(c)',
    'bucket(0, c)',
    'bucket(c, 4)',
    'bucket(4294967296, c)',
    'a, b',
    'x)',
    '""',
    'truncate(1.5, c)',
  ])('not %j', (text) => expect(parsePartitionField(text)).toBeUndefined())
})

describe('which columns', () => {
  const TYPES = {
    d: 'DATE',
    ts: 'TIMESTAMP',
    i: 'BIGINT',
    dec: 'DECIMAL(10,2)',
    s: 'VARCHAR',
    f: 'DOUBLE',
    b: 'BOOLEAN',
    o: 'STRUCT(x BIGINT)',
    l: 'VARCHAR[]',
  }
  const columns = Object.entries(TYPES).map(([name, type]) => ({ name, type }))
  const fields = (...texts: string[]): PartitionField[] =>
    texts.map((text) => parsePartitionField(text) ?? { transform: 'identity', column: text })
  const fits = (form: string): string =>
    columns
      .map(({ name }) => name)
      .filter((name) => partitionProblems(fields(form.replace(/\bc\b/, name)), columns).length === 0)
      .join(' ')

  // By the table of transforms in Iceberg's specification; Weir leaves out laying out rows by floating-point numbers.
  it.each([
    ['c', 'd ts i dec s b'],
    ['year(c)', 'd ts'],
    ['month(c)', 'd ts'],
    ['day(c)', 'd ts'],
    ['hour(c)', 'ts'],
    ['BUCKET(8, c)', 'd ts i dec s'],
    ['TRUNCATE(8, c)', 'i dec s'],
  ])('%s: %s', (form, names) => expect(fits(form)).toBe(names))

  it('says what is wrong, and where', () => {
    expect(partitionProblems(fields('s', 'month(s)', 'f', 'nowhere'), columns)).toEqual([
      { index: 1, message: 's is of the type VARCHAR, and month() needs a date or a timestamp.' },
      {
        index: 2,
        message: 'f is of the type DOUBLE, and rows cannot be laid out by floating-point numbers, objects and lists.',
      },
      { index: 3, message: 'There is no column nowhere.' },
    ])
  })
  it('takes one way of a kind for each column, as Iceberg does', () => {
    expect(partitionProblems(fields('year(d)', 'year(ts)', 'bucket(4, s)', 's'), columns)).toEqual([])
    expect(partitionProblems(fields('year(d)', 'MONTH(D)', 'bucket(4, s)', 'bucket(8, s)'), columns)).toEqual([
      { index: 1, message: 'year(d) lays out the rows by D already; one of the two is enough.' },
      { index: 3, message: 'bucket(4, s) lays out the rows by s already; one of the two is enough.' },
    ])
    expect(partitionProblems(fields('year(d)'), [...columns, { name: 'D_Year', type: 'VARCHAR' }])).toEqual([
      { index: 0, message: 'Iceberg calls this d_year, and the table has a column of that name.' },
    ])
  })
})
